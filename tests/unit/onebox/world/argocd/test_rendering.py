"""Charts, kustomizations and directories yield the images their files say."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onebox.world.argocd import charts, manifests, plain_yaml, rendering, values
from onebox.world.argocd.snapshot import RenderError, Snapshot

CALMLY = settings(deadline=None, max_examples=60)  # a busy machine is no failure

REF = "https://git.example/values.git"
CHART = {"Chart.yaml": b"name: web", "values.yaml": b"web: {image: web, tag: chart}"}


def _snapshot(files: dict[str, bytes], path: str = "") -> Snapshot:
    return Snapshot(path, files)


def _images(rendered: list) -> list[str]:
    return sorted(image for item in rendered for image in manifests.images(item))


def _tag(helm: dict, extra: dict[str, bytes] | None = None) -> str:
    snapshot = _snapshot({**CHART, **(extra or {})})
    refs = {"shared": _snapshot({"env/prod.yaml": b"web: {tag: ref}"})}
    (image,) = _images(charts.render({"helm": helm}, snapshot, refs, "app"))
    return image.partition(":")[2]


@pytest.mark.parametrize(
    ("helm", "expected"),
    [
        ({}, "chart"),
        ({"valueFiles": ["one.yaml", "two.yaml"]}, "two"),
        ({"valueFiles": ["/one.yaml"]}, "one"),
        ({"valueFiles": ["$shared/env/prod.yaml"]}, "ref"),
        ({"valueFiles": ["none.yaml"], "ignoreMissingValueFiles": True}, "chart"),
        ({"valueFiles": ["one.yaml"], "values": "web: {tag: inline}"}, "inline"),
        ({"values": "web: {tag: inline}", "valuesObject": {"web": {"tag": "object"}}}, "object"),
        (
            {
                "valuesObject": {"web": {"tag": "o"}},
                "parameters": [{"name": "web.tag", "value": "p"}],
            },
            "p",
        ),
        ({"parameters": [{"name": "web.tag", "value": v} for v in ("a", "b")]}, "b"),
        ({"parameters": [{"name": "web.tag", "value": "1234567"}]}, "1234567"),
        ({"values": "web: {tag: 1234567}"}, "1.234567e+06"),
        ({"values": "web: {tag: 20}"}, "20"),
        ({"values": "web: {tag: 1.0}"}, "1"),
        ({"parameters": [{"name": "web.tag", "value": "main-1@sha256:ab"}]}, "main-1@sha256:ab"),
    ],
    ids=[
        "chart",
        "files-in-order",
        "from-the-root",
        "from-a-ref",
        "missing-ignored",
        "inline",
        "object-wins",
        "parameter-wins",
        "last-parameter",
        "set-keeps-whole-numbers",
        "file-number-is-a-float",
        "small-number",
        "trailing-zero-is-lost",
        "tag-and-digest",
    ],
)
def test_render_of_a_chart_takes_values_in_their_order(helm: dict, expected: str) -> None:
    files = {"one.yaml": b"web: {tag: one}", "two.yaml": b"web: {tag: two}"}

    assert _tag(helm, files) == expected


@pytest.mark.parametrize(
    ("helm", "words"),
    [
        ({"valueFiles": ["none.yaml"]}, "no such file"),
        ({"valueFiles": ["$absent/a.yaml"]}, "no source has a 'ref'"),
        ({"valueFiles": ["../../etc/passwd"]}, "outside repository root"),
        ({"values": "a: ["}, "failed to parse"),
        ({"values": "- 1"}, "must be an object"),
    ],
    ids=["missing", "unknown-ref", "outside", "broken", "list"],
)
def test_render_of_a_chart_that_cannot_be_says_why(helm: dict, words: str) -> None:
    with pytest.raises(RenderError, match=words):
        _tag(helm)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ({"image": {"repository": "r/web", "tag": "1"}}, [((), "r/web:1", 1)]),
        ({"image": {"registry": "h", "repository": "web", "tag": "1"}}, [((), "h/web:1", 1)]),
        ({"web": {"image": "r/web", "tag": "1", "replicas": 0}}, [(("web",), "r/web:1", 0)]),
        ({"web": {"image": "r/web:1"}}, [(("web",), "r/web:1", 1)]),
        (
            {"web": {"image": {"repository": "w", "tag": "1"}, "replicaCount": 3}},
            [(("web",), "w:1", 3)],
        ),
        ({"image": {"repository": "w", "digest": "sha256:a"}}, [((), "w@sha256:a", 1)]),
        ({"git": {"repository": "https://git.example/x"}, "tag": "1"}, []),
        ({"a": {"b": {"image": "x", "tag": "1"}}}, [(("a", "b"), "x:1", 1)]),
        ({"list": [{"image": "x"}]}, []),
    ],
    ids=[
        "repository",
        "registry",
        "scaled-to-zero",
        "whole-image",
        "count-beside",
        "digest",
        "no-image",
        "deep",
        "lists-are-not-searched",
    ],
)
def test_workloads_are_found_in_values(text: dict, expected: list) -> None:
    found = [(item.path, item.image, item.replicas) for item in values.workloads(text)]

    assert found == expected


def test_set_parameters_understands_indices_and_escapes() -> None:
    parameters = [
        {"name": r"a\.b.c[1].d", "value": "x"},
        {"name": "flag", "value": "true"},
        {"name": "text", "value": "true", "forceString": True},
    ]

    settled = values.set_parameters({}, parameters)

    assert settled == {"a.b": {"c": [None, {"d": "x"}]}, "flag": True, "text": "true"}


@CALMLY
@given(
    st.lists(
        st.fixed_dictionaries(
            {"name": st.text(alphabet="ab.[]0\\", max_size=8), "value": st.text(max_size=4)}
        ),
        max_size=3,
    )
)
def test_set_parameters_of_any_names_gives_values(parameters: list) -> None:
    assert isinstance(values.set_parameters({}, parameters), dict | list | str | bool | int | None)


@pytest.mark.parametrize(
    ("stated", "extra", "expected"),
    [
        ("name: web\n  newTag: '2'", [], "web:2"),
        ("name: web\n  newName: r/web\n  newTag: '2'", [], "r/web:2"),
        ("name: web\n  digest: sha256:a", [], "web@sha256:a"),
        ("name: web\n  newTag: '2'", ["web:3"], "web:3"),
        ("name: other\n  newTag: '2'", ["web=r/web"], "r/web:1"),
        ("name: other\n  newTag: '2'", ["web=r:5000/web:9@sha256:b"], "r:5000/web@sha256:b"),
    ],
    ids=["tag", "name", "digest", "spec-wins", "name-keeps-tag", "digest-beats-tag"],
)
def test_render_of_a_kustomization_replaces_images(stated: str, extra: list, expected: str) -> None:
    deployment = manifests.deployment("web", "web:1", 1)
    files = {
        "kustomization.yaml": f"resources: [web.yaml]\nimages:\n- {stated}\n".encode(),
        "web.yaml": json.dumps(deployment).encode(),
    }

    rendered = plain_yaml.render_kustomization({"kustomize": {"images": extra}}, _snapshot(files))

    assert _images(rendered) == [expected]


def test_render_directory_takes_manifests_and_nothing_else() -> None:
    one, two = manifests.deployment("one", "one:1", 1), manifests.deployment("two", "two:1", 1)
    files = {
        "app/one.yaml": json.dumps(one).encode() + b"\n---\n" + json.dumps(two).encode(),
        "app/deep/three.yaml": json.dumps(manifests.deployment("three", "three:1", 1)).encode(),
        "app/notes.txt": b"image: nothing",
        "app/.argocd-source.yaml": b"directory: {}",
        "app/skipped.yaml": json.dumps(manifests.deployment("no", "no:1", 1)).encode(),
    }
    snapshot = _snapshot(files, "app")

    flat = plain_yaml.render_directory({"directory": {"exclude": "skip*"}}, snapshot)
    deep = plain_yaml.render_directory(
        {"directory": {"recurse": True, "include": "deep/*"}}, snapshot
    )

    assert _images(flat) == ["one:1", "two:1"]
    assert _images(deep) == ["three:1"]


@pytest.mark.parametrize(
    ("source", "files", "expected"),
    [
        ({}, ["Chart.yaml"], "Helm"),
        ({}, ["kustomization.yaml"], "Kustomize"),
        ({}, ["a.yaml"], "Directory"),
        ({"helm": {"values": "a: 1"}}, ["a.yaml"], "Helm"),
        ({"kustomize": {"images": ["a"]}}, ["Chart.yaml"], "Kustomize"),
        ({"helm": {}}, ["a.yaml"], "Directory"),
    ],
    ids=["chart", "kustomization", "plain", "stated-helm", "stated-kustomize", "empty-object"],
)
def test_source_type_is_stated_or_seen(source: dict, files: list, expected: str) -> None:
    snapshot = _snapshot(dict.fromkeys(files, b""))

    assert rendering.source_type(source, snapshot) == expected


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"chart": "web"}, "no Helm chart repositories"),
        ({"path": "nowhere"}, "app path does not exist"),
        (
            {"path": ".", "helm": {"values": "a: 1"}, "kustomize": {"images": ["a"]}},
            "multiple application sources defined",
        ),
        ({"path": ".", "plugin": {"name": "x"}}, "no config management plugins"),
    ],
    ids=["chart", "path", "two-tools", "plugin"],
)
def test_render_that_cannot_be_names_the_source(source: dict, words: str) -> None:
    stated = {"repoURL": REF, **source}

    with pytest.raises(RenderError, match=f"source 1 of 1: rpc error: .*{words}"):
        rendering.render([stated], ["c"], "app", lambda _url, _commit, path: _snapshot(CHART, path))
