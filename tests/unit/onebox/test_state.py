import os

import pytest

from onebox.state import LOCK, State, StateError


@pytest.fixture
def state_of():
    """Make states that let go of their directories after the test."""
    states = []

    def make(folder):
        states.append(State(folder))
        return states[-1]

    yield make
    for state in states:
        state.release()


def test_claim_makes_a_private_folder_with_a_key(state_of, tmp_path):
    state = state_of(tmp_path / "state")

    state.claim()

    assert state.folder.stat().st_mode & 0o777 == 0o700
    assert state.secret_key_file.stat().st_mode & 0o777 == 0o600
    assert len(state.secret_key_file.read_text(encoding="ascii")) >= 50
    assert state.logs.is_dir()


def test_claim_when_taken_is_refused_and_names_the_owner(state_of, tmp_path):
    first = state_of(tmp_path / "other")
    first.claim()

    with pytest.raises(StateError, match=f"in use by process {os.getpid()}.*--state"):
        state_of(tmp_path / "other").claim()


def test_claim_after_the_owner_has_gone_keeps_the_key(state_of, tmp_path):
    first = state_of(tmp_path)
    first.claim()
    key = first.secret_key_file.read_text(encoding="ascii")
    first.release()

    second = state_of(tmp_path)
    second.claim()

    assert second.secret_key_file.read_text(encoding="ascii") == key


def test_claim_when_the_folder_is_somebody_elses_is_refused(state_of, tmp_path):
    precious = tmp_path / "thesis.txt"
    precious.write_text("years of work", encoding="utf-8")

    with pytest.raises(StateError, match="not ours"):
        state_of(tmp_path).claim(fresh=True)

    assert precious.exists()
    assert not (tmp_path / LOCK).exists()


def test_claim_fresh_empties_the_folder_but_follows_no_link(state_of, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").touch()
    first = state_of(tmp_path / "state")
    first.claim()
    (first.folder / "data" / "deep").mkdir(parents=True)
    (first.folder / "link").symlink_to(outside)
    first.release()

    state_of(tmp_path / "state").claim(fresh=True)

    assert sorted(path.name for path in first.folder.iterdir()) == ["logs", "secret-key", LOCK]
    assert (outside / "file").exists()
