"""The shipped Kubernetes roles: the least that works (case K18), and the same that the demo's cluster grants."""

from pathlib import Path

import yaml

from onebox.world.cluster import access

ROLES = Path(__file__).parents[2] / "deploy" / "kubernetes" / "rbac.yaml"
DOCUMENTS = list(yaml.safe_load_all(ROLES.read_text(encoding="utf-8")))


def _rules(kind):
    return [rule for item in DOCUMENTS if item["kind"] == kind for rule in item["rules"]]


def _granted(account):
    """Return what the bindings give an account, one row a resource and verb, with scope and names."""
    roles = {(item["kind"], item["metadata"]["name"]): item for item in DOCUMENTS}
    bound = (
        roles[item["roleRef"]["kind"], item["roleRef"]["name"]]
        for item in DOCUMENTS
        if item["kind"].endswith("Binding")
        and account in [subject["name"] for subject in item["subjects"]]
    )
    return {
        (group, resource, verb, role["metadata"].get("namespace", "*"), names)
        for role in bound
        for rule in role["rules"]
        for names in [tuple(rule.get("resourceNames", ()))]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def _demo(account):
    return {
        (group, resource, verb, namespace, rule.names)
        for rule in account.rules
        for group in rule.groups
        for resource in rule.resources
        for verb in rule.verbs
        for namespace in rule.namespaces
    }


def test_k18_no_role_holds_a_wildcard():
    for rule in [*_rules("ClusterRole"), *_rules("Role")]:
        assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]


def test_k18_cluster_roles_reach_no_secret_pod_or_other_identity():
    resources = {name for rule in _rules("ClusterRole") for name in rule["resources"]}
    verbs = {verb for rule in _rules("ClusterRole") for verb in rule["verbs"]}

    assert resources == {"applications", "imageupdaters"}
    assert verbs == {"get", "list", "watch", "patch"}


def test_k18_secrets_are_never_watched_or_changed():
    (secrets,) = [rule for rule in _rules("Role") if "secrets" in rule["resources"]]

    assert secrets["verbs"] == ["get", "list"]


def test_roles_of_the_scanning_workers_are_what_the_demo_grants():
    assert _granted("countersign-scan") == _demo(access.reader("scan", "token"))


def test_roles_of_the_executing_workers_are_what_the_demo_grants():
    assert _granted("countersign-execute") == _demo(access.writer("execute", "token"))


def test_roles_of_scanning_workers_change_nothing():
    assert {verb for _, _, verb, *_ in _granted("countersign-scan")} == {"get", "list", "watch"}
