"""A sync from its request to its end: the order of visible writes, retries, windows, termination (2.2 to 2.6)."""

from onebox.world.argocd import applying, comparing, durations, projects, sources
from onebox.world.argocd.applying import ApplyError
from onebox.world.argocd.installation import Installation, Memory, Run
from onebox.world.argocd.snapshot import RenderError
from onebox.world.cluster import times
from onebox.world.cluster.documents import Json
from onebox.world.cluster.patches import difference

COMPLETED = ("Succeeded", "Failed", "Error")
BLOCKED = "Sync operation blocked by sync window"
_DONE = "successfully synced (all tasks run)"
_HISTORY_KEYS = ("revision", "revisions", "source", "sources")
_BACKOFF = {"duration": "5s", "factor": 2, "maxDuration": "3m"}


def advance(installation: Installation, app: Json, memory: Memory) -> None:
    """Take the next step of the operation an Application asks for; `memory.run.next_at` says when to come back."""
    state = (app.get("status") or {}).get("operationState")
    if memory.run is None:
        memory.run = Run()
        if state is None or state["phase"] in COMPLETED:
            _begin(installation, app, memory.run)
            return
    if state is None or installation.clock() < memory.run.next_at:
        return
    if _is_blocked(installation, app, memory.run, state):
        _block(installation, app, memory.run, state)
    elif state["phase"] == "Terminating":
        _end(installation, app, memory, {**state, "phase": "Failed"}, "Operation terminated")
    else:
        _step(installation, app, memory, state)


def _begin(installation: Installation, app: Json, run: Run) -> None:
    state = {"phase": "Running", "startedAt": installation.now(), "operation": app["operation"]}
    _write_state(installation, app, state)
    run.next_at = installation.clock() + installation.settings.operation_step_seconds


def _is_blocked(installation: Installation, app: Json, run: Run, state: Json) -> bool:
    is_automated = (state["operation"].get("initiatedBy") or {}).get("automated")
    return not projects.may_sync(
        installation.project(app),
        app,
        at=installation.clock(),
        is_manual=not is_automated,
        is_running=run.stage != "prepare",
    )


def _block(installation: Installation, app: Json, run: Run, state: Json) -> None:
    run.next_at = installation.clock() + installation.settings.window_check_seconds
    if state.get("message") != BLOCKED:
        _write_state(installation, app, {**state, "message": BLOCKED})


def _step(installation: Installation, app: Json, memory: Memory, state: Json) -> None:
    steps = {"prepare": _prepare, "apply": _apply, "record": _record, "finish": _finish}
    run = memory.run or Run()
    run.next_at = installation.clock() + installation.settings.operation_step_seconds
    try:
        steps[run.stage](installation, app, memory, state)
    except RenderError as error:
        message = f"ComparisonError: Failed to load target state: {error}"
        _end(installation, app, memory, {**state, "phase": "Error"}, message)
    except ApplyError as error:
        _fail(installation, app, memory, error)


def _prepare(installation: Installation, app: Json, memory: Memory, state: Json) -> None:
    """Resolve and render what is to be applied, and say so in syncResult."""
    operation, run = state["operation"], memory.run or Run()
    stated = sources.of_operation(operation, app["spec"])
    problem = projects.permission_problem(installation.project(app), app, stated.items)
    if problem is not None:
        _end(installation, app, memory, {**state, "phase": "Error"}, f"InvalidSpecError: {problem}")
        return
    asked = applying.asked_revisions(operation)
    resolved = comparing.resolve(installation, app, stated, is_fresh=True)
    revisions = tuple(
        asked[index] if index < len(asked) and asked[index] else found
        for index, found in enumerate(resolved)
    )
    run.rendered = comparing.render(installation, app, stated, revisions)
    result = {"revision": "", **stated.as_recorded(), **stated.revisions(revisions)}
    started = {key: value for key, value in state.items() if key != "finishedAt"}
    message = "one or more synchronization tasks are running"
    _write_state(installation, app, {**started, "syncResult": result, "message": message})
    run.stage = "apply"


def _apply(installation: Installation, app: Json, memory: Memory, state: Json) -> None:
    """Make the cluster what was rendered. Raises: ApplyError."""
    run = memory.run or Run()
    rendered = run.rendered.manifests if run.rendered else ()
    results = applying.apply(installation, app, state["operation"], rendered)
    result = {**state["syncResult"], "resources": results}
    _write_state(installation, app, {**state, "syncResult": result})
    run.stage = "record" if applying.counts_as_deployment(state["operation"]) else "finish"


def _record(installation: Installation, app: Json, memory: Memory, state: Json) -> None:
    """Add the deployment to the history, in a write of its own."""
    old = app["status"].get("history") or []
    limit = app["spec"].get("revisionHistoryLimit", 10)
    result = state["syncResult"]
    entry = {
        "id": old[-1]["id"] + 1 if old else 0,
        "deployStartedAt": state["startedAt"],
        "deployedAt": installation.now(),
        "initiatedBy": state["operation"].get("initiatedBy") or {},
        **{key: result[key] for key in _HISTORY_KEYS if result.get(key)},
    }
    installation.patch(app, {"status": {"history": [*old, entry][-limit:] if limit else None}})
    (memory.run or Run()).stage = "finish"


def _finish(installation: Installation, app: Json, memory: Memory, state: Json) -> None:
    _end(installation, app, memory, {**state, "phase": "Succeeded"}, _DONE)


def _fail(installation: Installation, app: Json, memory: Memory, error: ApplyError) -> None:
    """Try again later while the retry limit allows; else end as Failed."""
    state = app["status"]["operationState"]
    result = {**state["syncResult"], "resources": error.results}
    failed = {**state, "syncResult": result}
    retry, done = state["operation"].get("retry") or {}, state.get("retryCount", 0)
    limit = retry.get("limit", 0)
    if 0 <= limit <= done:
        suffix = f" (retried {done} times)." if done else ""
        _end(installation, app, memory, {**failed, "phase": "Failed"}, f"{error}{suffix}")
        return
    again_at = installation.clock() + _pause(retry.get("backoff") or {}, done)
    memory.run = Run(next_at=again_at)
    attempt = f"Retrying attempt #{done + 1} at {times.rfc3339(again_at)}."
    running = {"phase": "Running", "finishedAt": installation.now(), "retryCount": done + 1}
    _write_state(installation, app, {**failed, **running, "message": f"{error}. {attempt}"})


def _pause(stated: Json, done: int) -> float:
    backoff = {**_BACKOFF, **stated}
    first = durations.parse(str(backoff["duration"]), bare_is_seconds=True)
    longest = durations.parse(str(backoff["maxDuration"]), bare_is_seconds=True)
    return float(min(first * int(backoff["factor"]) ** done, longest))


def _end(installation: Installation, app: Json, memory: Memory, state: Json, message: str) -> None:
    """Complete the state and remove the request in one write; a request merged in meanwhile is lost."""
    ended = {**state, "message": message, "finishedAt": installation.now()}
    _write_state(installation, app, ended, ends=True)
    memory.run = None
    is_automated = (state["operation"].get("initiatedBy") or {}).get("automated")
    memory.pending_level = 2 if is_automated else 3
    target = _revision(ended)
    if ended["phase"] == "Succeeded":
        installation.tell(app, "OperationCompleted", f"Sync operation to {target} succeeded")
    else:
        text = f"Sync operation to {target} failed: {message}"
        installation.tell(app, "OperationCompleted", text, is_warning=True)


def _revision(state: Json) -> str:
    result = state.get("syncResult") or {}
    return str(result.get("revision") or ", ".join(result.get("revisions") or []))


def _write_state(installation: Installation, app: Json, state: Json, *, ends: bool = False) -> None:
    """Write the state: 3.5 merges it into what stands there, 3.6 replaces that."""
    old = (app.get("status") or {}).get("operationState") or {}
    change = difference(old, state) if installation.settings.is_newer else state
    patch: Json = {"status": {"operationState": change}}
    if ends:
        patch["operation"] = None
    installation.patch(app, patch)
