"""Only named fields of an Application are kept, and no secret among them."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from updater.integrations.kubernetes.trimming import trim

CALMLY = settings(deadline=None, max_examples=60)  # a busy machine is no failure

CANARY = "c4nary-s3cret"
MANIFEST = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Application",
    "metadata": {
        "name": "example",
        "namespace": "argocd",
        "uid": "u",
        "annotations": {
            "argocd-image-updater.argoproj.io/image-list": "web=registry.example/web",
            "kubectl.kubernetes.io/last-applied-configuration": CANARY,
            "team.example/password": CANARY,
        },
        "managedFields": [{"manager": "kubectl", "operation": "Update", "unknown": CANARY}],
    },
    "spec": {
        "project": "default",
        "info": [{"name": "password", "value": CANARY}],
        "source": {
            "repoURL": f"https://robot:{CANARY}@git.example/deploy.git",
            "helm": {
                "values": CANARY,
                "valuesObject": {"password": CANARY},
                "fileParameters": [{"name": CANARY}],
                "parameters": [
                    {"name": "web.tag", "value": "main-1", "forceString": True},
                    {"name": "db.password", "value": CANARY},
                ],
            },
            "plugin": {"name": "p", "env": [{"name": "PASSWORD", "value": CANARY}]},
            "kustomize": {"images": ["web:1"], "commonAnnotations": {"a": CANARY}},
        },
    },
    "operation": {"initiatedBy": {"username": "u"}, "sync": {"manifests": [CANARY]}},
    "status": {
        "sync": {"status": "Synced", "comparedTo": {"source": CANARY}},
        "summary": {"images": ["registry.example/web:main-1"]},
        "operationState": {
            "phase": "Failed",
            "message": f"cannot read https://robot:{CANARY}@git.example/deploy.git",
            "operation": {"sync": {"source": CANARY}},
            "syncResult": {"revision": "abc", "source": CANARY},
        },
        "history": [{"id": 0, "revision": "abc", "source": CANARY}],
        "resources": [CANARY],
    },
}


def test_trim_k16_keeps_no_place_where_people_put_secrets() -> None:
    trimmed = trim(MANIFEST, parameters={"web.tag"})

    assert CANARY not in json.dumps(trimmed)


def test_trim_keeps_what_promotions_need() -> None:
    trimmed = trim(MANIFEST, parameters={"web.tag"})

    assert trimmed["spec"]["source"]["repoURL"] == "https://git.example/deploy.git"
    assert trimmed["spec"]["source"]["helm"]["parameters"] == [
        {"name": "web.tag", "value": "main-1", "forceString": True},
        {"name": "db.password"},
    ]
    assert list(trimmed["metadata"]["annotations"]) == [
        "argocd-image-updater.argoproj.io/image-list"
    ]
    assert trimmed["status"]["summary"]["images"] == ["registry.example/web:main-1"]
    assert trimmed["status"]["operationState"]["syncResult"] == {"revision": "abc"}
    assert trimmed["operation"] == {"initiatedBy": {"username": "u"}}


NAMES = st.sampled_from(["name", "a", "value", ""])
JSON_VALUES = st.recursive(
    st.sampled_from([None, True, 0, 7, "", "text"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=3,
)
KEYS = st.sampled_from(
    ["metadata", "spec", "status", "annotations", "source", "sources", "helm", "parameters", "sync"]
)
HOSTILE = st.dictionaries(KEYS, st.dictionaries(KEYS, JSON_VALUES) | JSON_VALUES, max_size=6)


@CALMLY
@given(HOSTILE)
def test_trim_of_anything_gives_a_manifest(manifest) -> None:
    assert set(trim(manifest)) >= {"metadata", "spec", "status"}
