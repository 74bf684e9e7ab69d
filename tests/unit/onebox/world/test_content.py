import pytest
import yaml

from onebox.world import charts, files, kustomizations, objects
from onebox.world.content import APPLICATIONS, IMAGES, PROJECTS, Layout
from updater.overrides import helm_values, kustomization
from updater.overrides.helm_values import Value

PREFIX = "argocd-image-updater.argoproj.io/"
REGISTRY = "127.0.0.1:18000"
TAGS = {image.repository: "main-0000001" for image in IMAGES}
BY_NAME = {application.name: application for application in APPLICATIONS}
each_application = pytest.mark.parametrize(
    "application", APPLICATIONS, ids=lambda application: application.name
)
each_with_chart = pytest.mark.parametrize(
    "application",
    [each for each in APPLICATIONS if each.layout is not Layout.KUSTOMIZATION],
    ids=lambda application: application.name,
)
each_with_own_values = pytest.mark.parametrize(
    "application",
    [each for each in APPLICATIONS if each.layout is Layout.CHART],
    ids=lambda application: application.name,
)


def _files(application):
    return files.by_repository(application, registry=REGISTRY, tags=TAGS)


def test_annotations_of_example_are_those_of_the_story():
    annotations = objects.annotations(BY_NAME["example"], registry="registry.example")

    assert annotations == {
        f"{PREFIX}image-list": (
            "frontend=registry.example/acme/frontend, backend=registry.example/acme/backend"
        ),
        f"{PREFIX}update-strategy": "latest",
        f"{PREFIX}write-back-method": "git",
        f"{PREFIX}frontend.allow-tags": "regexp:^main",
        f"{PREFIX}frontend.helm.image-name": "frontend.image",
        f"{PREFIX}frontend.helm.image-tag": "frontend.tag",
        f"{PREFIX}frontend.pull-secret": "pullsecret:argocd/registry-secret",
        f"{PREFIX}backend.allow-tags": "regexp:^main",
        f"{PREFIX}backend.helm.image-name": "backend.image",
        f"{PREFIX}backend.helm.image-tag": "backend.tag",
        f"{PREFIX}backend.pull-secret": "pullsecret:argocd/registry-secret",
    }


@pytest.mark.parametrize(
    ("name", "annotations"),
    [
        ("orders", {f"{PREFIX}write-back-target": "helmvalues:production.yaml"}),
        (
            "delivery",
            {
                f"{PREFIX}write-back-target": "kustomization",
                f"{PREFIX}tracker.kustomize.image-name": "acme/delivery",
            },
        ),
        ("catalog", {f"{PREFIX}write-back-method": "argocd"}),
        ("accounts", {"countersign.dev/pull-request": "gitea"}),
        (
            "search",
            {
                f"{PREFIX}write-back-target": "helmvalues:production.yaml",
                "countersign.dev/source-name": "values",
            },
        ),
    ],
)
def test_annotations_ask_for_each_way_to_write(name, annotations):
    found = objects.annotations(BY_NAME[name], registry="registry.example")

    assert annotations.items() <= found.items()


def test_applications_are_nine_in_two_projects():
    assert len(APPLICATIONS) == len(BY_NAME) == 9
    assert {application.project for application in APPLICATIONS} == set(PROJECTS)
    assert len(PROJECTS) == 2


def test_applications_show_every_layout():
    assert {application.layout for application in APPLICATIONS} == set(Layout)


def test_images_belong_to_one_application_each():
    assert len({image.repository for image in IMAGES}) == len(IMAGES)


@each_application
def test_by_repository_fills_every_repository_that_the_application_names(application):
    manifest = objects.application_manifest(application, git_url="http://git", registry="r")

    spec = manifest["spec"]
    named = [source["repoURL"] for source in spec.get("sources") or [spec["source"]]]
    assert named == [f"http://git/{name}.git" for name in application.repositories]
    assert tuple(_files(application)) == application.repositories


@each_with_own_values
def test_chart_values_hold_every_image_under_its_alias(application):
    values = yaml.safe_load(_files(application)[application.repository]["values.yaml"])

    assert values == {
        image.alias: {
            "image": f"{REGISTRY}/{image.repository}",
            "tag": "main-0000001",
            "replicas": 2,
        }
        for image in application.images
    }


@each_with_chart
def test_chart_template_runs_every_image_by_its_values(application):
    template = _files(application)[application.repository]["templates/deployment.yaml"].decode()

    for image in application.images:
        expected = f'"{{{{ .Values.{image.alias}.image }}}}:{{{{ .Values.{image.alias}.tag }}}}"'
        assert f"image: {expected}" in template
    assert template.count("kind: Deployment") == len(application.images)
    assert "ALIAS" not in template


def test_production_values_change_in_one_value_and_keep_their_comments():
    orders = BY_NAME["orders"]
    before = charts.production_values(orders, registry=REGISTRY, tags=TAGS)["production.yaml"]
    chart = charts.with_defaults(orders)["values.yaml"]

    after = helm_values.write(before, [Value("api.tag", "main-0000002", "api")]).content

    assert after == before.replace(b"main-0000001", b"main-0000002") != before
    assert before.count(b"#") == 4
    assert yaml.safe_load(before)["api"].keys() > yaml.safe_load(chart)["api"].keys()


def test_kustomization_gives_the_image_of_the_manifests_its_registry_and_tag():
    delivery = BY_NAME["delivery"]
    held = kustomizations.files(delivery, registry=REGISTRY, tags=TAGS)

    deployment = yaml.safe_load(held["production/deployment.yaml"])
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] in kustomization.names(held["production/kustomization.yaml"])
    assert yaml.safe_load(held["production/kustomization.yaml"])["images"] == [
        {
            "name": "acme/delivery",
            "newName": f"{REGISTRY}/acme/delivery",
            "newTag": "main-0000001",
        }
    ]


@each_with_own_values
def test_application_manifest_points_at_its_chart_and_project(application):
    manifest = objects.application_manifest(application, git_url="http://git", registry="r")

    assert manifest["metadata"]["namespace"] == "argocd"
    assert manifest["spec"]["source"] == {
        "repoURL": f"http://git/acme/{application.name}-chart.git",
        "path": ".",
        "targetRevision": "main",
    }
    assert manifest["spec"]["project"] == application.project
    assert manifest["spec"]["syncPolicy"]["automated"]


def test_application_manifest_of_two_sources_reads_its_values_from_the_second():
    manifest = objects.application_manifest(BY_NAME["search"], git_url="http://git", registry="r")

    chart, values = manifest["spec"]["sources"]
    assert chart["helm"] == {"valueFiles": ["$values/production.yaml"]}
    assert (values["ref"], values["name"]) == ("values", "values")
    assert "path" not in values
