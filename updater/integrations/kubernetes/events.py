"""Core events about an Application, as `kubectl describe` shows them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

Json = dict[str, Any]

COMPONENT = "countersign"
_MESSAGE_LIMIT = 1024


@dataclass(frozen=True, slots=True)
class Event:
    """What happened: `reason` in CamelCase, a sentence, and whether it is a warning."""

    uid: str
    reason: str
    message: str
    at: datetime
    is_warning: bool = False


def manifest(namespace: str, name: str, event: Event) -> Json:
    """Return the Event object about the Application `namespace/name`."""
    moment = event.at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"generateName": f"{name[:200]}.", "namespace": namespace},
        "involvedObject": {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "namespace": namespace,
            "name": name,
            "uid": event.uid,
        },
        "reason": event.reason,
        "message": event.message[:_MESSAGE_LIMIT],
        "type": "Warning" if event.is_warning else "Normal",
        "source": {"component": COMPONENT},
        "firstTimestamp": moment,
        "lastTimestamp": moment,
        "count": 1,
    }
