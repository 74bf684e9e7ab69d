"""From approval to commit for every place the image updater can write to; the result is read from the Git host."""

import json
import sys

import pytest

from approvals.models import Promotion
from tests.integration.git.scene import plain_git
from tests.integration.story import targets
from tests.integration.story.conftest import approve
from tests.integration.story.targets import HELM, NEW, OLD, REPOSITORY, Shape
from updater.integrations.kubernetes.client import ClusterClient
from updater.models import Candidate

KUSTOMIZE = {"sourceType": "Kustomize"}
CHART = {"values.yaml": b"backend:\n  image: x\n  tag: y\n"}


@pytest.fixture(autouse=True)
def shown_on_failure(outside):
    """Print `git log -p` of what came out: pytest shows it when the test failed."""
    yield
    sys.stdout.write(targets.history(outside))


def helm_override(outside, tag=NEW, before=""):
    entries = (("backend.image", targets.image(outside)), ("backend.tag", tag))
    lines = "".join(
        f"  - name: {name}\n    value: {value}\n    forcestring: true\n" for name, value in entries
    )
    return f"helm:\n  parameters:\n{before}{lines}".encode()


def changed_paths(outside, branch="main"):
    path = outside.git.repositories.path(REPOSITORY)
    return plain_git(path, "diff", "--name-only", f"{branch}~1", branch).split()


# --- the override file


def test_write_override_file_of_a_helm_application_has_the_documented_bytes(outside, sre):
    targets.add(outside, targets.repository(outside, CHART), Shape())

    promotion = targets.written(outside, sre)

    written = outside.git.read(REPOSITORY, "main", ".argocd-source-shop.yaml")
    assert written == helm_override(outside)
    assert changed_paths(outside) == [".argocd-source-shop.yaml"]
    assert outside.git.log(REPOSITORY, "main")[0].sha == promotion.commit


def test_write_override_file_of_another_namespace_carries_its_name(outside, sre):
    shape = Shape(namespace="team-a", source={"path": "apps/shop"})
    files = {f"apps/shop/{name}": content for name, content in CHART.items()}
    targets.add(outside, targets.repository(outside, files), shape)

    targets.written(outside, sre)

    path = "apps/shop/.argocd-source-team-a_shop.yaml"
    assert outside.git.read(REPOSITORY, "main", path) == helm_override(outside)


def test_write_override_file_of_a_kustomize_application_lists_images(outside, sre):
    shape = Shape(annotations={}, status=KUSTOMIZE)
    targets.add(outside, targets.repository(outside, {"kustomization.yaml": b"{}\n"}), shape)

    targets.written(outside, sre)

    expected = f"kustomize:\n  images:\n  - {targets.image(outside)}:{NEW}\n".encode()
    assert outside.git.read(REPOSITORY, "main", ".argocd-source-shop.yaml") == expected


def test_write_override_file_of_a_plugin_sets_its_variables(outside, sre):
    followed = {
        "alias": "backend",
        "imageName": targets.image(outside),
        "commonUpdateSettings": {"updateStrategy": "newest-build", "allowTags": "regexp:^main"},
        "manifestTargets": {"plugin": {"name": "IMAGE_NAME", "tag": "IMAGE_TAG"}},
    }
    resource = targets.image_updater(followed, writeBackConfig={"method": "git"})
    group = "/apis/argocd-image-updater.argoproj.io/v1alpha1/namespaces/argocd/imageupdaters"
    outside.http.post(group, json=resource).raise_for_status()
    targets.add(outside, targets.repository(outside, CHART), Shape(status={"sourceType": "Plugin"}))

    targets.written(outside, sre)

    written = outside.git.read(REPOSITORY, "main", ".argocd-source-shop.yaml").decode()
    entries = (("IMAGE_NAME", targets.image(outside)), ("IMAGE_TAG", NEW))
    lines = "".join(f"  - name: {name}\n    value: {value}\n" for name, value in entries)
    assert written == f"plugin:\n  env:\n{lines}"


# --- values files and kustomizations: only the scalar's bytes differ

COMMENTED = """\
# Values of the shop\r
\r
backend:   # ours\r
    image: 'IMAGE'   # the repository\r
    tag: "main-aaaaaaa"  # the build\r
    note: main-aaaaaaa is only a word here\r
frontend: {tag: 'v1', list: [ 1,2 ]}\r
"""
LISTED = """\
containers:
- image: nginx
  tag: 1.27-main
# the shop
-   image: IMAGE
    tag: main-aaaaaaa   # moved by Countersign
"""
DOTTED = """\
backend.image: IMAGE
backend.tag: 'main-aaaaaaa'

backend:
  replicas: 2
"""
ANCHORED = """\
defaults: &defaults
  image: x
  tag: main-aaaaaaa
backend:
  <<: *defaults
"""
VALUES = [
    pytest.param(COMMENTED, "backend", '"main-aaaaaaa"', '"main-e1f492f"', id="comments-crlf"),
    pytest.param(LISTED, "containers[1]", ": main-aaaaaaa ", ": main-e1f492f ", id="list-index"),
    pytest.param(DOTTED, "backend", "'main-aaaaaaa'", "'main-e1f492f'", id="literal-dotted-key"),
]


@pytest.mark.parametrize(("text", "place", "old", "new"), VALUES)
def test_write_values_file_changes_only_the_scalar(outside, sre, text, place, old, new):
    before = text.replace("IMAGE", targets.image(outside)).encode()
    annotations = {
        "write-back-target": "helmvalues:values/production.yaml",
        "backend.helm.image-name": f"{place}.image",
        "backend.helm.image-tag": f"{place}.tag",
    }
    url = targets.repository(outside, {"values/production.yaml": before, "values.yaml": b"a: 1\n"})
    targets.add(outside, url, Shape(annotations=annotations))

    targets.written(outside, sre)

    written = outside.git.read(REPOSITORY, "main", "values/production.yaml")
    assert before.count(old.encode()) == 1
    assert written == before.replace(old.encode(), new.encode())
    assert changed_paths(outside) == ["values/production.yaml"]


def test_offer_that_would_move_another_value_too_is_refused_with_the_reason(outside):
    annotations = {
        "write-back-target": "helmvalues",
        "backend.helm.image-name": "defaults.image",
        "backend.helm.image-tag": "defaults.tag",
    }
    url = targets.repository(outside, {"values.yaml": ANCHORED.encode()})
    targets.add(outside, url, Shape(annotations=annotations))
    outside.push(NEW)

    outside.look()
    outside.propose()

    assert not Promotion.objects.exists()
    assert "would also change backend.<<" in Candidate.objects.get(is_current=True).problem


def test_write_kustomization_changes_only_the_tag(outside, sre):
    before = (
        "# the shop\nresources:\n- deployment.yaml\n\nimages:\n- name: nginx\n  newTag: '1.27'\n"
        f"- name: backend # placeholder\n  newName: {targets.image(outside)}\n"
        "  newTag: main-aaaaaaa # the build\n"
    ).encode()
    shape = Shape(
        annotations={
            "write-back-target": "kustomization:overlays/production",
            "backend.kustomize.image-name": "backend",
        },
        status=KUSTOMIZE,
    )
    path = "overlays/production/kustomization.yaml"
    targets.add(outside, targets.repository(outside, {path: before}), shape)

    targets.written(outside, sre)

    assert outside.git.read(REPOSITORY, "main", path) == before.replace(OLD.encode(), NEW.encode())


def test_write_pinned_by_digest_writes_tag_and_digest(outside, sre):
    before = f"backend:\n  image: {targets.image(outside)}\n  tag: main-aaaaaaa # build\n".encode()
    shape = Shape(
        annotations={**HELM, "write-back-target": "helmvalues"},
        own={"countersign.dev/pin": "digest"},
    )
    targets.add(outside, targets.repository(outside, {"values.yaml": before}), shape)

    promotion = targets.written(outside, sre)

    pinned = f"{NEW}@{promotion.to_digest}".encode()
    written = outside.git.read(REPOSITORY, "main", "values.yaml")
    assert written == before.replace(OLD.encode(), pinned)


# --- sources and branches


def test_write_named_one_of_several_sources_goes_to_its_repository(outside, sre):
    other = outside.git.create_repository("acme/other", CHART)
    url = targets.repository(outside, {"shop/values.yaml": CHART["values.yaml"]})
    listed = [
        {"repoURL": other, "path": ".", "targetRevision": "main", "name": "chart", "helm": {}},
        {"repoURL": url, "path": "shop", "targetRevision": "main", "name": "values"},
    ]
    shape = Shape(
        own={"countersign.dev/source-name": "values"},
        spec={"sources": listed},
        status={"sourceTypes": ["Helm", "Helm"]},
    )
    targets.add(outside, url, shape)

    targets.written(outside, sre)

    path = "shop/.argocd-source-shop.yaml"
    assert outside.git.read(REPOSITORY, "main", path) == helm_override(outside)
    assert len(outside.git.log("acme/other", "main")) == 1


def test_write_hydrated_application_changes_its_dry_source(outside, sre):
    url = targets.repository(outside, {"dry/values.yaml": CHART["values.yaml"]})
    dry = {"repoURL": url, "path": "dry", "targetRevision": "main", "helm": {}}
    hydrator = {"drySource": dry, "syncSource": {"targetBranch": "environments", "path": "shop"}}
    targets.add(outside, url, Shape(spec={"sourceHydrator": hydrator}))

    targets.written(outside, sre)

    path = "dry/.argocd-source-shop.yaml"
    assert outside.git.read(REPOSITORY, "main", path) == helm_override(outside)


@pytest.mark.parametrize(
    ("setting", "branch"),
    [
        ("main:updates", "updates"),
        (":staging", "staging"),
        ("main:build-{{range .Images}}{{.Alias}}-{{.NewTag}}{{end}}", f"build-backend-{NEW}"),
    ],
    ids=["base and write", "write only", "template"],
)
def test_write_to_another_branch_leaves_the_base_alone(outside, sre, setting, branch):
    shape = Shape(annotations={**HELM, "git-branch": setting})
    targets.add(outside, targets.repository(outside, CHART), shape)
    base = outside.git.log(REPOSITORY, "main")[0].sha

    promotion = targets.written(outside, sre)

    commits = outside.git.log(REPOSITORY, branch)
    assert [commit.sha for commit in commits] == [promotion.commit, base]
    written = outside.git.read(REPOSITORY, branch, ".argocd-source-shop.yaml")
    assert written == helm_override(outside)
    assert outside.git.log(REPOSITORY, "main")[0].sha == base


# --- the argocd method

FOREIGN = {"name": "api.key", "value": "mine"}
OURS = {"name": "backend.tag", "value": NEW, "forceString": True}


def parameters(outside):
    return outside.application("shop")["spec"]["source"]["helm"]["parameters"]


def add_live_helm(outside):
    shape = Shape(
        annotations={**HELM, "write-back-method": "argocd"},
        source={"helm": {"parameters": [FOREIGN, {"name": "backend.tag", "value": OLD}]}},
    )
    targets.add(outside, targets.repository(outside, CHART), shape)


def test_patch_helm_parameters_keeps_foreign_ones(outside, sre):
    add_live_helm(outside)

    targets.written(outside, sre)

    assert parameters(outside)[:2] == [FOREIGN, OURS]
    assert len(outside.git.log(REPOSITORY, "main")) == 1


def test_patch_kustomize_images_keeps_foreign_ones(outside, sre):
    image = targets.image(outside)
    listed = ["nginx:1.27", f"{image}:{OLD}", "old=quay.io/new:1"]
    shape = Shape(
        annotations={"write-back-method": "argocd"},
        source={"kustomize": {"images": listed}},
        status=KUSTOMIZE,
    )
    targets.add(outside, targets.repository(outside, {"kustomization.yaml": b"{}\n"}), shape)

    targets.written(outside, sre)

    images = outside.application("shop")["spec"]["source"]["kustomize"]["images"]
    assert sorted(images) == sorted(["nginx:1.27", f"{image}:{NEW}", "old=quay.io/new:1"])


def test_patch_after_a_concurrent_change_starts_from_a_fresh_read(outside, sre, monkeypatch):
    add_live_helm(outside)
    added = {"name": "replicas", "value": "3"}
    patch, attempts = ClusterClient.patch_application, []

    def patch_too_late(client, *args, **kwargs):
        if not attempts:
            listed = [*parameters(outside), added]
            outside.patch("shop", {"spec": {"source": {"helm": {"parameters": listed}}}})
        attempts.append(args)
        return patch(client, *args, **kwargs)

    monkeypatch.setattr(ClusterClient, "patch_application", patch_too_late)

    targets.written(outside, sre)

    assert len(attempts) == 2
    assert all(item in parameters(outside) for item in (FOREIGN, OURS, added))


def test_patch_whose_answer_was_lost_is_found_in_place(outside, sre):
    add_live_helm(outside)
    promotion = approve(outside.offer(), sre)
    outside.cluster.faults.add("lose", code=504, verbs=("patch",), resource="applications", times=1)

    outside.execute()

    promotion.refresh_from_db()
    assert promotion.status == "VERIFYING", promotion.status_reason
    steps = promotion.executions.get().steps.values_list("probed", flat=True)
    assert "Found in place after a lost answer" in steps
    assert parameters(outside).count(OURS) == 1
    assert json.dumps(parameters(outside)).count("backend.tag") == 1
