"""What makes the controller compare, and how deep (section 2.1)."""

from onebox.world.argocd import auto_sync, sources
from onebox.world.argocd.installation import Installation, Memory
from onebox.world.cluster.documents import Json

REFRESH = "argocd.argoproj.io/refresh"
STAMP = "argocd.argoproj.io/refresh-timestamp"
FRESH, CACHED, KNOWN = 3, 2, 1  # revisions asked for afresh, from the cache, not at all
_SOURCES = ("source", "sources")


def wanted_level(installation: Installation, app: Json, memory: Memory) -> int:
    """Return how deep to compare now, 0 for not at all."""
    compared = (app.get("status") or {}).get("sync", {}).get("comparedTo") or {}
    stated = sources.compared_to(app["spec"])
    was_enabled = _was_just_enabled(app, memory)
    if REFRESH in app["metadata"].get("annotations", {}) or _moved(stated, compared, _SOURCES):
        return FRESH
    has_moved = _moved(stated, compared, ("destination", "ignoreDifferences"))
    if has_moved or was_enabled or _is_due(installation, memory):
        return max(CACHED, memory.pending_level)
    return memory.pending_level


def next_resync(installation: Installation, memory: Memory) -> float | None:
    """Return when the next poll is due; None when polling is off or nothing was compared yet."""
    resync = installation.settings.resync_seconds
    if memory.compared_at is None or resync <= 0:
        return None
    return memory.compared_at + resync + memory.jitter_seconds


def remember(installation: Installation, memory: Memory, level: int) -> None:
    """Count the time to the next poll from now, plus a random delay."""
    if level > KNOWN:
        memory.compared_at = installation.clock()
        memory.jitter_seconds = installation.chance.uniform(0, installation.settings.jitter_seconds)


def _moved(stated: Json, compared: Json, keys: tuple[str, ...]) -> bool:
    return any(stated.get(key) != compared.get(key) for key in keys)


def _is_due(installation: Installation, memory: Memory) -> bool:
    due_at = next_resync(installation, memory)
    is_overdue = due_at is not None and installation.clock() >= due_at
    return memory.compared_at is None or is_overdue


def _was_just_enabled(app: Json, memory: Memory) -> bool:
    before, memory.automated = memory.automated, _automation(app)
    if before is None:
        return False
    return any(now and not then for then, now in zip(before, memory.automated, strict=True))


def _automation(app: Json) -> tuple[bool, bool]:
    automated = auto_sync.policy(app)
    return automated is not None, bool((automated or {}).get("selfHeal"))
