"""Selection of Applications by ImageUpdater resources: namespace, glob, labels, score (specification 1.2)."""

import pytest

from tests.unit.updater.configuration.manifests import (
    codes,
    image_updater,
    manifest,
    read,
    reference,
)
from updater.configuration import matching
from updater.configuration.manifest import Manifest
from updater.configuration.matching import SelectionError


def patterns(resource, *, name="shop", namespace="argocd", labels=None):
    """Return the patterns that select the Application, in order."""
    document = manifest(name=name, namespace=namespace)
    document["metadata"]["labels"] = labels
    return [found.pattern for found in matching.matching(resource, Manifest(document, "argocd"))]


@pytest.mark.parametrize(
    ("pattern", "selector", "score"),
    [
        ("app-one", None, 1_000_007),
        ("app-prod-*", None, 9),
        ("app-*", None, 4),
        ("*", None, 0),
        ("app-[ab]?", None, 4),
        ("app[", None, 4),
        ("app-*", {"matchLabels": {"a": "1", "b": "2"}}, 10_204),
        ("app-*", {"matchExpressions": [{"key": "a", "operator": "Exists"}]}, 10_104),
        ("app-*", {}, 10_004),
    ],
)
def test_score_adds_up_by_the_rules(pattern, selector, score):
    assert matching.score(pattern=pattern, selector=selector) == pytest.approx(
        score, abs=pattern.endswith("[")
    )


def test_matching_sorts_the_most_specific_first():
    resource = image_updater(
        reference("*"),
        reference("sh*"),
        reference("shop"),
        reference("s*", labelSelectors={"matchLabels": {"a": "1"}}),
    )

    assert patterns(resource, labels={"a": "1"}) == ["shop", "s*", "sh*", "*"]


def test_matching_equal_scores_keep_the_written_order():
    assert patterns(image_updater(reference("s*"), reference("?h*"), reference("*p"))) == [
        "s*",
        "?h*",
        "*p",
    ]


@pytest.mark.parametrize(
    ("pattern", "is_selected"),
    [
        ("shop", True),
        ("sh?p", True),
        ("[a-s]hop", True),
        ("[^s]hop", False),
        ("Shop", False),
        ("", False),
        ("sho", False),
    ],
)
def test_matching_uses_gos_globs_on_the_name(pattern, is_selected):
    assert bool(patterns(image_updater(reference(pattern)))) is is_selected


def test_matching_only_the_resources_own_namespace():
    resource = image_updater(reference("*"), namespace="team-a")

    assert patterns(resource, namespace="team-b") == []
    assert patterns(resource, namespace="team-a") == ["*"]


LABELS = {"env": "prod", "tier": "web"}


@pytest.mark.parametrize(
    ("selector", "is_selected"),
    [
        ({"matchLabels": {"env": "prod"}}, True),
        ({"matchLabels": {"env": "prod", "tier": "db"}}, False),
        ({"matchLabels": {"none": "x"}}, False),
        ({"matchExpressions": [{"key": "env", "operator": "In", "values": ["dev", "prod"]}]}, True),
        ({"matchExpressions": [{"key": "env", "operator": "In", "values": ["dev"]}]}, False),
        ({"matchExpressions": [{"key": "none", "operator": "In", "values": ["x"]}]}, False),
        ({"matchExpressions": [{"key": "env", "operator": "NotIn", "values": ["dev"]}]}, True),
        ({"matchExpressions": [{"key": "none", "operator": "NotIn", "values": ["x"]}]}, True),
        ({"matchExpressions": [{"key": "env", "operator": "NotIn", "values": ["prod"]}]}, False),
        ({"matchExpressions": [{"key": "env", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "none", "operator": "Exists"}]}, False),
        ({"matchExpressions": [{"key": "none", "operator": "DoesNotExist"}]}, True),
        ({"matchExpressions": [{"key": "env", "operator": "DoesNotExist"}]}, False),
        (
            {
                "matchLabels": {"env": "prod"},
                "matchExpressions": [{"key": "x", "operator": "Exists"}],
            },
            False,
        ),
        ({}, True),
        (None, True),
    ],
)
def test_matching_labels_are_and(selector, is_selected):
    resource = image_updater(reference("*", labelSelectors=selector))

    assert bool(patterns(resource, labels=LABELS)) is is_selected


def test_matching_malformed_glob_voids_the_whole_resource():
    with pytest.raises(SelectionError, match=r"applicationRefs\[1\] is malformed"):
        patterns(image_updater(reference("shop"), reference("[a")))


def test_matching_malformed_selector_voids_the_whole_resource():
    selector = {"matchExpressions": [{"key": "a", "operator": "Like"}]}

    with pytest.raises(SelectionError, match="In, NotIn, Exists or DoesNotExist"):
        patterns(image_updater(reference("shop"), reference("s*", labelSelectors=selector)))


def test_read_resource_with_a_malformed_glob_refuses_the_application_it_selects():
    configuration = read(resources=[image_updater(reference("shop"), reference("[a"))])

    assert codes(configuration) == [("BAD_SELECTION", None)]


def test_read_resource_with_a_malformed_glob_leaves_other_applications_alone():
    configuration = read(
        {"image-list": "nginx"}, resources=[image_updater(reference("other"), reference("[a"))]
    )

    assert configuration.problems == ()
