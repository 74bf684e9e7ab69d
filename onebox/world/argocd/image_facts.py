"""What a kubelet would find out about an image: whether it can be pulled, and whether it runs."""

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

import httpx

from onebox.world.cluster.documents import Json

DEGRADED_LABEL = "demo.countersign.dev/degraded"
_MANIFEST_TYPES = ", ".join(
    [
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    ]
)


class ImageFact(Enum):
    """What becomes of a pod that runs the image."""

    RUNS = "runs"
    CRASHES = "crashes"  # CrashLoopBackOff
    MISSING = "missing"  # ImagePullBackOff


LookUp = Callable[[str], ImageFact]


def runs_always(_image: str) -> ImageFact:
    """Find every image fine; for worlds without a registry."""
    return ImageFact.RUNS


@dataclass(frozen=True, slots=True)
class RegistryLookUp:
    """Asks the image's own registry, over plain HTTP on loopback, with the pull secret's logins."""

    logins: Callable[[], Mapping[str, str]]  # host to the Authorization header
    timeout_seconds: float = 5

    def __call__(self, image: str) -> ImageFact:
        """Return what a pull would show."""
        host, _, rest = image.partition("/")
        name, reference = _split(rest)
        try:
            with self._client(host) as client:
                labels = _labels(client, name, reference)
        except (httpx.HTTPError, ValueError, KeyError, IndexError, TypeError):
            return ImageFact.MISSING
        is_bad = labels.get(DEGRADED_LABEL) == "true"
        return ImageFact.CRASHES if is_bad else ImageFact.RUNS

    def _client(self, host: str) -> httpx.Client:
        header = self.logins().get(host)
        return httpx.Client(
            base_url=f"http://{host}/v2/",
            headers={"Accept": _MANIFEST_TYPES, **({"Authorization": header} if header else {})},
            timeout=self.timeout_seconds,
            trust_env=False,
        )


def docker_logins(config: bytes) -> dict[str, str]:
    """Return the Authorization headers of a `.dockerconfigjson` by host."""
    entries = json.loads(config).get("auths", {})
    return {host: f"Basic {_pair(entry)}" for host, entry in entries.items()}


def _pair(entry: Mapping[str, str]) -> str:
    pair = f"{entry.get('username', '')}:{entry.get('password', '')}"
    return entry.get("auth") or base64.b64encode(pair.encode()).decode()


def _split(rest: str) -> tuple[str, str]:
    named, _, digest = rest.partition("@")
    head, colon, last = named.rpartition(":")
    name, tag = (head, last) if colon and "/" not in last else (named, "latest")
    return name, digest or tag


def _labels(client: httpx.Client, name: str, reference: str) -> Mapping[str, str]:
    manifest = _json(client, f"{name}/manifests/{reference}")
    if "manifests" in manifest:
        manifest = _json(client, f"{name}/manifests/{manifest['manifests'][0]['digest']}")
    config = _json(client, f"{name}/blobs/{manifest['config']['digest']}")
    return (config.get("config") or {}).get("Labels") or {}


def _json(client: httpx.Client, path: str) -> Json:
    answer = client.get(path)
    challenge = answer.headers.get("WWW-Authenticate", "")
    if answer.status_code == 401 and challenge.lower().startswith("bearer "):
        client.headers["Authorization"] = f"Bearer {_token(client, challenge)}"
        answer = client.get(path)
    answer.raise_for_status()
    document: Json = answer.json()
    return document


def _token(client: httpx.Client, challenge: str) -> str:
    """Ask the token service named in a challenge, with the login the client began with."""
    asked = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    realm = asked.pop("realm")
    answer = client.get(realm, params=asked)
    answer.raise_for_status()
    return str(answer.json()["token"])
