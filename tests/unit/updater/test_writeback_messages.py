"""Commit messages, branch names and trailers (specification 3.3.2, 3.3.4, 3.3.6)."""

import hashlib
import re
import shutil
import subprocess
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from updater.configuration.model import (
    ApplicationConfiguration,
    ImageConfiguration,
    Target,
    WriteBack,
)
from updater.images import ImageReference
from updater.writeback import ImageChange, WriteBackError, messages

FOO = ImageConfiguration("foo", ImageReference("ghcr.io", "foo/bar"))
BAR = ImageConfiguration("", ImageReference("", "bar/baz"))
PAIRS = [
    (FOO, ImageChange("foo", "1.1", None, "1.0", "1.1", {"team": "web"})),
    (BAR, ImageChange("bar/baz", "2.1", None, "2.0", "2.1")),
]
VECTOR = "0fcc2782543e4bb067c174c21bf44eb947f3e55c0d62c403e359c1c209cbd041"
TARGET = Target("argocd-source", "apps/shop/.argocd-source-shop.yaml")


def configured(name="foobar", **write_back):
    """Return an Application that writes to git."""
    settings_ = {
        "method": "git",
        "repository": "https://git.example.com/x.git",
        "base_branch": "main",
    }
    return ApplicationConfiguration(
        "argocd", name, managed=True, images=(FOO, BAR),
        write_back=WriteBack(**{**settings_, "target": TARGET, **write_back}),
    )  # fmt: skip


def message(template=None, *, pairs=PAIRS, exact=False, name="foobar"):
    """Return the commit message and its warnings."""
    return messages.message(configured(name), pairs, template, exact=exact)


def branch(template, *, pairs=PAIRS, exact=False, **write_back):
    """Return the branch."""
    return messages.branch(configured(write_branch=template, **write_back), pairs, exact=exact)


@pytest.mark.parametrize("template", [None, "", " \n"], ids=repr)
@pytest.mark.parametrize("exact", [False, True], ids=["default", "exact"])
def test_message_built_in_is_the_specification_s(template, exact):
    text, warnings = message(template, exact=exact)

    assert text == (
        "build: automatic update of foobar\n\n"
        "updates image foo/bar tag '1.0' to '1.1'\n"
        "updates image bar/baz tag '2.0' to '2.1'\n"
    )
    assert warnings == []


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{.AppName}}", "foobar"),
        ("{{range .AppChanges}}{{.Image}}:{{.NewTag}}<{{.OldTag}};{{end}}", "foo/bar:1.1<1.0;bar/baz:2.1<2.0;"),
        ("{{(index .AppChanges 0).Labels.team}}", "web"),
        ("{{range .AppChanges}}{{len .Labels}}{{end}}", "10"),
    ],
)  # fmt: skip
def test_message_template_sees_the_documented_fields(template, expected):
    assert message(template) == (expected, [])


def test_message_template_that_cannot_be_rendered_falls_back_with_a_warning():
    text, warnings = message("{{.Missing}}")

    assert text == "build: update of application foobar"
    assert "there is no field .Missing" in warnings[0]


def test_message_template_that_is_not_understood_is_refused():
    with pytest.raises(WriteBackError, match="line 1, column 3: nope is not supported"):
        message("{{nope}}")


def test_message_g26_values_are_reduced_to_one_line():
    evil = ImageChange("foo", "1", None, "1\nPromotion-Id: other", "2\r\u2028x", {"a\nb": "c\nd"})

    text, _ = message(
        "{{.AppName}}|{{range .AppChanges}}{{.OldTag}}|{{.NewTag}}|{{.Labels}}{{end}}",
        pairs=[(FOO, evil)],
        name="a\nCo-authored-by: x",
    )

    assert text == "a Co-authored-by: x|1 Promotion-Id: other|2 x|map[a b:c d]"


def test_changes_hash_is_the_specification_s_vector():
    assert messages.changes_hash(PAIRS[:1]) == VECTOR
    assert (
        messages.changes_hash(PAIRS)
        == hashlib.sha256(b"foo/bar-1.0-1.1,bar/baz-2.0-2.1,").hexdigest()
    )


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("image-updater{{range .Images}}-{{.Name}}-{{.NewTag}}{{end}}", "image-updater-foo/bar-1.1-bar/baz-2.1"),
        ("up-{{.SHA256}}", f"up-{hashlib.sha256(b'foo/bar-1.0-1.1,bar/baz-2.0-2.1,').hexdigest()}"),
        ("x{{range .Images}}-{{.Alias}}-{{.OldTag}}{{end}}", "x-foo-1.0--2.0"),
        ("x{{.AppName}}{{.AppNamespace}}{{.TargetKey}}", "x"),
        ("plain", "plain"),
        (None, "main"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("exact", [False, True], ids=["default", "exact"])
def test_branch_is_rendered_or_the_base(template, expected, exact):
    assert branch(template, exact=exact) == expected


def test_branch_prefix_of_git_is_left_out():
    assert branch("refs/heads/x") == "x"


def test_branch_unknown_base_stays_unknown():
    assert messages.branch(configured(base_branch=None), PAIRS, exact=False) is None


def test_branch_a11_beyond_255_bytes_is_refused_and_cut_only_when_exact():
    template = "é" * 130

    with pytest.raises(WriteBackError, match="260 bytes, more than 255"):
        branch(template)
    assert branch(template, exact=True) == "é" * 127
    assert branch("x" * 300, exact=True) == "x" * 255
    assert branch("x" * 255) == "x" * 255


@pytest.mark.parametrize(
    "template",
    ["a..b", "-x", "--upload-pack=touch pwned;git-upload-pack", "a b", "x.lock", "@",
     "a\n", "{{range .Images}}{{end}}", "x:y", "a\x00", "HEAD~1", "/x", "x/"],
)  # fmt: skip
def test_branch_a08_a11_what_is_no_branch_is_refused(template):
    with pytest.raises(WriteBackError):
        branch(template)


@pytest.mark.parametrize("template", ["{{.Missing}}", "{{nope}}", "{{range .Images}}{{.X}}{{end}}"])
@pytest.mark.parametrize("exact", [False, True], ids=["default", "exact"])
def test_branch_a10_template_that_cannot_be_rendered_is_refused(template, exact):
    with pytest.raises(WriteBackError, match="The branch template"):
        branch(template, exact=exact)


def test_branch_exact_empty_is_refused():
    with pytest.raises(WriteBackError, match="renders to nothing"):
        branch("{{range .Images}}{{end}}", exact=True)


def test_branch_of_a_pull_request_is_key_and_hash():
    key = hashlib.sha256(f"https://git.example.com/x.git|main|{TARGET.path}".encode()).hexdigest()[
        :8
    ]

    name = messages.branch(configured(pull_request="github"), PAIRS[:1], exact=False)

    assert name == f"image-updater-{key}-{VECTOR}"


def test_trailers_stand_last_each_on_one_line():
    text = messages.trailers(
        "title\n\nbody\n\n\n", [("Promotion-Id", "1"), ("Approved-by", "A\nB <x>")]
    )

    assert text == "title\n\nbody\n\nPromotion-Id: 1\nApproved-by: A B <x>\n"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("", "Update parameters\n\nId: 1\n"),
        ("a\nId: 2\n", "a\nId - 2\n\nId: 1\n"),
        ("a\n  iD : 2", "a\n  iD  - 2\n\nId: 1\n"),
        ("a\r\nID: 2\rx\u2028Id:3", "a\nID - 2\nx\nId -3\n\nId: 1\n"),
        ("a\n---\nb", "a\n ---\nb\n\nId: 1\n"),
        ("a Id: 2", "a Id: 2\n\nId: 1\n"),
        ("a\nOther: 2", "a\nOther: 2\n\nId: 1\n"),
    ],
    ids=repr,
)
def test_trailers_g26_lines_that_look_like_ours_lose_their_colon(message, expected):
    assert messages.trailers(message, [("Id", "1")]) == expected


def test_trailers_none_leave_the_message():
    assert messages.trailers("title\n", []) == "title\n"


@pytest.mark.parametrize("key", ["", "a b", "a:", "-x", "é"])
def test_trailers_odd_key_is_refused(key):
    with pytest.raises(WriteBackError, match="not the name of a trailer"):
        messages.trailers("x", [(key, "1")])


HOSTILE = st.lists(
    st.sampled_from(
        [
            "Promotion-Id: other",
            "promotion-id:x",
            "\n",
            "\r",
            "\n\n",
            "---",
            " ",
            "text",
            "\x0b",
            "\u2028",
        ]
    )
    | st.text(max_size=8),
    max_size=12,
).map("".join)


@settings(deadline=None, max_examples=100)
@given(HOSTILE, HOSTILE)
def test_trailers_g26_parsing_yields_exactly_ours(message_, value):
    text = messages.trailers(message_, [("Promotion-Id", "ours"), ("Note", value)])

    found = [line for line in re.split(r"[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", text)
             if re.match(r"(?i)\s*promotion-id\s*:", line)]  # fmt: skip
    assert found == ["Promotion-Id: ours"]
    assert text.rstrip("\n").splitlines()[-2] == "Promotion-Id: ours"


@pytest.mark.parametrize(
    "body", ["t\n\nPromotion-Id: other", "t\n\nSigned-off-by: a\nPromotion-Id: b\n", "---\nx"]
)
def test_trailers_g26_git_finds_exactly_ours(body):
    text = messages.trailers(body, [("Promotion-Id", "ours")])

    command = [shutil.which("git"), "interpret-trailers", "--parse"]
    parsed = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout

    assert parsed == "Promotion-Id: ours\n"


def test_target_key_without_a_target_is_still_eight_digits():
    configuration = replace(configured(), write_back=WriteBack())

    assert re.fullmatch("[0-9a-f]{8}", messages.target_key(configuration))
