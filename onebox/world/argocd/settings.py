"""How fast this world's Argo CD turns, and which generation it behaves like."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

OLDER, NEWER = "3.5", "3.6"


@dataclass(frozen=True, slots=True)
class Settings:
    """Defaults are those of a real installation; a demo shortens them."""

    generation: str = OLDER  # how refresh annotations and operationState are written
    namespace: str = "argocd"
    application_namespaces: tuple[str, ...] = ()  # globs or /regular expressions/
    resync_seconds: float = 120  # timeout.reconciliation; 0 switches polling off
    jitter_seconds: float = 60
    repository_error_grace_seconds: float = 180
    compare_seconds: float = 0  # how long a comparison takes beside its real work
    operation_step_seconds: float = 1  # pause between the visible writes of a sync
    pod_start_seconds: float = 1  # until new pods stand beside the old ones
    rollout_seconds: float = 10  # until new pods are ready and the old ones gone
    progress_deadline_seconds: float = 600
    self_heal_backoff_seconds: float = 2
    window_check_seconds: float = 30
    application_set_seconds: float = 180
    hydration_cooldown_seconds: float = 120
    tracking_method: str = "annotation"  # or "label"
    persists_health: bool = False  # controller.resource.health.persist
    reports_app_of_apps: bool = True  # status.summary.isAppOfApps
    workers: int = 4

    @property
    def is_newer(self) -> bool:
        """Whether it behaves like 3.6."""
        return self.generation == NEWER

    @classmethod
    def for_demo(cls) -> Self:
        """Return a world in which a promotion takes seconds, not minutes."""
        return cls(
            resync_seconds=15,
            jitter_seconds=5,
            repository_error_grace_seconds=30,
            compare_seconds=0.3,
            rollout_seconds=5,
            progress_deadline_seconds=15,
            window_check_seconds=5,
            application_set_seconds=20,
            hydration_cooldown_seconds=10,
        )

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Return the demo's settings with those of a JSON file on top."""
        stated = json.loads(path.read_text(encoding="utf-8"))
        namespaces = tuple(stated.pop("application_namespaces", ()))
        return replace(cls.for_demo(), application_namespaces=namespaces, **stated)
