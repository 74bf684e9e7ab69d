"""`explain write-back`: the printed document, its exit status, and a directory that is only read."""

import argparse
import io
import json
import os

import pytest
from django.core.management import call_command

from tests.unit.updater.configuration.manifests import (
    GIT,
    IMAGES,
    image_updater,
    manifest,
    reference,
)
from updater.explain import write_back
from updater.writeback import WriteBackError

DIGEST = "sha256:" + "ab" * 32
PATH = "apps/shop/.argocd-source-shop.yaml"
AFTER = """\
helm:
  parameters:
  - name: image.name
    value: ghcr.io/acme/app
    forcestring: true
  - name: image.tag
    value: v2
    forcestring: true
"""
STATUS = {"summary": {"images": ["ghcr.io/acme/app:v1"]}}


@pytest.fixture
def tree(tmp_path):
    """Return an empty checkout."""
    path = tmp_path / "tree"
    path.mkdir()
    return path


@pytest.fixture
def explain(tmp_path, tree):
    """Return a function that explains one Application over the checkout."""

    def run(document, *changes, **options):
        file = tmp_path / "app.yaml"
        file.write_text(json.dumps(document), encoding="utf-8")
        parser = argparse.ArgumentParser()
        write_back.add_arguments(parser)
        words = [f"--set={change}" for change in changes or ("app=v2",)]
        arguments = vars(parser.parse_args([str(file), f"--tree={tree}", *words]))
        return write_back.run({**arguments, **options})

    return run


def put(tree, path, content):
    """Write a file of the checkout."""
    file = tree / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


def test_run_under_a_policy_that_pins_writes_the_digest(explain):
    digest = "sha256:" + "a" * 64

    document, status = explain(manifest(GIT, status=STATUS), f"app=v2@{digest}", pin="digest")

    assert status == 0
    assert f"v2@{digest}" in document["files"][0]["after"]


def test_run_new_file_has_no_before(explain):
    document, status = explain(manifest(GIT, status=STATUS))

    assert (document, status) == (
        {
            "branch": "main",
            "base_branch": "main",
            "message": "build: automatic update of shop\n\n"
            "updates image acme/app tag 'v1' to 'v2'\n",
            "files": [{"path": PATH, "before": None, "after": AFTER}],
            "argocd_patch": None,
            "warnings": [],
            "error": None,
        },
        0,
    )


def test_run_existing_file_is_shown_before_and_after_and_stays(explain, tree):
    before = AFTER.replace("v2", "v1").encode()
    file = put(tree, PATH, before)

    document, status = explain(manifest(GIT, status=STATUS))

    assert document["files"] == [{"path": PATH, "before": before.decode(), "after": AFTER}]
    assert (status, file.read_bytes()) == (0, before)
    assert [entry.name for entry in tree.rglob("*") if entry.is_file()] == [file.name]


def test_run_nothing_to_change_lists_no_file(explain, tree):
    put(tree, PATH, AFTER.encode())

    document, status = explain(manifest(GIT, status=STATUS))

    assert (document["files"], document["error"], status) == ([], None, 0)


def test_run_argocd_method_shows_the_patch(explain):
    document, status = explain(manifest(IMAGES, status=STATUS))

    parameters = document["argocd_patch"]["spec"]["source"]["helm"]["parameters"]
    assert [entry["value"] for entry in parameters] == ["ghcr.io/acme/app", "v2"]
    assert (document["files"], document["branch"], status) == ([], None, 0)


def test_run_digest_is_old_and_new_where_it_is_tracked(explain):
    annotations = {**GIT, "image-list": "app=ghcr.io/acme/app:v2", "app.update-strategy": "digest"}
    status = {"summary": {"images": [f"ghcr.io/acme/app:v2@{DIGEST.replace('ab', 'cd')}"]}}

    document, _ = explain(manifest(annotations, status=status), f"app=v2@{DIGEST}")

    assert f"tag '{DIGEST.replace('ab', 'cd')}' to '{DIGEST}'" in document["message"]
    assert f"value: v2@{DIGEST}\n" in document["files"][0]["after"]


def test_run_image_that_does_not_run_has_an_empty_old_tag(explain):
    document, _ = explain(manifest(GIT))

    assert "tag '' to 'v2'" in document["message"]


def test_run_exact_writes_upstream_s_bytes(explain, tree):
    put(tree, PATH, b"# lost\n" + AFTER.replace("v2", "v1").encode())

    default, _ = explain(manifest(GIT, status=STATUS))
    exact, _ = explain(manifest(GIT, status=STATUS), exact=True)

    assert default["files"][0]["after"] == "# lost\n" + AFTER
    assert exact["files"][0]["after"] == AFTER


def test_run_takes_image_updaters_and_a_commit_template(explain, tmp_path):
    resource, template = tmp_path / "updater.yaml", tmp_path / "template"
    resource.write_text(
        json.dumps(image_updater(reference(), writeBackConfig={"method": "git"})), encoding="utf-8"
    )
    template.write_text("release {{.AppName}}", encoding="utf-8")

    document, status = explain(
        manifest(status=STATUS), image_updater=[str(resource)], commit_template=str(template)
    )

    assert (document["message"], len(document["files"]), status) == ("release shop", 1, 0)


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        (["nope=v2"], "'nope' is not a configured image; configured: app."),
        (["v2"], "'v2' is no change"),
        (["app="], "'' is not a tag"),
        (["app=v2@sha256:x"], "'sha256:x' is not a digest"),
        (["app=v2", "app=v3"], "named twice"),
        (["app=../x"], "'../x' is not a tag"),
    ],
)
def test_run_refused_change_says_why_and_lists_no_file(explain, changes, part):
    document, status = explain(manifest(GIT, status=STATUS), *changes)

    assert part in document["error"]
    assert (document["files"], document["argocd_patch"], status) == ([], None, 1)


def test_run_refused_configuration_file_or_tree_says_why(explain, tree, tmp_path):
    put(tree, PATH, b"a: [")

    for document, options, part in (
        (manifest({**GIT, "write-back-target": "helmvalues:../../../x.yaml"}), {}, "leads out"),
        (manifest(GIT), {}, f"{PATH}: line"),
        (manifest(GIT), {"tree": str(tmp_path / "gone")}, "cannot be read"),
        (manifest(GIT), {"commit_template": str(tmp_path / "gone")}, "cannot be read"),
        ({"kind": "Deployment"}, {}, "another kind"),
    ):
        explained, status = explain(document, **options)

        assert part in explained["error"]
        assert status == 1


def link(tree, place, to):
    """Make a symbolic link in the checkout."""
    path = tree / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(to)


def test_run_g02_link_out_of_the_tree_is_not_followed(explain, tree, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / ".argocd-source-shop.yaml").write_text(AFTER, encoding="utf-8")
    link(tree, "apps/shop", outside)

    document, status = explain(manifest(GIT, status=STATUS))

    assert "cannot be read" in document["error"]
    assert (document["files"], status) == ([], 1)


@pytest.mark.parametrize("kind", ["link", "directory", "fifo", "large", "file-in-the-way"])
def test_tree_reader_what_is_no_plain_file_is_refused(tree, kind):
    put(tree, "target", b"x")
    if kind == "link":
        link(tree, "a/b.yaml", tree / "target")
    elif kind == "directory":
        (tree / "a" / "b.yaml").mkdir(parents=True)
    elif kind == "fifo":
        (tree / "a").mkdir()
        os.mkfifo(tree / "a" / "b.yaml")
    elif kind == "large":
        put(tree, "a/b.yaml", b"x" * (1024 * 1024 + 1))
    else:
        put(tree, "a", b"x")

    with pytest.raises(WriteBackError):
        write_back.tree_reader(str(tree))("a/b.yaml")


def test_tree_reader_reads_files_and_knows_what_is_absent(tree):
    put(tree, "a/b.yaml", b"x")
    read = write_back.tree_reader(str(tree))

    assert read("a/b.yaml") == b"x"
    assert read("a/c.yaml") is None
    assert read("b/c.yaml") is None
    for path in ("../target", "a/../../x", "a//b.yaml"):
        with pytest.raises(WriteBackError):
            read(path)


def test_command_prints_the_document_and_exits_with_its_status(tmp_path, tree):
    file = tmp_path / "app.yaml"
    file.write_text(json.dumps(manifest(GIT, status=STATUS)), encoding="utf-8")
    out = io.StringIO()

    call_command(
        "explain", "write-back", str(file), "--tree", str(tree), "--set", "app=v2", stdout=out
    )
    with pytest.raises(SystemExit) as left:
        call_command(
            "explain", "write-back", str(file), "--tree", str(tree), "--set", "x=v2", stdout=out
        )

    assert json.loads(out.getvalue().partition("\n{")[0])["files"][0]["after"] == AFTER
    assert left.value.code == 1
