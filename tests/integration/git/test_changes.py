"""What many commits change, read at once: every kind of change, within the limits, from a mirror without contents."""

import os
from dataclasses import astuple

import pytest

from onebox.world.git_host.merging import Merger
from tests.integration.git.scene import FILES, VALUES, plain_git
from updater.integrations import git
from updater.integrations.git import changes, process

ABSENT, FILE, PROGRAM, LINK, MODULE = "000000", "100644", "100755", "120000", "160000"
GONE = "ab" * 20
SOMEBODY = "Mei <mei@example.com>"


@pytest.fixture
def runs(monkeypatch):
    """The commands that were run as outside programs."""
    commands = []
    original = process.run

    def run(command, **options):
        commands.append(command)
        return original(command, **options)

    monkeypatch.setattr(process, "run", run)
    return commands


@pytest.fixture
def extend(origin):
    """Return a function that puts commits upon the branch, each a list of lines; their SHAs, oldest first."""

    def extend(*commits, branch="main", at=1_700_000_000):
        base = plain_git(origin, "rev-parse", branch)
        head = f"commit refs/heads/{branch}\ncommitter A <a@example.com> {at} +0000\ndata 1\nx\n"
        stream = [f"reset refs/heads/{branch}\nfrom {base}\n\n".encode()]
        stream += [head.encode() + b"".join(map(_line, lines)) + b"\n" for lines in commits]
        plain_git(origin, "fast-import", "--quiet", "--force", stdin=b"".join(stream))
        return plain_git(origin, "rev-list", "--reverse", f"{base}..{branch}").split()

    return extend


def _line(line):
    mode, path, content = line
    if mode == ABSENT:
        return f"D {path}\n".encode()
    if mode == MODULE:
        return f"M {mode} {content} {path}\n".encode()
    return f"M {mode} inline {path}\ndata {len(content)}\n".encode() + content + b"\n"


def told(found):
    return [astuple(change) for change in found]


STEPS = {
    "edit": ([(FILE, "a", b"1\n")], [("a", ABSENT, FILE, None, b"1\n")]),
    "again": ([(FILE, "a", b"2\n")], [("a", FILE, FILE, b"1\n", b"2\n")]),
    "mode": ([(PROGRAM, "a", b"2\n")], [("a", FILE, PROGRAM, b"2\n", b"2\n")]),
    "nothing": ([], []),
    "rename": (
        [(ABSENT, "a", b""), (PROGRAM, "d/b", b"2\n")],
        [("a", PROGRAM, ABSENT, b"2\n", None), ("d/b", ABSENT, PROGRAM, None, b"2\n")],
    ),
    "copy": ([(FILE, "d/c", b"2\n")], [("d/c", ABSENT, FILE, None, b"2\n")]),
    "link": ([(LINK, "d/c", b"/etc/passwd")], [("d/c", FILE, LINK, b"2\n", None)]),
    "linked": ([(LINK, "d/c", b"elsewhere")], [("d/c", LINK, LINK, None, None)]),
    "module": ([(MODULE, "d/c", GONE)], [("d/c", LINK, MODULE, None, None)]),
    "folder to file": (
        [(FILE, "d", b"")],
        [
            ("d", ABSENT, FILE, None, b""),
            ("d/b", PROGRAM, ABSENT, b"2\n", None),
            ("d/c", MODULE, ABSENT, None, None),
        ],
    ),
    "file to folder": (
        [(FILE, "d/x", b"\0\xff\r\n\0")],
        [("d", FILE, ABSENT, b"", None), ("d/x", ABSENT, FILE, None, b"\0\xff\r\n\0")],
    ),
    "binary": ([(FILE, "d/x", b"\n\n")], [("d/x", FILE, FILE, b"\0\xff\r\n\0", b"\n\n")]),
    "odd name": (
        [(FILE, 'r\u00e9 "x" \\y', b"1"), (FILE, GONE, b"2"), (FILE, ":colon", b"3")],
        [
            (":colon", ABSENT, FILE, None, b"3"),
            (GONE, ABSENT, FILE, None, b"2"),
            ('r\u00e9 "x" \\y', ABSENT, FILE, None, b"1"),
        ],
    ),
    "deletion": ([(ABSENT, "d/x", b"")], [("d/x", FILE, ABSENT, b"\n\n", None)]),
}


def test_changes_tells_every_kind_of_change_with_its_contents(mirror, extend):
    shas = extend(*(lines for lines, _ in STEPS.values()))
    mirror.fetch("main")

    found = mirror.changes(shas[::-1])

    assert list(found) == shas[::-1]
    assert {
        name: told(found[sha]) for name, sha in zip(STEPS, shas, strict=True)
    } == {name: expected for name, (_, expected) in STEPS.items()}  # fmt: skip


def test_changes_of_a_merge_and_of_a_first_commit_are_nothing(mirror, origin, extend):
    root = plain_git(origin, "rev-list", "--max-parents=0", "main")
    [ours] = extend([(FILE, VALUES, b"1")])
    tree = plain_git(origin, "rev-parse", f"{ours}^{{tree}}")
    merge = Merger(origin).commit(tree, [root, ours], "merge", SOMEBODY)
    plain_git(origin, "update-ref", "refs/heads/main", merge)
    mirror.fetch("main")

    found = mirror.changes([merge, ours, root])

    assert (found[merge], found[root]) == ((), ())
    assert told(found[ours]) == [(VALUES, FILE, FILE, FILES[VALUES], b"1")]


def test_changes_of_no_commits_is_nothing(mirror):
    mirror.fetch("main")

    assert mirror.changes([]) == {}


def _many(extend, count):
    return extend(*([(FILE, f"apps/{n % 7}.yaml", b"tag: %d\n" % n)] for n in range(count)))


def test_changes_of_many_commits_takes_as_many_processes_as_of_few(host, make_mirror, extend, runs):
    shas = _many(extend, 150)
    taken = {}
    for count in (2, 150):
        mirror = make_mirror(f"mirror-{count}")
        mirror.fetch("main")
        runs.clear()
        host.requests.clear()
        found = mirror.changes(shas[-count:])
        taken[count] = (len(runs), len(host.requests))
        assert all(len(lines) == 1 and lines[0].after for lines in found.values())
        assert mirror.reachable(shas[:count], shas[-1]) == frozenset(shas[:count])

    assert taken[150] == taken[2]
    assert taken[2][0] <= 5


def test_changes_in_parts_are_the_same(mirror, make_mirror, extend, monkeypatch):
    shas = _many(extend, 30)
    mirror.fetch("main")
    whole = mirror.changes(shas)
    monkeypatch.setattr("updater.integrations.git.mirror.COMMITS_AT_ONCE", 7)
    monkeypatch.setattr(changes, "CONTENTS_AT_ONCE", 3)
    monkeypatch.setattr(changes, "BYTES_AT_ONCE", 20)
    other = make_mirror("other")
    other.fetch("main")

    assert other.changes(shas) == whole


def test_changes_listed_beyond_the_limit_are_listed_in_halves(make_mirror, extend):
    mirror = make_mirror(limits=git.Limits(output_bytes=3000))
    shas = _many(extend, 40)  # about 150 bytes each
    mirror.fetch("main")

    assert sum(len(lines) for lines in mirror.changes(shas).values()) == 40


def test_changes_of_one_commit_beyond_the_limit_are_refused(make_mirror, extend):
    mirror = make_mirror(limits=git.Limits(output_bytes=3000))
    shas = extend([(FILE, "a", b"1")], [(FILE, f"x/{n}", b"1") for n in range(40)])
    mirror.fetch("main")

    with pytest.raises(git.RepositoryTooLargeError):
        mirror.changes(shas)


def test_changes_g08_contents_that_are_large_together_are_fetched_in_halves(
    mirror, extend, monkeypatch
):
    monkeypatch.setattr("updater.integrations.git.host.FEW_FILES_BYTES", 256 * 1024)
    shas = extend(*([(FILE, "a", os.urandom(100 * 1024))] for _ in range(6)))
    mirror.fetch("main")

    found = mirror.changes(shas)

    assert [len(found[sha][0].after) for sha in shas] == [100 * 1024] * 6


def test_changes_g08_large_file_is_never_downloaded_whole(mirror, extend, monkeypatch):
    monkeypatch.setattr("updater.integrations.git.host.FEW_FILES_BYTES", 1024 * 1024)
    shas = extend([(FILE, "a", b"1")], [(FILE, VALUES, os.urandom(4 * 1024 * 1024))])
    mirror.fetch("main")

    with pytest.raises(git.BlobTooLargeError):
        mirror.changes(shas)


def test_changes_g08_well_compressed_file_is_refused_by_name(mirror, extend):
    shas = extend([(FILE, "a", b"1")], [(FILE, VALUES, bytes(1024 * 1024 + 1))])
    mirror.fetch("main")

    with pytest.raises(git.BlobTooLargeError, match=VALUES):
        mirror.changes(shas)


def test_changes_g08_files_of_exactly_the_limit_are_read(mirror, extend):
    shas = extend(*([(FILE, "a", b"%d" % n * 1024 * 1024)] for n in range(3)))
    mirror.fetch("main")

    found = mirror.changes(shas)

    assert [len(found[sha][0].after) for sha in shas] == [1024 * 1024] * 3


def test_changes_g08_commit_that_is_large_in_all_is_refused(mirror, extend, monkeypatch):
    monkeypatch.setattr(changes, "MAX_COMMIT_BYTES", 5000)
    small, large = extend(
        [(FILE, "a", bytes(4000))], [(FILE, "b", b"1" * 3000), (FILE, "c", b"2" * 3000)]
    )
    mirror.fetch("main")

    assert len(mirror.changes([small])[small]) == 1
    with pytest.raises(git.BlobTooLargeError, match=large):
        mirror.changes([small, large])


def test_changes_of_a_file_with_control_characters_are_refused_whatever_it_holds(mirror, extend):
    [sha] = extend([(FILE, '"a\\033[2Jb"', b"1"), (FILE, "z", b"1")])
    mirror.fetch("main")

    with pytest.raises(git.TargetNotAFileError):
        mirror.changes([sha])


def test_changes_of_a_commit_that_is_not_there_are_refused(mirror, extend):
    shas = _many(extend, 2)
    mirror.fetch("main")

    with pytest.raises(git.MirrorDamagedError, match=GONE):
        mirror.changes([*shas, GONE])
    with pytest.raises(git.CommitNotFoundError):
        mirror.changes([*shas, "--all"])


def test_changes_from_a_host_that_serves_no_single_contents_are_read(mirror, origin, extend):
    plain_git(origin, "config", "uploadpack.allowFilter", "false")
    shas = _many(extend, 5)
    mirror.fetch("main")

    assert all(lines[0].after for lines in mirror.changes(shas).values())


@pytest.mark.parametrize("ending", ["pack", "idx"])
def test_changes_g23_half_file_of_a_pack_is_fetched_again(mirror, extend, tmp_path, ending):
    shas = _many(extend, 5)
    mirror.fetch("main")
    whole = mirror.changes(shas)
    for path in (tmp_path / "mirrors" / "mirror" / "objects" / "pack").glob(f"*.{ending}"):
        path.chmod(0o600)
        path.write_bytes(path.read_bytes()[:20])

    assert mirror.changes(shas) == whole


def test_changes_g23_content_that_is_another_than_its_name_is_fetched_again(
    mirror, extend, tmp_path
):
    [sha] = extend([(FILE, VALUES, b"right\n")])
    tip = mirror.fetch("main")
    folder = tmp_path / "mirrors" / "mirror"
    right = plain_git(folder, "rev-parse", f"{tip}:{VALUES}")
    wrong = plain_git(folder, "hash-object", "-w", "--stdin", stdin=b"wrong\n")
    objects = folder / "objects"
    (objects / right[:2]).mkdir(exist_ok=True)
    (objects / wrong[:2] / wrong[2:]).rename(objects / right[:2] / right[2:])

    assert mirror.changes([sha])[sha][0].after == b"right\n"


def test_reachable_is_what_stands_in_the_history(mirror, origin, extend):
    shas = _many(extend, 3)
    plain_git(origin, "branch", "other", shas[0])
    [aside] = extend([(FILE, "a", b"1")], branch="other")
    mirror.fetch("main")
    mirror.fetch("other")

    found = mirror.reachable([*shas, aside, GONE], shas[1])

    assert found == {shas[0], shas[1]}
    assert mirror.reachable([], shas[1]) == frozenset()


def test_reachable_where_clocks_went_wrong_is_still_right(mirror, origin, extend):
    now = plain_git(origin, "rev-parse", "main")
    shas = extend(*([(FILE, "a", b"%d" % n)] for n in range(200)), at=1_000_000_000)
    mirror.fetch("main")

    assert mirror.reachable([now], shas[-1]) == {now}


def test_reachable_in_a_history_beyond_the_limit_is_still_told(make_mirror, extend):
    mirror = make_mirror(limits=git.Limits(output_bytes=300))
    shas = _many(extend, 20)
    mirror.fetch("main")

    assert mirror.reachable([shas[0], shas[-1], GONE], shas[-2]) == {shas[0]}


def test_reachable_from_a_commit_that_is_gone_is_named(mirror, extend):
    shas = _many(extend, 1)
    mirror.fetch("main")

    with pytest.raises(git.CommitNotFoundError, match=GONE):
        mirror.reachable(shas, GONE)
    with pytest.raises(git.CommitNotFoundError):
        mirror.reachable(["HEAD"], shas[0])
