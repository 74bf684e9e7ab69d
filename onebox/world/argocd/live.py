"""What runs in the destination cluster: applied objects, and the pods of workloads as they roll over."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass, field
from pathlib import Path

from onebox.world.argocd import manifests
from onebox.world.argocd.image_facts import ImageFact, LookUp
from onebox.world.argocd.manifests import ObjectKey
from onebox.world.argocd.settings import Settings
from onebox.world.cluster.documents import Json

HEALTHY, PROGRESSING, DEGRADED, MISSING = "Healthy", "Progressing", "Degraded", "Missing"


@dataclass(slots=True)
class LiveObject:
    """One applied object; `changed_at` is None once its pods are rolled out."""

    manifest: Json
    before: tuple[str, ...] = ()  # images of the pods that were ready when the change came
    changed_at: float | None = None


@dataclass(frozen=True, slots=True)
class Pods:
    """What a workload's pods look like now; `next_at` is when to look again."""

    images: tuple[str, ...]
    health: str
    message: str = ""
    next_at: float | None = None


@dataclass
class LiveWorld:
    """The objects of every Application, kept in a folder so that a restart changes nothing."""

    folder: Path
    settings: Settings
    look_up: LookUp
    clock: Callable[[], float] = time.time
    _loaded: dict[str, dict[ObjectKey, LiveObject]] = field(default_factory=dict)

    def objects(self, app: str) -> dict[ObjectKey, LiveObject]:
        """Return the objects of an Application."""
        if app not in self._loaded:
            self._loaded[app] = dict(_load(self._file(app)))
        return self._loaded[app]

    def apply(self, app: str, key: ObjectKey, manifest: Json) -> str:
        """Make an object what the manifest says; return the word kubectl has for it."""
        old = self.objects(app).get(key)
        if old is not None and old.manifest == manifest:
            return "unchanged"
        new = LiveObject(manifest, changed_at=self.clock())
        if old is not None:
            ready = manifests.images(old.manifest) if old.changed_at is None else old.before
            is_same = manifests.images(old.manifest) == manifests.images(manifest)
            new.before = old.before if is_same else ready
            new.changed_at = old.changed_at if is_same else new.changed_at
        self.objects(app)[key] = new
        self._save(app)
        return "created" if old is None else "configured"

    def remove(self, app: str, key: ObjectKey) -> None:
        """Delete an object."""
        self.objects(app).pop(key, None)
        self._save(app)

    def pods(self, app: str) -> dict[ObjectKey, Pods]:
        """Return the pods of every workload of an Application, moving roll-outs on."""
        workloads = [
            (key, item)
            for key, item in self.objects(app).items()
            if key.kind in manifests.WORKLOADS
        ]
        seen = {key: self._look(item) for key, item in workloads}
        self._save(app)
        return seen

    def _look(self, item: LiveObject) -> Pods:
        wanted = manifests.images(item.manifest)
        if item.changed_at is None or not wanted:
            item.changed_at = None
            return Pods(wanted, HEALTHY)
        settings, age = self.settings, self.clock() - item.changed_at
        if age < settings.pod_start_seconds:
            soon = item.changed_at + settings.pod_start_seconds
            return Pods(item.before, PROGRESSING, next_at=soon)
        both = tuple(sorted({*item.before, *wanted}))
        if age < settings.rollout_seconds:
            return Pods(both, PROGRESSING, next_at=item.changed_at + settings.rollout_seconds)
        return self._judge(item, wanted, both, age)

    def _judge(
        self, item: LiveObject, wanted: tuple[str, ...], both: tuple[str, ...], age: float
    ) -> Pods:
        facts = {self.look_up(image) for image in wanted}
        if facts == {ImageFact.RUNS}:
            item.before, item.changed_at = (), None
            return Pods(wanted, HEALTHY)
        # A pull is tried again and again, so a missing image may still turn up.
        again = self.clock() + max(0.05, self.settings.rollout_seconds)
        if age < self.settings.progress_deadline_seconds:
            deadline = self.clock() - age + self.settings.progress_deadline_seconds
            return Pods(both, PROGRESSING, next_at=min(again, deadline + 0.01))
        name = item.manifest["metadata"]["name"]
        why = "Back-off pulling image" if ImageFact.MISSING in facts else "CrashLoopBackOff"
        message = f'Deployment "{name}" exceeded its progress deadline ({why})'
        return Pods(both, DEGRADED, message, next_at=again)

    def _file(self, app: str) -> Path:
        return self.folder / f"{app.replace('/', '_')}.json"

    def _save(self, app: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        rows = [
            [list(astuple(key)), item.manifest, list(item.before), item.changed_at]
            for key, item in self.objects(app).items()
        ]
        text, file = json.dumps(rows), self._file(app)
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")


def _load(file: Path) -> Iterator[tuple[ObjectKey, LiveObject]]:
    if file.exists():
        for key, manifest, before, changed_at in json.loads(file.read_text(encoding="utf-8")):
            yield ObjectKey(*key), LiveObject(manifest, tuple(before), changed_at)
