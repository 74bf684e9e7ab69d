"""Images in a kustomization file (specification 3.7)."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from updater.overrides import kustomization
from updater.overrides.errors import OverrideError
from updater.overrides.image_strings import ImageString

CALMLY = settings(deadline=None, max_examples=60)  # a busy machine is no failure
DIGEST = "sha256:" + "ab" * 32
BOTH_MODES = pytest.mark.parametrize("exact", [False, True], ids=["default", "exact"])


def edited(before, *strings, exact=False):
    """Return the outcome of writing image strings."""
    elements = [kustomization.element(ImageString(text, "app")) for text in strings]
    return kustomization.write(before.encode(), elements, exact=exact)


def written(before, *strings, exact=False):
    """Return the file as text."""
    return edited(before, *strings, exact=exact).content.decode()


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("baz=foo:bar", {"name": "baz", "newName": "foo", "newTag": "bar"}),
        (f"acme/app@{DIGEST}", {"name": "acme/app", "digest": DIGEST}),
        ("bar:123", {"name": "bar", "newTag": "123"}),
        (f"ghcr.io/a/b:1@{DIGEST}", {"name": "ghcr.io/a/b", "newTag": "1", "digest": DIGEST}),
        ("a=ghcr.io/a/b", {"name": "a", "newName": "ghcr.io/a/b"}),
    ],
)
def test_element_vectors_of_the_specification(text, fields):
    assert kustomization.element(ImageString(text)).fields == fields


@BOTH_MODES
@pytest.mark.parametrize(
    ("before", "text", "after"),
    [
        (
            "resources:\n- a.yaml\n",
            "bar:123",
            'resources:\n- a.yaml\nimages:\n- name: bar\n  newTag: "123"\n',
        ),
        (
            "x:\n  - y\n\nimages:\n  - name: x\n# end\n",
            "baz=foo:bar",
            "x:\n  - y\n\nimages:\n  - name: x\n  - name: baz\n    newName: foo\n    newTag: bar\n# end\n",
        ),
        ("images: []\nx: 1\n", "a:v1", "images:\n- name: a\n  newTag: v1\nx: 1\n"),
        ("images:\nx: 1\n", "a:v1", "images:\n- name: a\n  newTag: v1\nx: 1\n"),
        (
            "resources:\n  - a\n",
            "a:v1",
            "resources:\n  - a\nimages:\n  - name: a\n    newTag: v1\n",
        ),
        (
            "---\n# c\nimages:\n- name: a # n\n\n  newTag: v1 # t\n",
            "a:v2",
            "---\n# c\nimages:\n- name: a # n\n\n  newTag: v2 # t\n",
        ),
        (
            "images:\n- newTag: v1\n  name: a\n  digest: x\nz: 1\n",
            "a:v2",
            "images:\n- newTag: v2\n  name: a\nz: 1\n",
        ),
        (
            "images:\n- digest: x\n  name: a\n",
            "a:v2",
            "images:\n- name: a\n  newTag: v2\n",
        ),
        (
            "images: [{name: a, newTag: v1, digest: x}, {name: b}]\n",
            "a:v2",
            "images: [{name: a, newTag: v2}, {name: b}]\n",
        ),
        ("images: [{name: b}]\n", "a:v2", "images: [{name: b}, {name: a, newTag: v2}]\n"),
        ("{resources: [a]}", "a:v2", "{resources: [a], images: [{name: a, newTag: v2}]}"),
        ("{images: [], x: y}", "a:v2", "{images: [{name: a, newTag: v2}], x: y}"),
        (
            "images:\r\n- name: a\r\n  newTag: v1",
            "a:v2",
            "images:\r\n- name: a\r\n  newTag: v2",
        ),
        (
            "images:\n- name: a\n  newTag:\n  newName: old\n",
            "a:v2",
            "images:\n- name: a\n  newTag: v2\n",
        ),
    ],
    ids=repr,
)  # fmt: skip
def test_write_changes_the_elements_only(before, text, after, exact):
    assert written(before, text, exact=exact) == after


def test_write_keys_and_quotes_of_others_stay_unless_exact():
    before = "images:\n- name: a\n  newTag: 'v1'\n  tagSuffix: -x\n"

    assert written(before, "a:v2") == before.replace("'v1'", "'v2'")
    assert written(before, "a:v2", exact=True) == "images:\n- name: a\n  newTag: v2\n"


def test_write_misread_tag_is_quoted_unless_exact():
    before = "images:\n- name: a\n  newTag: v1\n"

    assert written(before, "a:123e456") == before.replace("v1", '"123e456"')
    assert written(before, "a:123e456", exact=True) == before.replace("v1", "123e456")


def test_write_digest_and_tag_are_both_written():
    after = written("images:\n- name: a\n  newTag: v1\n", f"a:v2@{DIGEST}")

    assert after == f"images:\n- name: a\n  newTag: v2\n  digest: {DIGEST}\n"


def test_write_tells_old_and_new_values_and_what_was_removed():
    outcome = edited("images:\n- name: a\n  newTag: v1\n  digest: x\n", "a:v2", "b=c:1")

    assert [(edit.key, edit.old, edit.new, edit.image) for edit in outcome.edits] == [
        ("images.a.digest", "x", "", "app"),
        ("images.a.newTag", "v1", "v2", "app"),
        ("images.b.newName", None, "c", "app"),
        ("images.b.newTag", None, "1", "app"),
    ]


@BOTH_MODES
def test_write_same_image_changes_nothing(exact):
    before = "images:\n- newTag: v1\n  name: a\n"

    outcome = edited(before, "a:v1", exact=exact)

    assert (outcome.content.decode(), outcome.edits) == (before, ())


@BOTH_MODES
@pytest.mark.parametrize(
    "before",
    ["", "# c\n", "- a\n", "text\n", "a: 1\n---\nb: 1\n", "images: {a: b}\n", "images:\n- a\n",
     "images:\n- newTag: v1\n", "images: text\n", "a: 1\na: 2\n", "images:\n- name: a\n  newTag: [x]\n",
     "images:\n- &x {name: a, newTag: v1}\nother: *x\n", "{}\n"],
    ids=repr,
)  # fmt: skip
def test_write_what_is_no_plain_kustomization_is_refused(before, exact):
    with pytest.raises(OverrideError):
        written(before, "a:v2", exact=exact)


def test_names_lists_the_images_of_the_file():
    assert kustomization.names(b"images:\n- name: a\n- {name: b/c}\n") == ["a", "b/c"]
    assert kustomization.names(b"images:\nx: 1\n") == []


TAGS = st.from_regex(r"[a-c0-9_][a-c0-9._-]{0,6}", fullmatch=True)
STYLES = st.sampled_from(["  newTag: {}\n", "  newTag: '{}' # c\n", '\n  newTag: "{}"\n', ""])


@CALMLY
@given(TAGS, TAGS, STYLES, st.booleans())
def test_write_any_tag_is_read_back_and_others_stay(old, new, style, exact):
    before = "x: 1 # c\nimages:\n- name: z\n- name: a\n" + style.format(old) + "y: [2]\n"

    after = written(before, f"a:{new}", exact=exact)

    assert yaml.safe_load(after) == {
        "x": 1,
        "images": [{"name": "z"}, {"name": "a", "newTag": new}],
        "y": [2],
    }
