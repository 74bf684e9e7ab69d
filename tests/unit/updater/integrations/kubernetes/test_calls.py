"""Every answer of an API server becomes one of our errors, and nothing else."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from updater.errors import UpdaterError
from updater.integrations.kubernetes import calls, errors, watching
from updater.integrations.kubernetes.calls import Call
from updater.integrations.kubernetes.sync_operation import sync_patch

CALMLY = settings(deadline=None, max_examples=60)  # a busy machine is no failure

READ = Call("get", "applications.argoproj.io", "argocd", "example")
WRITE = Call("patch", "applications.argoproj.io", "argocd", "example")


class _Stream:
    def __init__(self, *chunks: bytes) -> None:
        self._chunks = chunks
        self.is_closed = False

    def stream(self, _amount: int):
        yield from self._chunks

    def close(self) -> None:
        self.is_closed = True

    def release_conn(self) -> None:
        self.is_released = True


@pytest.mark.parametrize(
    ("call", "code", "expected"),
    [
        (READ, 400, errors.RequestRefusedError),
        (WRITE, 400, errors.InvalidPatchError),
        (READ, 401, errors.ClusterUnauthorizedError),
        (READ, 403, errors.ClusterForbiddenError),
        (READ, 404, errors.ApplicationNotFoundError),
        (Call("get", "secrets", "argocd", "x"), 404, errors.ObjectNotFoundError),
        (Call("list", "applications.argoproj.io"), 404, errors.KindUnknownError),
        (WRITE, 409, errors.PatchConflictError),
        (READ, 410, errors.WatchExpiredError),
        (WRITE, 413, errors.InvalidPatchError),
        (WRITE, 415, errors.InvalidPatchError),
        (WRITE, 422, errors.InvalidPatchError),
        (WRITE, 429, errors.ThrottledError),
        (READ, 500, errors.ClusterUnreachableError),
        (WRITE, 500, errors.UnknownOutcomeError),
        (WRITE, 502, errors.UnknownOutcomeError),
        (WRITE, 503, errors.UnknownOutcomeError),
        (WRITE, 504, errors.UnknownOutcomeError),
        (READ, 302, errors.ClusterUnreachableError),
        (READ, 0, errors.ClusterUnreachableError),
    ],
    ids=lambda value: str(getattr(value, "__name__", value)),
)
def test_from_status_maps_every_code(call: Call, code: int, expected: type) -> None:
    assert type(calls.from_status(call, code, {})) is expected


def test_from_status_k13_field_manager_conflict_is_a_problem_for_people() -> None:
    status = {"details": {"causes": [{"reason": "FieldManagerConflict"}]}}

    found = calls.from_status(WRITE, 409, status)

    assert type(found) is errors.FieldConflictError
    assert found.code == "field_conflict"


def test_from_status_503_with_retry_after_was_not_carried_out() -> None:
    found = calls.from_status(WRITE, 503, {}, {"Retry-After": "3"})

    assert type(found) is errors.ThrottledError
    assert found.retry_after_seconds == 3


NAMES = st.sampled_from(["reason", "a", "causes", ""])
JSON_VALUES = st.recursive(
    st.sampled_from([None, True, 0, 7, "", "text"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=3,
)


@CALMLY
@given(
    code=st.integers(0, 999),
    status=st.fixed_dictionaries(
        {
            "message": JSON_VALUES,
            "details": JSON_VALUES | st.fixed_dictionaries({"causes": JSON_VALUES}),
        }
    ),
    header=st.text(max_size=8),
)
def test_from_status_of_anything_is_one_of_ours(code: int, status, header: str) -> None:
    found = calls.from_status(WRITE, code, status, {"Retry-After": header})

    assert isinstance(found, UpdaterError)
    assert len(str(found)) < 700


@CALMLY
@given(st.lists(st.binary(max_size=40) | st.just(b'{"type":"ADDED","object":{}}\n'), max_size=6))
def test_events_of_any_bytes_are_events_or_one_of_ours(chunks: list[bytes]) -> None:
    stream = _Stream(*chunks)

    try:
        for event in watching.events(READ, stream):
            assert isinstance(event.resource_version, str)
    except UpdaterError:
        pass

    assert stream.is_closed


def test_events_split_over_chunks_are_put_together() -> None:
    line = json.dumps({"type": "ADDED", "object": {"metadata": {"resourceVersion": "7"}}}).encode()

    found = list(watching.events(READ, _Stream(line[:9], line[9:] + b"\n\n" + line, b"\n")))

    assert [event.resource_version for event in found] == ["7", "7"]


def test_events_with_an_endless_line_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_LINE_LIMIT", 10)

    with pytest.raises(errors.ClusterUnreachableError, match="endless line"):
        list(watching.events(READ, _Stream(b"x" * 11)))


def test_read_json_of_more_than_the_limit_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "_ANSWER_LIMIT", 10)

    class _Answer(_Stream):
        def read(self, amount: int) -> bytes:
            return b"{" * amount

    with pytest.raises(errors.ClusterUnreachableError, match="more than 10 bytes"):
        calls.read_json(READ, _Answer())


def test_sync_patch_of_several_sources_names_a_revision_each() -> None:
    sources = [{"repoURL": "a"}, {"repoURL": "b"}]
    manifest = {"metadata": {}, "spec": {"sources": sources}}

    patch = sync_patch(manifest, username="u", info={}, revisions=["1", "2"])

    assert patch["operation"]["sync"]["sources"] == sources
    assert patch["operation"]["sync"]["revisions"] == ["1", "2"]
