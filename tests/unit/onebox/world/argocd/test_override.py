"""Override files merge and decode as section 3.3 of argo-cd.md says."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onebox.world.argocd import yaml_text
from onebox.world.argocd.override import (
    OverrideError,
    effective_source,
    file_names,
    instance_name,
)

CALMLY = settings(deadline=None, max_examples=60)  # a busy machine is no failure

SPEC = {
    "repoURL": "https://git.example/deploy.git",
    "path": ".",
    "targetRevision": "main",
    "helm": {
        "valueFiles": ["values-prod.yaml"],
        "values": "a: 1",
        "parameters": [
            {"name": "web.tag", "value": "main-1", "forceString": True},
            {"name": "api.tag", "value": "main-1"},
        ],
    },
}


def _helm(*files: str):
    return effective_source(SPEC, [text.encode() for text in files])["helm"]


def test_effective_source_checklist_22_replaces_the_parameter_list() -> None:
    helm = _helm("helm:\n  parameters:\n  - name: x\n    value: '1'\n    forceString: false\n")

    assert helm["parameters"] == [{"name": "x", "value": "1", "forceString": False}]
    assert helm["valueFiles"] == ["values-prod.yaml"]


def test_effective_source_inherits_what_an_item_omits_from_the_specs_item_at_its_place() -> None:
    helm = _helm("helm:\n  parameters:\n  - name: other\n    value: '1'\n  - name: api.tag\n")

    assert helm["parameters"] == [
        {"name": "other", "value": "1", "forceString": True},
        {"name": "api.tag", "value": "main-1"},
    ]


def test_effective_source_applies_the_second_file_over_the_first() -> None:
    first = "helm:\n  parameters:\n  - {name: a, value: one, forceString: true}\n"
    second = "helm:\n  parameters:\n  - {name: b, value: two, forceString: true}\n"

    assert [item["name"] for item in _helm(first, second)["parameters"]] == ["b"]


@pytest.mark.parametrize("text", ["", "{}", "null", "helm: null", "helm:\n  values: null\n"])
def test_effective_source_cannot_delete_with_null(text: str) -> None:
    assert effective_source(SPEC, [text.encode()]) == SPEC


def test_effective_source_without_files_is_the_spec() -> None:
    assert effective_source(SPEC, [None, None]) == SPEC


def test_effective_source_ignores_the_case_of_keys_and_unknown_keys() -> None:
    text = "HELM:\n  Parameters:\n  - {NAME: a, VALUE: b, forcestring: false}\nnonsense: 1\n"

    decoded = effective_source({**SPEC, "helm": {}}, [text.encode()])

    assert decoded["helm"]["parameters"] == [{"name": "a", "value": "b", "forceString": False}]


def test_effective_source_merges_values_objects_deeply() -> None:
    spec = {**SPEC, "helm": {"valuesObject": {"a": {"b": 1, "c": 2}}}}

    decoded = effective_source(spec, [b"helm:\n  valuesObject:\n    a: {b: 3, c: null}\n"])

    assert decoded["helm"]["valuesObject"] == {"a": {"b": 3}}


@pytest.mark.parametrize("key", ["repoURL", "path", "targetRevision", "chart"])
def test_effective_source_never_takes_the_place_from_a_file(key: str) -> None:
    assert effective_source(SPEC, [f"{key}: evil".encode()]).get(key) == SPEC.get(key)


@pytest.mark.parametrize(
    "value", ["1.20", "true", "1234e56", "1234567", "yes", "0755", "[a]", "{a: b}"]
)
def test_effective_source_checklist_22_refuses_a_value_that_is_no_text(value: str) -> None:
    text = f"helm:\n  parameters:\n  - name: web.tag\n    value: {value}\n"

    with pytest.raises(OverrideError, match="error while parsing source parameters"):
        _helm(text)


@pytest.mark.parametrize("value", ["main-1", "'1.20'", '"true"', "2026-01-05", "1.2.3"])
def test_effective_source_takes_text(value: str) -> None:
    text = f"helm:\n  parameters:\n  - name: web.tag\n    value: {value}\n"

    assert isinstance(_helm(text)["parameters"][0]["value"], str)


@pytest.mark.parametrize(
    "content",
    [b"\xff", b"a: [", b"- 1", b"text", b"helm: 1", b"a: !!x y"],
    ids=["no-utf-8", "broken", "list", "scalar", "helm-number", "unknown-tag"],
)
def test_effective_source_of_a_broken_file_says_so(content: bytes) -> None:
    with pytest.raises(OverrideError, match="error while parsing source parameters"):
        effective_source(SPEC, [content])


@CALMLY
@given(st.binary(max_size=60) | st.text(alphabet="helm: \n-{}[]parte&*!'\"0.", max_size=60))
def test_effective_source_of_anything_is_a_source_or_its_error(content) -> None:
    data = content if isinstance(content, bytes) else content.encode()

    try:
        decoded = effective_source(SPEC, [data])
    except OverrideError:
        return

    assert decoded["repoURL"] == SPEC["repoURL"]


@pytest.mark.parametrize(
    ("namespace", "expected"), [("argocd", "web"), ("", "web"), ("team-a", "team-a_web")]
)
def test_instance_name_is_qualified_elsewhere(namespace: str, expected: str) -> None:
    assert instance_name(namespace, "web", "argocd") == expected


def test_file_names_are_the_common_one_first() -> None:
    assert file_names("web") == (".argocd-source.yaml", ".argocd-source-web.yaml")


@CALMLY
@given(st.text(max_size=60))
def test_load_of_any_text_is_a_value_or_its_error(text: str) -> None:
    try:
        yaml_text.load(text)
    except yaml_text.YAMLTextError:
        return
