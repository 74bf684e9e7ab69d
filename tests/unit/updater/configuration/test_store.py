"""The JSON round trip of configured images and write-backs."""

import json

import pytest

from updater.configuration import store
from updater.configuration.model import (
    HelmTarget,
    ImageConfiguration,
    KustomizeTarget,
    PluginTarget,
    Target,
    WriteBack,
)
from updater.configuration.store import StoredConfigurationError
from updater.images import ImageReference
from updater.selection import Strategy

IMAGE = ImageConfiguration(
    alias="app",
    reference=ImageReference("ghcr.io", "acme/app", digest="sha256:abc"),
    constraint="~1.2",
    strategy=Strategy.NEWEST_BUILD,
    allow_tags="regexp:^v",
    ignore_tags=("a", ""),
    platforms=("linux/arm64",),
    pull_secret="secret:ns/name#field",
    force_update=True,
    helm=HelmTarget("n", "t", "s"),
    kustomize=KustomizeTarget("old"),
    plugin=PluginTarget(spec="X"),
    live=("ghcr.io/acme/app:1",),
)
WRITE_BACK = WriteBack(
    method="git",
    credentials="repocreds",
    repository="https://h/r.git",
    base_branch="main",
    write_branch="x-{{.SHA256}}",
    target=Target("helmvalues", "a/values.yaml"),
    source_index=1,
    pull_request="github",
    pull_request_labels=("bot",),
)


@pytest.mark.parametrize(
    "image", [IMAGE, ImageConfiguration("", ImageReference("", "nginx"))], ids=["full", "bare"]
)
def test_from_json_gives_back_the_image_through_real_json(image):
    document = json.loads(json.dumps(store.to_json(image)))

    assert document == store.to_json(image)
    assert store.from_json(document) == image
    assert type(store.from_json(document).strategy) is Strategy


@pytest.mark.parametrize("write_back", [WRITE_BACK, WriteBack()], ids=["full", "bare"])
def test_write_back_from_json_gives_back_the_write_back_through_real_json(write_back):
    document = json.loads(json.dumps(store.write_back_to_json(write_back)))

    assert document == store.write_back_to_json(write_back)
    assert store.write_back_from_json(document) == write_back


@pytest.mark.parametrize(
    "change",
    [
        {"strategy": "fastest"},
        {"reference": None},
        {"helm": {"x": 1}},
        {"ignore_tags": None},
        {"more": 1},
    ],
    ids=str,
)
def test_from_json_of_another_shape_is_refused(change):
    with pytest.raises(StoredConfigurationError):
        store.from_json(store.to_json(IMAGE) | change)


@pytest.mark.parametrize(
    "change", [{"target": {"x": 1}}, {"pull_request_labels": None}, {"more": 1}], ids=str
)
def test_write_back_from_json_of_another_shape_is_refused(change):
    with pytest.raises(StoredConfigurationError):
        store.write_back_from_json(store.write_back_to_json(WRITE_BACK) | change)


def test_from_json_of_nothing_is_refused():
    with pytest.raises(StoredConfigurationError):
        store.from_json({})
