import pytest
import yaml

from onebox.world import charts, content
from onebox.world.content import APPLICATIONS, IMAGES, PROJECTS

PREFIX = "argocd-image-updater.argoproj.io/"


def _files(application):
    tags = {image.repository: "main-0000001" for image in IMAGES}
    return charts.files(application, registry="127.0.0.1:18000", tags=tags)


def test_annotations_of_example_are_those_of_the_story():
    example = next(each for each in APPLICATIONS if each.name == "example")

    annotations = content.annotations(example, registry="registry.example")

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


def test_applications_are_five_in_two_projects():
    assert len(APPLICATIONS) == 5
    assert {application.project for application in APPLICATIONS} == set(PROJECTS)
    assert len(PROJECTS) == 2


def test_images_belong_to_one_application_each():
    assert len({image.repository for image in IMAGES}) == len(IMAGES)


@pytest.mark.parametrize("application", APPLICATIONS, ids=lambda application: application.name)
def test_chart_values_hold_every_image_under_its_alias(application):
    values = yaml.safe_load(_files(application)["values.yaml"])

    assert values == {
        image.alias: {
            "image": f"127.0.0.1:18000/{image.repository}",
            "tag": "main-0000001",
            "replicas": 2,
        }
        for image in application.images
    }


@pytest.mark.parametrize("application", APPLICATIONS, ids=lambda application: application.name)
def test_chart_template_runs_every_image_by_its_values(application):
    template = _files(application)["templates/deployment.yaml"].decode()

    for image in application.images:
        expected = f'"{{{{ .Values.{image.alias}.image }}}}:{{{{ .Values.{image.alias}.tag }}}}"'
        assert f"image: {expected}" in template
    assert template.count("kind: Deployment") == len(application.images)
    assert "ALIAS" not in template


@pytest.mark.parametrize("application", APPLICATIONS, ids=lambda application: application.name)
def test_application_manifest_points_at_its_chart_and_project(application):
    manifest = content.application_manifest(application, git_url="http://git", registry="r")

    assert manifest["metadata"]["namespace"] == "argocd"
    assert manifest["spec"]["source"] == {
        "repoURL": f"http://git/acme/{application.name}-chart.git",
        "path": ".",
        "targetRevision": "main",
    }
    assert manifest["spec"]["project"] == application.project
    assert manifest["spec"]["syncPolicy"]["automated"]
