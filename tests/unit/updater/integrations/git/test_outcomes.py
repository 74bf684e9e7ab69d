"""From git's words to what happened."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.integrations import git
from updater.integrations.git import outcomes
from updater.integrations.git.process import Finished


def failed(complaint):
    return Finished(128, b"", complaint)


@pytest.mark.parametrize(
    ("complaint", "kind"),
    [
        ("fatal: unable to access 'https://h/': Could not resolve host: h", git.RepositoryUnreachableError),
        ("fatal: unable to access 'https://h/': The requested URL returned error: 502", git.RepositoryUnreachableError),
        ("fatal: unable to access 'https://h/': The requested URL returned error: 301", git.RepositoryMovedError),
        ("fatal: unable to access 'https://h/': The requested URL returned error: 403", git.AuthenticationRefusedError),
        ("fatal: could not read Username for 'https://h': terminal prompts disabled", git.AuthenticationRefusedError),
        ("git@h: Permission denied (publickey).", git.AuthenticationRefusedError),
        ("remote: Not Found\nfatal: repository 'https://h/a/' not found", git.RepositoryNotFoundError),
        ("fatal: remote error: access denied or repository not exported: /a", git.RepositoryNotFoundError),
        ("fatal: couldn't find remote ref refs/heads/x", git.BranchNotFoundError),
        ("Host key verification failed.\nfatal: Could not read from remote repository.", git.HostKeyRefusedError),
        ("fatal: unable to access 'https://h/': SSL certificate problem: self-signed", git.CertificateRefusedError),
        ("error: index-pack died of signal 25", git.RepositoryTooLargeError),
        ("error: object abc: fullPathname\nfatal: fsck error in packed object", git.RepositoryMalformedError),
        ("fatal: bad object HEAD", git.MirrorDamagedError),
        ("error: cannot run ssh: No such file or directory", git.GitProgramMissingError),
        ("fatal: the remote end hung up unexpectedly", git.RepositoryUnreachableError),
        ("", git.RepositoryUnreachableError),
    ],
)  # fmt: skip
def test_judge_failed_call_raises_the_error_that_fits(complaint, kind):
    with pytest.raises(kind) as told:
        outcomes.judge("h/a", failed(complaint))

    assert type(told.value) is kind
    assert "h/a" in str(told.value)


def test_judge_words_of_the_host_do_not_choose_the_error():
    complaint = "remote: fatal: couldn't find remote ref main\nfatal: early EOF"

    with pytest.raises(git.RepositoryUnreachableError):
        outcomes.judge("h/a", failed(complaint))


def push(status, complaint=""):
    output = f"To https://h/a\n!\tabc:refs/heads/main\t{status}\nDone\n"
    return Finished(1, output.encode(), complaint)


LOCK = "remote: error: cannot lock ref 'refs/heads/main': "


@pytest.mark.parametrize(
    ("done", "kind"),
    [
        (push("[rejected] (stale info)"), git.PushMovedError),
        (push("[rejected] (fetch first)"), git.PushMovedError),
        (push("[rejected] (non-fast-forward)"), git.PushMovedError),
        (push("[remote rejected] (failed to update ref)", LOCK + "is at a but expected b"), git.PushMovedError),
        (push("[remote rejected] (failed to update ref)", LOCK + "Unable to create 'x.lock'"), git.RefLockedError),
        (push("[remote rejected] (pre-receive hook declined)", "remote: no"), git.PushDeclinedError),
        (push("[remote rejected] (protected branch hook declined)", "remote: no"), git.PushDeclinedError),
        (push("[remote rejected] (unpacker error)"), git.RepositoryUnreachableError),
        (failed("fatal: the remote end hung up unexpectedly"), git.RepositoryUnreachableError),
        (failed("fatal: The requested URL returned error: 403"), git.AuthenticationRefusedError),
        (failed("error: git-remote-http died of signal 9"), git.PushCutOffError),
        (Finished(-9, b"", ""), git.PushCutOffError),
        (Finished(137, b"", ""), git.PushCutOffError),
        (failed("remote: error: unpack died of signal 9\nfatal: early EOF"), git.RepositoryUnreachableError),
        (failed("error: src refspec abc does not match any"), git.MirrorDamagedError),
    ],
)  # fmt: skip
def test_judge_push_refused_push_raises_the_error_that_fits(done, kind):
    with pytest.raises(kind) as told:
        outcomes.judge_push("h/a", done)

    assert type(told.value) is kind


@pytest.mark.parametrize(
    "status",
    [
        " \tabc:refs/heads/main\ta..b",
        "=\tabc:refs/heads/main\t[up to date]",
        "*\tabc:refs/heads/x\t[new branch]",
    ],
    ids=["forward", "same", "new"],
)
def test_judge_push_accepted_push_returns(status):
    done = Finished(
        0, f"To https://h/a\n{status}\nDone\n".encode(), "remote: \nremote: see https://h/pr"
    )

    assert outcomes.judge_push("h/a", done) is done


def test_judge_push_declined_carries_the_words_of_the_hook():
    complaint = (
        "remote: error: GH006: \x1b[31mProtected\x1b[0m branch\nremote: \nremote: 1 review missing"
    )

    with pytest.raises(git.PushDeclinedError) as told:
        outcomes.judge_push("h/a", push("[remote rejected] (hook declined)", complaint))

    assert told.value.why == "GH006: Protected branch; 1 review missing"


@given(st.text())
def test_spoken_any_text_is_one_short_printable_line(text):
    told = outcomes.spoken(text)

    assert len(told) <= outcomes.MAX_WORDS
    assert (
        all(letter.isprintable() or letter in "\xa0\u3000" for letter in told.replace(" ", ""))
        or told
    )
    assert not set(told) & set("\n\r\x1b\0\u202e")


def test_spoken_address_shows_no_user_info():
    assert "hunter2" not in outcomes.spoken("fatal: 'https://me:hunter2@h/a' is gone")
