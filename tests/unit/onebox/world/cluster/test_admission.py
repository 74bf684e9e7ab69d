"""Selectors and schemas of the API server hold on any input."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onebox.world.cluster import access, resources
from onebox.world.cluster.access import Account, Attempt, Rule
from onebox.world.cluster.admission import admit
from onebox.world.cluster.application_schema import APPLICATION
from onebox.world.cluster.schema import Findings, prune
from onebox.world.cluster.selectors import matcher
from onebox.world.cluster.statuses import ApiError

CALMLY = settings(deadline=None, max_examples=60)  # a busy machine is no failure

APPLICATIONS = resources.find("argoproj.io", "v1alpha1", "applications")
NAMES = st.sampled_from(["name", "a", "source", ""])
JSON_VALUES = st.recursive(
    st.sampled_from([None, True, 0, 7, "", "text"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=3,
)
KEYS = st.sampled_from(["metadata", "spec", "status", "source", "helm", "parameters", "operation"])


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("", True),
        ("team=red", True),
        ("team==red,tier", True),
        ("team!=red", False),
        ("absent!=x", True),
        ("team in (red, blue)", True),
        ("team notin (red)", False),
        ("!absent", True),
        ("!team", False),
    ],
)
def test_matcher_reads_label_selectors(selector: str, expected: bool) -> None:  # noqa: FBT001  a table's column
    manifest = {"metadata": {"name": "a", "labels": {"team": "red", "tier": "web"}}}

    assert matcher(APPLICATIONS, selector, "")(manifest) is expected


@CALMLY
@given(
    st.text(alphabet="ab=!,() in", max_size=16), st.text(alphabet="metadata.name=!,", max_size=20)
)
def test_matcher_of_any_text_is_a_test_or_a_bad_request(labels: str, fields: str) -> None:
    try:
        matches = matcher(APPLICATIONS, labels, fields)
    except ApiError:
        return
    matches({"metadata": {"name": "a", "labels": {"a": "b"}}})


@CALMLY
@given(st.dictionaries(KEYS, st.dictionaries(KEYS, JSON_VALUES) | JSON_VALUES))
def test_prune_of_anything_twice_is_pruned_once(body: dict) -> None:
    once = prune(APPLICATION, body, "", Findings())

    findings = Findings()
    assert prune(APPLICATION, once, "", findings) == once
    assert findings.unknown == []


@CALMLY
@given(st.dictionaries(KEYS, st.dictionaries(KEYS, JSON_VALUES) | JSON_VALUES))
def test_admit_of_anything_is_a_manifest_or_a_refusal(body: dict) -> None:
    try:
        manifest, _ = admit(
            APPLICATIONS,
            body,
            name="example",
            namespace="argocd",
            validation="Warn",
            is_partial=False,
        )
    except ApiError:
        return
    assert manifest["kind"] == "Application"


def test_accounts_are_the_same_after_a_file() -> None:
    accounts = [access.reader("r", "1"), access.writer("w", "2"), access.administrator("a", "3")]

    assert access.from_json(access.as_json(accounts)) == accounts


@pytest.mark.parametrize(
    ("attempt", "expected"),
    [
        (Attempt("get", "", "secrets", "argocd", "login"), True),
        (Attempt("get", "", "secrets", "argocd", "other"), False),
        (Attempt("get", "", "secrets", "shop", "login"), False),
        (Attempt("list", "", "secrets", "argocd"), False),
        (Attempt("get", "apps", "secrets", "argocd", "login"), False),
    ],
    ids=["named", "other-name", "other-namespace", "other-verb", "other-group"],
)
def test_may_asks_every_part_of_a_rule(attempt: Attempt, expected: bool) -> None:  # noqa: FBT001  a table's column
    rule = Rule(("",), ("secrets",), ("get",), ("argocd",), ("login",))

    assert Account("a", "t", (rule,)).may(attempt) is expected


def test_reader_may_neither_write_applications_nor_see_secrets_elsewhere() -> None:
    reader = access.reader("r", "1")

    assert not reader.may(Attempt("patch", "argoproj.io", "applications", "argocd", "x"))
    assert not reader.may(Attempt("list", "", "secrets"))
    assert reader.may(Attempt("watch", "argoproj.io", "applications"))
