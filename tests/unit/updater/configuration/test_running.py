"""Which entries of status.summary.images are a configured image (specification 2.3)."""

import pytest

from tests.unit.updater.configuration.manifests import IMAGES, read


def live(image, *running, exact=False, **annotations):
    """Return the live entries of one configured image."""
    configuration = read(
        {"image-list": image, **annotations},
        status={"summary": {"images": list(running)}},
        exact=exact,
    )
    return configuration.images[0].live


@pytest.mark.parametrize("exact", [False, True], ids=["default", "exact"])
@pytest.mark.parametrize(
    ("image", "running", "found"),
    [
        ("ghcr.io/a/b:^1", ["ghcr.io/a/b:1.0.0"], ("ghcr.io/a/b:1.0.0",)),
        ("ghcr.io/a/b", ["ghcr.io/a/bc:1", "ghcr.io/a/b:1"], ("ghcr.io/a/b:1",)),
        ("ghcr.io/a/b", ["ghcr.io/a/b:1", "ghcr.io/a/b:2"], ("ghcr.io/a/b:1", "ghcr.io/a/b:2")),
        ("ghcr.io/a/b", ["quay.io/a/b:1"], ()),
        ("ghcr.io/a/b", [], ()),
        ("nginx", ["nginx:1"], ("nginx:1",)),
        ("nginx", ["nginx"], ("nginx",)),
        ("a/b", [f"a/b:1@sha256:{'0' * 64}"], (f"a/b:1@sha256:{'0' * 64}",)),
        ("a/b", ["", ":::", "a b", "a/b:1"], ("a/b:1",)),
    ],
)
def test_read_live_has_the_same_name_and_registry(image, running, found, exact):
    assert live(image, *running, exact=exact) == found


@pytest.mark.parametrize(
    ("image", "running"),
    [
        ("nginx", "docker.io/library/nginx:1"),
        ("docker.io/nginx", "nginx:1"),
        ("docker.io/library/nginx:~1.26", "docker.io/library/nginx:1.26.0"),
        ("acme/app", "docker.io/acme/app:1"),
    ],
)
def test_read_live_knows_docker_hub_by_all_its_names(image, running):
    assert live(image, running) == (running,)


@pytest.mark.parametrize(
    ("image", "running"), [("nginx", "docker.io/nginx:1"), ("docker.io/a/b", "a/b:1")]
)
def test_read_live_exact_takes_docker_hubs_names_for_two(image, running):
    assert live(image, running, exact=True) == ()


def test_read_live_looks_for_the_kustomize_name_first():
    running = ["ghcr.io/new/app:2", "old/app:1"]

    assert live("a=ghcr.io/new/app", *running, **{"a.kustomize.image-name": "old/app"}) == (
        "old/app:1",
    )


def test_read_live_falls_back_to_the_image_itself():
    assert live(
        "a=ghcr.io/new/app", "ghcr.io/new/app:2", **{"a.kustomize.image-name": "old/app"}
    ) == ("ghcr.io/new/app:2",)


def test_read_live_two_aliases_of_one_image_share_the_entries():
    configuration = read(
        {"image-list": "a=x/y:1, b=x/y:2", "a.helm.image-spec": "a", "b.helm.image-spec": "b"},
        status={"summary": {"images": ["x/y:1"]}},
    )

    assert [image.live for image in configuration.images] == [("x/y:1",), ("x/y:1",)]


@pytest.mark.parametrize(
    "summary", [None, "x", {"images": "x"}, {"images": [None, 5, {}]}], ids=repr
)
def test_read_live_of_a_broken_summary_is_nothing(summary):
    assert read(IMAGES, status={"summary": summary}).images[0].live == ()


def test_read_live_entry_keys_stay_quick_with_many_entries():
    running = [f"ghcr.io/acme/app-{number}:1" for number in range(20_000)]

    assert live("ghcr.io/acme/app-77", *running) == ("ghcr.io/acme/app-77:1",)
