"""`explain tags`: input and output of the subcommand; the rules themselves are tested with selection."""

import argparse
import json
from datetime import UTC, datetime, timedelta

import pytest

from updater.errors import TransientError
from updater.explain import tags
from updater.selection import Rules, Strategy, TagFacts

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
DIGEST = "sha256:" + "ab" * 32


@pytest.fixture
def explain(tmp_path):
    def run(*arguments, entries=None, fetch=None, at=None):
        parser = argparse.ArgumentParser()
        tags.add_arguments(parser)
        if entries is not None:
            path = tmp_path / "tags.json"
            path.write_text(json.dumps(entries))
            arguments = (*arguments, "--tags-file", str(path))
        return tags.run(vars(parser.parse_args(arguments)), fetch=fetch, at=at)

    return run


def named(*names):
    return [{"name": name} for name in names]


def test_run_gives_the_choice_and_a_verdict_per_tag(explain):
    result, status = explain(
        "web=nginx:^1.2",
        "--ignore-tags",
        "*-rc*",
        entries=named("1.3.0", "1.2.0", "1.4.0-rc1", "2"),
    )

    assert status == 0
    assert result == {
        "chosen": "1.3.0",
        "error": None,
        "verdicts": [
            {
                "tag": "1.3.0",
                "verdict": "chosen",
                "reason": "highest version that satisfies the constraint ^1.2",
            },
            {"tag": "1.2.0", "verdict": "candidate", "reason": "lower than 1.3.0"},
            {"tag": "1.4.0-rc1", "verdict": "rejected", "reason": "ignored by *-rc*"},
            {
                "tag": "2",
                "verdict": "rejected",
                "reason": "does not satisfy the constraint ^1.2",
            },
        ],
    }


@pytest.mark.parametrize(
    ("arguments", "chosen"),
    [
        pytest.param(["nginx"], "2.0", id="no-constraint"),
        pytest.param(["nginx:~1.2"], "1.2.5", id="constraint"),
        pytest.param(["a=nginx:>=1.0 <1.3"], "1.2.5", id="equals-and-blank"),
        pytest.param(["a=nginx:>=1.0, <1.3"], "1.2.5", id="comma"),
        pytest.param(["a=reg:5000/x/nginx:~1.2"], "1.2.5", id="port"),
        pytest.param(["nginx", "--ignore-tags", "2*", "--ignore-tags", "1.3*"], "1.2.5", id="two"),
        pytest.param(["nginx", "--ignore-tags", "2*, 1.3*,"], "1.2.5", id="comma-list"),
        pytest.param(["nginx", "--allow-tags", "regexp:^1\\.2"], "1.2.5", id="allow"),
        pytest.param(["nginx", "--allow-tags", "any"], "2.0", id="any"),
        pytest.param(["nginx", "--strategy", "alphabetical"], "main-b", id="alphabetical"),
        pytest.param(["nginx", "--strategy", "NAME"], "main-b", id="old-name"),
        pytest.param(["nginx:~9"], None, id="no-candidate"),
        pytest.param(["nginx", "--strategy", "newest-build"], None, id="no-dates-in-the-file"),
        pytest.param(["nginx:2.0", "--strategy", "digest"], None, id="no-digests-in-the-file"),
    ],
)
def test_run_follows_its_options(explain, arguments, chosen):
    entries = named("1.2.0", "1.2.5", "1.3.0", "2.0", "main-a", "main-b")

    result, status = explain(*arguments, entries=entries)

    assert (result["chosen"], result["error"], status) == (chosen, None, 0)
    assert len(result["verdicts"]) == len(entries)


def test_run_when_metadata_is_not_in_the_file_says_so_per_tag(explain):
    result, _ = explain("nginx", "--strategy", "newest-build", entries=named("a", "b"))

    assert {verdict["reason"] for verdict in result["verdicts"]} == {
        "metadata not known: when it was built"
    }


def test_run_digest_gives_the_value_that_would_be_written(explain):
    entries = [{"name": "latest", "digest": DIGEST}, {"name": "1.0"}]

    result, status = explain("nginx:latest", "--strategy", "digest", entries=entries)

    assert (result["chosen"], status) == (f"latest@{DIGEST}", 0)


def test_run_newest_build_takes_dates_of_any_time_from_a_file(explain):
    entries = [
        {"name": "a", "created": "2026-11-20T10:00:00Z", "platforms": ["linux/amd64"]},
        {"name": "b", "created": "2999-11-20T10:00:00Z", "platforms": ["linux/amd64"]},
        {"name": "c", "created": "3000-11-20T10:00:00Z", "platforms": ["linux/arm64"]},
    ]

    on_amd64, _ = explain("x/y", "--strategy", "latest", entries=entries, at=NOON)
    on_arm64, _ = explain(
        "x/y", "--strategy", "latest", "--platform", "linux/arm64", entries=entries, at=NOON
    )

    assert (on_amd64["chosen"], on_arm64["chosen"]) == ("b", "c")


@pytest.mark.parametrize("running", ["2.5.0", f"2.5.0@{DIGEST}"])
def test_run_marks_a_downgrade(explain, running):
    result, _ = explain("nginx:~1.4", "--running", running, entries=named("1.4.2", "2.5.0"))

    assert result["verdicts"][0]["reason"].endswith("; a downgrade from 2.5.0")
    assert result["verdicts"][1]["reason"].endswith("; it runs now")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["nginx:latest"], "constraint 'latest' is not understood", id="constraint"),
        pytest.param(["nginx", "--strategy", "digest"], "without a version", id="no-constraint"),
        pytest.param(["nginx", "--strategy", "os.system"], "update-strategy", id="a23-strategy"),
        pytest.param(["nginx", "--strategy", "LATEST "], "update-strategy", id="a23-blank"),
        pytest.param(["nginx", "--allow-tags", "regexp:("], "not valid RE2", id="a20-expression"),
        pytest.param(["nginx", "--allow-tags", "foo"], "write any or regexp", id="a20-word"),
        pytest.param(["nginx:>=1.0"], "needs an alias", id="equals-without-alias"),
        pytest.param(["Nginx"], "lower-case", id="a17-capital"),
        pytest.param(["web="], "names no image", id="a17-alias-alone"),
        pytest.param(["x" * 5000], "longer than 4096", id="a17-5-kib"),
        pytest.param(["nginx", "--registries-conf", "/none/x"], "cannot be read", id="no-conf"),
    ],
)
def test_run_when_the_input_is_refused_says_why_and_exits_1(explain, arguments, message):
    result, status = explain(*arguments, entries=named("1.0", "latest"))

    assert status == 1
    assert result["chosen"] is None
    assert message in result["error"]
    assert all(verdict["verdict"] == "rejected" for verdict in result["verdicts"])


@pytest.mark.parametrize(
    ("arguments", "chosen"),
    [
        pytest.param(["nginx:>=1.0"], "2.0", id="alias-up-to-the-first-equals"),
        pytest.param(["nginx", "--strategy", "os.system"], "2.0", id="unknown-strategy-is-semver"),
        pytest.param(["nginx", "--allow-tags", "regexp:("], None, id="bad-expression-no-tag"),
    ],
)
def test_run_when_exact_follows_upstream(explain, arguments, chosen):
    result, status = explain(*arguments, "--exact", entries=named("0.9", "2.0"))

    assert (result["chosen"], result["error"], status) == (chosen, None, 0)


def test_run_when_exact_misreads_a_port_with_a_constraint_as_upstream(explain):
    result, status = explain("registry:5000/app:^1", "--exact", entries=named("1.0"))

    assert "5000/app:^1" in result["error"]
    assert status == 1


def test_run_when_the_file_is_bad_names_the_entry_and_judges_nothing(explain):
    result, status = explain("nginx", entries=[{"name": "1.0"}, {"nam": "x"}])

    assert status == 1
    assert "entry 1" in result["error"]
    assert result["verdicts"] == []


def test_run_r15_tag_no_registry_could_hold_is_rejected(explain):
    result, status = explain("nginx", entries=named("1.0", "v9\u202e", "../9", "9 9", "9.0+b"))

    assert (result["chosen"], status) == ("1.0", 0)
    assert result["verdicts"][1]["tag"] == "v9\\u202e"


@pytest.mark.parametrize(
    ("mode", "chosen"), [("latest-first", "b"), ("latest-last", "a"), ("none", None)]
)
def test_run_takes_the_sort_mode_from_registries_conf(explain, tmp_path, mode, chosen):
    conf = tmp_path / "registries.conf"
    conf.write_text(
        "registries:\n- name: r\n  prefix: reg.example\n  api_url: https://reg.example\n"
        f"  tagsortmode: {mode}\n"
    )

    result, _ = explain(
        "reg.example/a/b",
        "--strategy",
        "newest-build",
        "--registries-conf",
        str(conf),
        entries=named("b", "c", "a"),
    )

    assert result["chosen"] == chosen


def test_run_when_registries_conf_is_bad_is_refused(explain, tmp_path):
    conf = tmp_path / "registries.conf"
    conf.write_text("registries:\n- nonsense: 1\n")

    result, status = explain("nginx", "--registries-conf", str(conf), entries=named("1.0"))

    assert status == 1
    assert result["error"]


def test_run_without_a_file_asks_the_registry(explain):
    asked = []

    def fetch(*arguments):
        asked.append(arguments)
        return [TagFacts("a", created=NOON), TagFacts("b", created=NOON + timedelta(days=2))]

    result, status = explain(
        "reg.example/a/b",
        "--strategy",
        "newest-build",
        "--credentials",
        "env:X",
        fetch=fetch,
        at=NOON,
    )

    [(entry, rules, conf, credentials)] = asked
    assert (entry.reference.repository, conf, credentials) == ("a/b", None, "env:X")
    assert rules == Rules(Strategy.NEWEST_BUILD)
    assert (result["chosen"], status) == ("a", 0)
    assert "future" in result["verdicts"][1]["reason"]


def test_run_when_the_registry_does_not_answer_gives_its_sentence(explain):
    def fetch(*_arguments):
        raise TransientError("reg.example does not answer")

    result, status = explain("reg.example/a/b", fetch=fetch)

    assert (result["error"], status) == ("reg.example does not answer", 1)


def test_run_without_a_file_or_a_registry_is_refused(explain):
    result, status = explain("nginx")

    assert "give --tags-file" in result["error"]
    assert status == 1
