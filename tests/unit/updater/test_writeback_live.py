"""The method argocd: the merge patch of the live Application (specification 3.2; argo-cd 7)."""

import pytest

from tests.unit.updater.configuration.manifests import (
    IMAGES,
    image_updater,
    manifest,
    reference,
    source,
)
from updater import writeback
from updater.configuration import reading
from updater.writeback import ImageChange

LIVE = {"summary": {"images": ["ghcr.io/acme/app:1.0", "ghcr.io/acme/job:7"]}}
TWO = {"image-list": "app=ghcr.io/acme/app,job=ghcr.io/acme/job", "job.helm.image-spec": "job"}
NAME = {"name": "image.name", "value": "ghcr.io/acme/app", "forceString": True}
TAG = {"name": "image.tag", "value": "1.1", "forceString": True}


def planned(annotations=IMAGES, *, exact=False, resources=(), own=None, owners=(), **fields):
    """Return the plan that moves app to 1.1."""
    document = manifest(annotations, own=own, **{"status": LIVE, **fields})
    document["metadata"]["ownerReferences"] = list(owners)
    return writeback.plan(
        manifest=document,
        configuration=reading.read(document, image_updaters=resources, exact=exact),
        changes=[ImageChange("app", "1.1", None, "1.0", "1.1")],
        read_file=lambda path: pytest.fail(f"the method argocd reads no file, asked for {path}"),
        exact=exact,
    )


def test_plan_without_parameters_makes_the_list():
    plan = planned()

    assert plan.argocd_patch == {"spec": {"source": {"helm": {"parameters": [NAME, TAG]}}}}
    assert (plan.method, plan.files, plan.repository, plan.branch) == ("argocd", (), None, None)
    assert [(edit.key, edit.old, edit.new, edit.image) for edit in plan.edits] == [
        ("helm.parameters.image.name", None, "ghcr.io/acme/app", "app"),
        ("helm.parameters.image.tag", None, "1.1", "app"),
    ]


def test_plan_entries_of_others_survive_in_their_places():
    others = [{"name": "a", "value": "1"}, {"name": "b", "value": "2", "forceString": False}]
    spec = {"source": source(helm={"parameters": [others[0], {"name": "image.tag"}, others[1]]})}

    plan = planned(spec=spec)

    parameters = plan.argocd_patch["spec"]["source"]["helm"]["parameters"]
    assert parameters == [others[0], TAG, others[1], NAME]


def test_plan_what_the_application_asks_for_already_is_no_patch():
    spec = {"source": source(helm={"parameters": [TAG, NAME]})}

    plan = planned(spec=spec)

    assert (plan.argocd_patch, plan.edits) == (None, ())


def test_plan_image_that_does_not_move_is_left_alone_unless_exact():
    job = {"name": "job", "value": "ghcr.io/acme/job:7", "forceString": True}

    default, exact = (planned(TWO, exact=mode).argocd_patch for mode in (False, True))

    assert default["spec"]["source"]["helm"]["parameters"] == [NAME, TAG]
    assert exact["spec"]["source"]["helm"]["parameters"] == [NAME, TAG, job]


def test_plan_several_sources_are_one_value_of_the_patch():
    sources = [
        source(),
        source(path="b", helm={"valueFiles": ["v"], "parameters": [{"name": "x"}]}),
    ]

    plan = planned(spec={"sources": sources}, status={**LIVE, "sourceTypes": ["", "Helm"]})

    changed = {
        **sources[1],
        "helm": {"valueFiles": ["v"], "parameters": [{"name": "x"}, NAME, TAG]},
    }
    assert plan.argocd_patch == {"spec": {"sources": [sources[0], changed]}}


def test_plan_hydrated_application_is_patched_at_its_dry_source():
    spec = {"sourceHydrator": {"drySource": source(helm={}), "syncSource": {"path": "x"}}}

    patch = planned(spec=spec).argocd_patch

    assert patch == {
        "spec": {"sourceHydrator": {"drySource": {"helm": {"parameters": [NAME, TAG]}}}}
    }


@pytest.mark.parametrize(
    ("images", "after", "old"),
    [
        ([], ["ghcr.io/acme/app:1.1"], None),
        (
            ["redis:7", "ghcr.io/acme/app:1.0"],
            ["redis:7", "ghcr.io/acme/app:1.1"],
            "ghcr.io/acme/app:1.0",
        ),
        (["old.io/acme/app:0.1"], ["ghcr.io/acme/app:1.1"], "old.io/acme/app:0.1"),
        (["ghcr.io/acme/app=x:1"], ["ghcr.io/acme/app:1.1"], "ghcr.io/acme/app=x:1"),
    ],
    ids=["none", "same", "other-registry", "merged-by-argo-cd"],
)
def test_plan_kustomize_images_are_replaced_or_appended(images, after, old):
    spec = {"source": source(kustomize={"images": images, "namePrefix": "p"})}

    plan = planned(spec=spec, status={**LIVE, "sourceType": "Kustomize"})

    assert plan.argocd_patch == {"spec": {"source": {"kustomize": {"images": after}}}}
    assert [(edit.key, edit.old) for edit in plan.edits] == [
        ("kustomize.images.ghcr.io/acme/app", old)
    ]


def test_plan_kustomize_image_that_is_there_already_is_no_patch():
    spec = {"source": source(kustomize={"images": ["ghcr.io/acme/app:1.1"]})}

    plan = planned(spec=spec, status={**LIVE, "sourceType": "Kustomize"})

    assert (plan.argocd_patch, plan.edits) == (None, ())


def test_plan_plugin_variables_carry_no_force():
    image = {"alias": "app", "imageName": "ghcr.io/acme/app"}
    target = {"manifestTargets": {"plugin": {"spec": "APP"}}}
    spec = {"source": source(plugin={"name": "p", "env": [{"name": "Z", "value": "1"}]})}

    plan = planned(
        {},
        spec=spec,
        status={**LIVE, "sourceType": "Plugin"},
        resources=[image_updater(reference("shop", image | target))],
    )

    env = plan.argocd_patch["spec"]["source"]["plugin"]["env"]
    assert env == [{"name": "Z", "value": "1"}, {"name": "APP", "value": "ghcr.io/acme/app:1.1"}]


OWNER = {"kind": "ApplicationSet", "name": "shops", "controller": True}
TRACKING = "argocd.argoproj.io/tracking-id"


@pytest.mark.parametrize(
    ("own", "owners", "warned"),
    [
        ({}, [], []),
        ({}, [OWNER], ["ApplicationSet shops"]),
        ({TRACKING: "parent:argoproj.io/Application:argocd/shop"}, [], ["Application parent"]),
        ({TRACKING: "parent:argoproj.io/Application:argocd/other"}, [], []),
        ({TRACKING: "nonsense"}, [], []),
        ({}, [{"kind": "Deployment", "name": "x"}, "odd"], []),
    ],
    ids=["nobody", "application-set", "parent", "copied-mark", "nonsense", "others"],
)
def test_plan_owner_that_will_revert_is_a_warning(own, owners, warned):
    plan = planned(own=own, owners=owners)

    assert [warning.split(" owns")[0].split(" manages")[0] for warning in plan.warnings] == [
        f"The {owner}" for owner in warned
    ]
    assert all("will be reverted by its owner" in warning for warning in plan.warnings)


def test_plan_label_of_a_parent_is_a_warning():
    document = manifest(IMAGES, status=LIVE)
    document["metadata"]["labels"] = {"app.kubernetes.io/instance": "parent"}

    plan = writeback.plan(
        manifest=document,
        configuration=reading.read(document),
        changes=[ImageChange("app", "1.1", None, "1.0", "1.1")],
        read_file={}.get,
    )

    assert "The Application parent manages this one" in plan.warnings[0]
