"""`explain application`: the printed document, its exit status, and files nobody vouches for."""

import io
import json
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from tests.unit.updater.configuration.manifests import (
    GIT,
    IMAGES,
    PREFIX,
    REPOSITORY,
    image_updater,
    manifest,
    reference,
)
from updater.explain import application, documents
from updater.explain.documents import DocumentError

DEFAULTS = {"image_updater": [], "argocd_namespace": "argocd", "exact": False, "allow_http": False}


@pytest.fixture
def written(tmp_path):
    """Return a function that writes documents to a file (JSON is YAML) and gives its name."""

    def write(*contents, name="manifest.yaml"):
        path = tmp_path / name
        path.write_text(
            "\n---\n".join(json.dumps(content) for content in contents), encoding="utf-8"
        )
        return str(path)

    return write


def explain(file, **options):
    """Return the document and the exit status."""
    return application.run({**DEFAULTS, "file": file, **options})


def test_run_prints_everything_effective_in_a_stable_order(written):
    annotations = {
        **GIT,
        "image-list": "app=ghcr.io/acme/app:~1.2",
        "git-branch": "main:image-{{.SHA256}}",
        "app.update-strategy": "latest",
        "app.allow-tags": "regexp:^v",
        "app.ignore-tags": "v0.*",
        "app.platforms": "linux/arm64",
        "app.pull-secret": "pullsecret:argocd/regcred",
        "app.force-update": "true",
        "app.helm.image-tag": "app.tag",
    }
    running = {"summary": {"images": ["ghcr.io/acme/app:v1.1"]}}

    document, status = explain(written(manifest(annotations, status=running)))

    assert json.dumps(document) == json.dumps(
        {
            "application": "argocd/shop",
            "managed": True,
            "problems": [],
            "write_back": {
                "method": "git",
                "credentials": "repocreds",
                "repository": REPOSITORY,
                "base_branch": "main",
                "write_branch": "image-{{.SHA256}}",
                "target": {"kind": "argocd-source", "path": "apps/shop/.argocd-source-shop.yaml"},
            },
            "images": [
                {
                    "alias": "app",
                    "registry": "ghcr.io",
                    "name": "acme/app",
                    "constraint": "~1.2",
                    "strategy": "newest-build",
                    "allow_tags": "regexp:^v",
                    "ignore_tags": ["v0.*"],
                    "platforms": ["linux/arm64"],
                    "pull_secret": "pullsecret:argocd/regcred",
                    "force_update": True,
                    "helm": {"name": "image.name", "tag": "app.tag", "spec": None},
                    "kustomize": {"name": None},
                    "plugin": {"name": None, "tag": None, "spec": None},
                    "live": "ghcr.io/acme/app:v1.1",
                }
            ],
        }
    )
    assert status == 0


def test_run_defaults_are_shown(written):
    document, status = explain(written(manifest({"image-list": "nginx"})))

    (image,) = document["images"]
    assert (image["alias"], image["registry"], image["name"], image["constraint"]) == (
        "",
        "",
        "nginx",
        None,
    )
    assert (image["strategy"], image["allow_tags"], image["ignore_tags"]) == ("semver", None, [])
    assert (image["platforms"], image["pull_secret"], image["force_update"]) == ([], None, False)
    assert image["helm"] == {"name": "image.name", "tag": "image.tag", "spec": None}
    assert image["live"] is None
    assert document["write_back"] == {
        "method": "argocd",
        "credentials": None,
        "repository": None,
        "base_branch": None,
        "write_branch": None,
        "target": None,
    }
    assert status == 0


@pytest.mark.parametrize(
    ("annotations", "kind", "helm"),
    [
        ({"app.helm.image-spec": "s"}, "Helm", {"name": None, "tag": None, "spec": "s"}),
        (
            {"app.helm.image-spec": "s", "app.helm.image-tag": "t"},
            "Helm",
            {"name": None, "tag": None, "spec": "s"},
        ),
        ({"app.helm.image-name": "n"}, "Helm", {"name": "n", "tag": "image.tag", "spec": None}),
        ({"app.helm.image-tag": "t"}, "Helm", {"name": "image.name", "tag": "t", "spec": None}),
        ({}, "Helm", {"name": "image.name", "tag": "image.tag", "spec": None}),
        ({}, "Kustomize", {"name": None, "tag": None, "spec": None}),
    ],
)
def test_run_helm_shows_the_parameters_that_are_written(written, annotations, kind, helm):
    document, _ = explain(written(manifest({**IMAGES, **annotations}, status={"sourceType": kind})))

    assert document["images"][0]["helm"] == helm


def test_run_unmanaged_is_no_failure(written):
    document, status = explain(written(manifest()))

    assert (document["managed"], document["images"], document["problems"], status) == (
        False,
        [],
        [],
        0,
    )


@pytest.mark.parametrize(
    ("annotations", "status"),
    [
        ({**IMAGES, "app.update-strategy": "fastest"}, 1),
        ({**IMAGES, "write-back-method": "svn"}, 1),
        ({**IMAGES, "app.interval": "5m"}, 0),
        ({**IMAGES, "app.tag-match": "any"}, 0),
    ],
    ids=["image", "application", "invented-key", "deprecated-key"],
)
def test_run_status_is_one_when_something_is_unusable(written, annotations, status):
    document, found = explain(written(manifest(annotations)))

    (problem,) = document["problems"]
    assert list(problem) == ["key", "value", "message"]
    assert problem["key"].startswith(PREFIX)
    assert found == status


def test_run_exact_follows_upstream(written):
    file = written(manifest({**IMAGES, "app.update-strategy": "fastest"}))

    assert explain(file)[1] == 1
    assert explain(file, exact=True)[1] == 0


def test_run_application_without_namespace_has_its_name_alone(written):
    assert explain(written(manifest(IMAGES, namespace="")))[0]["application"] == "shop"


def test_run_argocd_namespace_decides_the_file_name(written):
    file = written(manifest(GIT, namespace="team"))

    paths = [
        explain(file, argocd_namespace=name)[0]["write_back"]["target"]["path"]
        for name in ("argocd", "team")
    ]
    assert paths == [
        "apps/shop/.argocd-source-team_shop.yaml",
        "apps/shop/.argocd-source-shop.yaml",
    ]


def test_run_http_repository_needs_the_option(written):
    file = written(manifest({**GIT, "git-repository": "http://localhost/r.git"}))

    assert explain(file)[1] == 1
    assert explain(file, allow_http=True)[1] == 0


def test_run_image_updater_resources_of_several_files_and_documents(written):
    file = written(manifest())
    other = written(
        image_updater(reference("other"), name="a"),
        image_updater(reference(), name="b"),
        name="1.yaml",
    )
    listed = written(
        {"kind": "List", "items": [image_updater(reference("none"), name="c")]}, name="2.yaml"
    )

    document, status = explain(file, image_updater=[other, listed])

    assert [image["alias"] for image in document["images"]] == ["app"]
    assert status == 0


def test_run_reads_standard_input(monkeypatch):
    data = json.dumps(manifest(IMAGES)).encode()
    monkeypatch.setattr(documents.sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))

    assert explain("-")[0]["managed"] is True


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"a: [",
        b"\xff\xfe\x00",
        b"- 1",
        b"kind: Deployment",
        b"kind: Application\n---\nkind: Application",
        b"[" * 100_000,
        b"a: 1\n" * 300_000,
        b"null",
    ],
    ids=lambda content: repr(content[:12]),
)
def test_run_file_that_is_no_single_application_is_refused(tmp_path, content):
    path = tmp_path / "x.yaml"
    path.write_bytes(content)

    with pytest.raises(DocumentError, match=r"x\.yaml"):
        explain(str(path))


@pytest.mark.parametrize("name", ["/nowhere/x.yaml", "/"])
def test_run_file_that_cannot_be_read_is_refused(name):
    with pytest.raises(DocumentError, match="cannot be read"):
        explain(name)


def test_run_byte_order_mark_and_yaml_are_fine(tmp_path):
    path = tmp_path / "x.yaml"
    text = (
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: shop\n  annotations:\n"
        "    argocd-image-updater.argoproj.io/image-list: >-\n      app=nginx,\n      b=redis\n"
    )
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())

    assert [image["name"] for image in explain(str(path))[0]["images"]] == ["nginx", "redis"]


def call(*arguments):
    """Run the command; return what it printed."""
    out = io.StringIO()
    call_command("explain", "application", *arguments, stdout=out)
    return out.getvalue()


def test_command_explain_application_prints_json(written):
    printed = call(written(manifest(IMAGES)))

    assert json.loads(printed)["application"] == "argocd/shop"
    assert printed.startswith('{\n  "application"')


def test_command_explain_application_fails_when_something_is_unusable(written):
    file = written(manifest({**IMAGES, "write-back-method": "svn"}))
    out = io.StringIO()

    with pytest.raises(SystemExit) as caught:
        call_command("explain", "application", file, stdout=out)

    assert caught.value.code == 1
    assert json.loads(out.getvalue())["problems"]


def test_command_explain_application_takes_every_option(written):
    resource = written(image_updater(reference()), name="resource.yaml")
    options = [
        "--exact",
        "--allow-http",
        "--argocd-namespace",
        "argocd",
        "--image-updater",
        resource,
    ]

    assert json.loads(call(written(manifest()), *options))["managed"] is True


def test_command_explain_application_of_a_missing_file_is_a_command_error():
    with pytest.raises(CommandError, match="cannot be read"):
        call("/nowhere/x.yaml")


def test_command_explain_without_a_subject_is_a_command_error():
    with pytest.raises(CommandError, match="subject"):
        call_command("explain")
