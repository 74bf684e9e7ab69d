"""Kustomize images in the override file, and which strings are about one image (3.2, 3.5)."""

import pytest

from updater.overrides import image_strings, kustomize_source, scalars
from updater.overrides.errors import OverrideError
from updater.overrides.image_strings import ImageString

DIGEST, OTHER = "sha256:" + "ab" * 32, "sha256:" + "cd" * 32
BOTH_MODES = pytest.mark.parametrize("exact", [False, True], ids=["default", "exact"])


def written(strings, *new, exact=False):
    """Return the image strings of a file of ours after an edit."""
    before = "kustomize:\n  images:\n" + "".join(f"  - {text}\n" for text in strings)
    edited = kustomize_source.write(
        before.encode() if strings else None, [ImageString(text) for text in new], exact=exact
    )
    return kustomize_source.strings(edited.content)


@BOTH_MODES
def test_write_without_a_file_is_the_bytes_of_the_specification(exact):
    new = [ImageString("ghcr.io/acme/app:1.2.3"), ImageString("old/name=ghcr.io/acme/other:2.0.0")]

    edited = kustomize_source.write(None, new, exact=exact)

    assert edited.content.decode() == (
        "kustomize:\n  images:\n  - ghcr.io/acme/app:1.2.3\n  - old/name=ghcr.io/acme/other:2.0.0\n"
    )


@BOTH_MODES
@pytest.mark.parametrize(
    ("strings", "new", "after"),
    [
        (["nginx:foo"], "nginx", ["nginx:foo"]),
        (["nginx"], "nginx:latest", ["nginx:latest"]),
        (["docker.io/jannfis/foobar:1.0.0"], "jannfis/foobar:1.0.1", ["jannfis/foobar:1.0.1"]),
        (
            ["quay.io/nginx:latest"],
            "docker.io/nginx:latest",
            ["quay.io/nginx:latest", "docker.io/nginx:latest"],
        ),
        (["nginx:1"], "nginx:1", ["nginx:1"]),
        (
            [f"app:1@{DIGEST}"],
            f"app:2@{OTHER}",
            [f"app:2@{OTHER}"],
        ),
        (["a=x/y:1", "b/c:2"], "a=x/y:2", ["a=x/y:2", "b/c:2"]),
        (["a:1", "b:1"], "c:1", ["a:1", "b:1", "c:1"]),
        (["not an image!", "a:1"], "a:2", ["not an image!", "a:2"]),
        (["x" * 5000, "a:1"], "a:2", ["x" * 5000, "a:2"]),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_write_vectors_of_the_specification(strings, new, after, exact):
    assert written(strings, new, exact=exact) == after


def test_write_same_digest_keeps_the_string_only_when_exact():
    strings, new = [f"app:1@{DIGEST}"], f"app:2@{DIGEST}"

    assert written(strings, new, exact=True) == strings
    assert written(strings, new) == [new]


def test_write_stale_digest_beside_the_right_tag_is_replaced_unless_exact():
    strings = [f"app:1@{DIGEST}"]

    assert written(strings, "app:1") == ["app:1"]
    assert written(strings, "app:1", exact=True) == strings


def test_write_other_replaced_name_is_another_entry_unless_exact():
    assert written(["a=x:1"], "b=x:2") == ["a=x:1", "b=x:2"]
    assert written(["a=x:1"], "b=x:2", exact=True) == ["b=x:2"]


def test_write_default_keeps_comments_and_quotes():
    before = b"# c\nkustomize:\n    images: # list\n        - 'a:1' # one\n        - b:1\nx: 1\n"

    edited = kustomize_source.write(before, [ImageString("a:2", "a"), ImageString("c:1", "c")])

    assert edited.content == before.replace(b"a:1", b"a:2").replace(
        b"- b:1\n", b"- b:1\n        - c:1\n"
    )
    assert [(edit.key, edit.old, edit.new, edit.image) for edit in edited.edits] == [
        ("kustomize.images.a", "a:1", "a:2", "a"),
        ("kustomize.images.c", None, "c:1", "c"),
    ]


def test_write_flow_list_stays_flow():
    edited = kustomize_source.write(b"kustomize: {images: ['a:1']}\n", [ImageString("b:1")])

    assert edited.content == b"kustomize: {images: ['a:1', 'b:1']}\n"


def test_write_patch_that_goes_wrong_is_refused(monkeypatch):
    monkeypatch.setattr(scalars, "safe", lambda text, **_: f"{text}\n  - more")

    with pytest.raises(OverrideError, match=r"kustomize\.images cannot be edited"):
        kustomize_source.write(b"kustomize:\n  images: []\n", [ImageString("b:1")])


def test_write_list_of_something_else_is_refused():
    with pytest.raises(OverrideError, match="line 3"):
        kustomize_source.write(b"kustomize:\n  images:\n  - {a: b}\n", [ImageString("b:1")])


@pytest.mark.parametrize(
    ("strings", "new", "after"),
    [
        ([], "a:1", ["a:1"]),
        (["a:1", "b:1"], "a:2", ["a:2", "b:1"]),
        (["quay.io/a:1"], "ghcr.io/a:2", ["ghcr.io/a:2"]),
        (["x=a:1"], "y=a:2", ["x=a:1", "y=a:2"]),
        (["x=a:1"], "a:2", ["a:2"]),
        (["x=b:1"], "x=a:2", ["x=a:2"]),
        (["a:1", "reg.io/a:1"], "a:2", ["a:2"]),
        (["x" * 5000], "a:2", ["x" * 5000, "a:2"]),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_merged_follows_upstream_and_then_argo_cd(strings, new, after):
    assert image_strings.merged(strings, ImageString(new)) == after
