"""The method git: which file, what it holds afterwards, and the warnings (specification 3.4 to 3.7)."""

from dataclasses import replace

import pytest

from tests.unit.updater.configuration.manifests import (
    GIT,
    image_updater,
    manifest,
    reference,
    source,
)
from updater import writeback
from updater.configuration import reading
from updater.writeback import ImageChange, WriteBackError

DIGEST = "sha256:" + "ab" * 32
LIVE = {"summary": {"images": ["ghcr.io/acme/app:1.0", "ghcr.io/acme/job:7"]}}
TWO = {**GIT, "image-list": "app=ghcr.io/acme/app,job=ghcr.io/acme/job"}
JOB = {**TWO, "job.helm.image-name": "job.name", "job.helm.image-tag": "job.tag"}
OVERRIDE = "apps/shop/.argocd-source-shop.yaml"
APP_ENTRIES = """\
helm:
  parameters:
  - name: image.name
    value: ghcr.io/acme/app
    forcestring: true
  - name: image.tag
    value: 1.1
    forcestring: true
""".replace("1.1", '"1.1"')
JOB_ENTRIES = """\
  - name: job.name
    value: ghcr.io/acme/job
    forcestring: true
  - name: job.tag
    value: "7"
    forcestring: true
"""


def change(key="app", tag="1.1", digest=None, **fields):
    """Return a change from 1.0."""
    return ImageChange(key, tag, digest, **{"old": "1.0", "new": tag, **fields})


def planned(annotations=None, files=None, *, changes=None, exact=False, resources=(), **fields):
    """Return the plan for an Application over these files."""
    texts = files or {}
    document = manifest(annotations or GIT, **{"status": LIVE, **fields})
    return writeback.plan(
        manifest=document,
        configuration=reading.read(document, image_updaters=resources, exact=exact),
        changes=changes or [change()],
        read_file=lambda path: texts[path].encode() if path in texts else None,
        exact=exact,
    )


def after(plan):
    """Return the path and the text of the only file."""
    (file,) = plan.files
    return file.path, file.after.decode()


def helm(*parameters, **block):
    """Return the spec of a source with Helm parameters."""
    listed = [{"name": name, "value": value} for name, value in parameters]
    return {"source": source(helm={"parameters": listed, **block})}


BOTH_MODES = pytest.mark.parametrize("exact", [False, True], ids=["default", "exact"])


@BOTH_MODES
def test_plan_new_override_file_holds_all_that_runs(exact):
    plan = planned(JOB, exact=exact)

    assert after(plan) == (OVERRIDE, APP_ENTRIES + JOB_ENTRIES)
    assert plan.files[0].before is None
    assert (plan.method, plan.base_branch, plan.branch) == ("git", "main", "main")
    assert plan.repository == "https://git.example.com/acme/deploy.git"
    assert plan.argocd_patch is None


def test_plan_image_that_does_not_move_keeps_what_the_file_has_unless_exact():
    files = {OVERRIDE: APP_ENTRIES + JOB_ENTRIES.replace('"7"', '"6"')}

    assert planned(JOB, files).files == ()
    assert after(planned(JOB, files, exact=True))[1] == APP_ENTRIES + JOB_ENTRIES


def test_plan_file_that_holds_everything_changes_nothing():
    for exact in (False, True):
        plan = planned(JOB, {OVERRIDE: APP_ENTRIES + JOB_ENTRIES}, exact=exact)

        assert (plan.files, plan.edits) == ((), ())


@BOTH_MODES
def test_plan_tells_every_scalar_and_its_image(exact):
    before = APP_ENTRIES.replace('"1.1"', "1.0.0")

    plan = planned(JOB, {OVERRIDE: before}, exact=exact)

    assert {(edit.key, edit.old, edit.new, edit.image) for edit in plan.edits} == {
        ("helm.parameters.image.tag", "1.0.0", "1.1", "app"),
        ("helm.parameters.job.name", None, "ghcr.io/acme/job", "job"),
        ("helm.parameters.job.tag", None, "7", "job"),
    }


def test_plan_exact_takes_managed_parameters_of_images_that_do_not_run():
    annotations = {
        **JOB,
        "image-list": JOB["image-list"] + ",off=ghcr.io/acme/off",
        "off.helm.image-spec": "zzz",
    }
    spec = helm(("zzz", "ghcr.io/acme/off:3"), ("replicas", "2"), ("job.tag", "old"))

    text = after(planned(annotations, spec=spec, exact=True))[1]

    off = "  - name: zzz\n    value: ghcr.io/acme/off:3\n    forcestring: true\n"
    assert text == APP_ENTRIES + JOB_ENTRIES + off


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({}, ["image.name", "image.tag"]),
        ({"app.helm.image-name": "a"}, ["a", "image.tag"]),
        ({"app.helm.image-tag": "b"}, ["image.name", "b"]),
        ({"app.helm.image-name": "a", "app.helm.image-tag": "b"}, ["a", "b"]),
        ({"app.helm.image-spec": "s"}, ["s"]),
        ({"app.helm.image-spec": "s", "app.helm.image-tag": "b"}, ["s"]),
    ],
    ids=["defaults", "name", "tag", "both", "spec", "spec-wins"],
)
@BOTH_MODES
def test_plan_helm_parameters_that_are_written(options, names, exact):
    plan = planned({**GIT, **options}, exact=exact)

    assert sorted(edit.key.removeprefix("helm.parameters.") for edit in plan.edits) == sorted(names)


@BOTH_MODES
def test_plan_image_spec_is_one_full_reference(exact):
    plan = planned({**GIT, "app.helm.image-spec": "s"}, exact=exact)

    assert "- name: s\n    value: ghcr.io/acme/app:1.1\n" in after(plan)[1]


@pytest.mark.parametrize(
    ("annotations", "digest", "value"),
    [
        ({**GIT, "app.update-strategy": "digest"}, DIGEST, f"v1@{DIGEST}"),
        (GIT, DIGEST, "v1"),
        (GIT, None, "v1"),
    ],
    ids=["digest-strategy", "tag-with-known-digest", "tag"],
)
@BOTH_MODES
def test_plan_digest_is_written_where_it_is_pinned(annotations, digest, value, exact):
    listed = annotations["image-list"] + (":v1" if "digest" in str(annotations) else "")

    plan = planned(
        {**annotations, "image-list": listed},
        changes=[change(tag="v1", digest=digest)],
        exact=exact,
    )

    assert f"value: {value}\n" in after(plan)[1]


@BOTH_MODES
@pytest.mark.parametrize(
    ("live", "value"),
    [
        (f"ghcr.io/acme/job:7@{DIGEST}", f"7@{DIGEST}"),
        (f"ghcr.io/acme/job@{DIGEST}", f"latest@{DIGEST}"),
    ],
    ids=["tag-and-digest", "digest"],
)
def test_plan_image_that_does_not_move_is_written_as_it_runs(live, value, exact):
    status = {"summary": {"images": ["ghcr.io/acme/app:1.0", live]}}

    assert f"value: {value}\n" in after(planned(JOB, status=status, exact=exact))[1]


@BOTH_MODES
@pytest.mark.parametrize(
    "live", ["ghcr.io/acme/job", "ghcr.io/other/job:1"], ids=["untagged", "absent"]
)
def test_plan_image_without_a_running_tag_is_left_out(live, exact):
    status = {"summary": {"images": ["ghcr.io/acme/app:1.0", live]}}

    assert after(planned(JOB, status=status, exact=exact))[1] == APP_ENTRIES


@BOTH_MODES
def test_plan_kustomize_override_lists_image_strings(exact):
    annotations = {**TWO, "app.kustomize.image-name": "old/app"}
    status = {**LIVE, "sourceType": "Kustomize"}

    plan = planned(annotations, status=status, exact=exact)

    assert after(plan)[1] == (
        "kustomize:\n  images:\n  - old/app=ghcr.io/acme/app:1.1\n  - ghcr.io/acme/job:7\n"
    )


def test_plan_kustomize_exact_takes_the_applications_own_strings_too():
    spec = {"source": source(kustomize={"images": ["ghcr.io/acme/app:0.9", "redis:7"]})}
    status = {**LIVE, "sourceType": "Kustomize"}

    default, exact = (planned(GIT, spec=spec, status=status, exact=mode) for mode in (False, True))

    assert after(default)[1] == "kustomize:\n  images:\n  - ghcr.io/acme/app:1.1\n"
    assert after(exact)[1] == "kustomize:\n  images:\n  - ghcr.io/acme/app:1.1\n  - redis:7\n"
    assert default.warnings == (f"Images of the Application that {OVERRIDE} hides: redis:7.",)
    assert exact.warnings == ()


@BOTH_MODES
def test_plan_plugin_writes_variables(exact):
    image = {"alias": "app", "imageName": "ghcr.io/acme/app"}
    target = {"manifestTargets": {"plugin": {"name": "APP_NAME", "tag": "APP_TAG"}}}
    resource = image_updater(reference("shop", image | target), writeBackConfig={"method": "git"})
    status = {**LIVE, "sourceType": "Plugin"}
    files = {OVERRIDE: "plugin:\n  env:\n  - name: APP_TAG\n    value: x\n"}

    plan = planned({}, files, status=status, resources=[resource], exact=exact)

    assert after(plan)[1] == (
        'plugin:\n  env:\n  - name: APP_TAG\n    value: "1.1"\n'
        "  - name: APP_NAME\n    value: ghcr.io/acme/app\n"
    )


@BOTH_MODES
@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("helmvalues", "apps/shop/values.yaml"),
        ("helmvalues:../x.yaml", "apps/x.yaml"),
        ("helmvalues:/a/b.yaml", "a/b.yaml"),
        ("a/b.yaml", "a/b.yaml"),
    ],
)
def test_plan_values_file_is_changed_at_its_path(target, path, exact):
    files = {path: "image:\n  name: ghcr.io/acme/app # n\n  tag: v1.0 # t\n"}
    annotations = {**GIT, "write-back-target": target}

    plan = planned(annotations, files, changes=[change(tag="v1.1")], exact=exact)

    assert after(plan) == (path, files[path].replace("v1.0", "v1.1"))
    assert [(edit.key, edit.old, edit.new) for edit in plan.edits] == [
        ("image.tag", "v1.0", "v1.1")
    ]


@BOTH_MODES
def test_plan_new_values_file_has_the_tag_before_the_name(exact):
    plan = planned({**GIT, "write-back-target": "helmvalues"}, exact=exact)

    assert after(plan)[1] == (
        "# auto generated by argocd image updater\n\n"
        'image:\n  tag: "1.1"\n  name: ghcr.io/acme/app\n'
    )


def test_plan_values_of_an_image_that_does_not_move_stay_unless_exact():
    path = "apps/shop/values.yaml"
    files = {
        path: "image: {name: ghcr.io/acme/app, tag: v0}\njob: {name: ghcr.io/acme/job, tag: v6}\n"
    }
    annotations = {**JOB, "write-back-target": "helmvalues"}
    status = {"summary": {"images": ["ghcr.io/acme/app:v0", "ghcr.io/acme/job:v7"]}}
    moves = {"changes": [change(tag="v1")], "status": status}

    assert after(planned(annotations, files, **moves))[1] == files[path].replace("v0", "v1")
    assert after(planned(annotations, files, **moves, exact=True))[1] == files[path].replace(
        "v0", "v1"
    ).replace("v6", "v7")


@BOTH_MODES
def test_plan_hydrated_values_file_gets_the_running_tag_only_when_exact(exact):
    dry = source()
    spec = {
        "sourceHydrator": {"drySource": dry, "syncSource": {"targetBranch": "env", "path": "x"}}
    }
    files = {"apps/shop/values.yaml": "image:\n  name: ghcr.io/acme/app\n  tag: v0\n"}
    status = {"summary": {"images": ["ghcr.io/acme/app:v0.9"]}}

    plan = planned(
        {**GIT, "write-back-target": "helmvalues"},
        files,
        spec=spec,
        status=status,
        changes=[change(tag="v1")],
        exact=exact,
    )

    assert f"tag: {'v0.9' if exact else 'v1'}\n" in after(plan)[1]


def test_plan_hydrated_override_file_is_emptied_only_when_exact():
    spec = {
        "sourceHydrator": {
            "drySource": source(),
            "syncSource": {"targetBranch": "env", "path": "x"},
        }
    }
    status = {**LIVE, "sourceType": "Helm"}

    assert after(planned(GIT, spec=spec, status=status))[1] == APP_ENTRIES
    assert after(planned(GIT, spec=spec, status=status, exact=True))[1] == ""


@BOTH_MODES
@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("kustomization", "apps/shop/kustomization.yaml"),
        ("kustomization", "apps/shop/kustomization.yml"),
        ("kustomization:../x", "apps/x/Kustomization"),
        ("kustomization:/", "kustomization.yaml"),
    ],
)
def test_plan_kustomization_is_found_by_its_names(target, path, exact):
    files = {path: "resources:\n- a\n"}

    plan = planned({**GIT, "write-back-target": target}, files, exact=exact)

    assert after(plan) == (
        path,
        'resources:\n- a\nimages:\n- name: ghcr.io/acme/app\n  newTag: "1.1"\n',
    )


def test_plan_kustomization_image_that_does_not_move_is_added_or_kept():
    path = "apps/shop/kustomization.yaml"
    annotations = {**TWO, "write-back-target": "kustomization"}
    kept = "images:\n- name: ghcr.io/acme/job\n  newTag: v6\n"

    assert 'job\n  newTag: "7"\n' in after(planned(annotations, {path: "a: b\n"}))[1]
    assert after(planned(annotations, {path: kept}))[1].startswith(kept)
    assert 'job\n  newTag: "7"\n' in after(planned(annotations, {path: kept}, exact=True))[1]


def test_plan_without_a_kustomization_is_refused():
    with pytest.raises(WriteBackError, match="no kustomization in apps/shop"):
        planned({**GIT, "write-back-target": "kustomization"})


@pytest.mark.parametrize(
    ("files", "part"),
    [
        ({OVERRIDE: "a: [1\n"}, f"{OVERRIDE}: line 2: "),
        ({OVERRIDE: "helm: {}\nhelm: {}\n"}, f"{OVERRIDE}: line 2: the key 'helm'"),
    ],
    ids=["broken", "g09-duplicate-key"],
)
def test_plan_file_that_cannot_be_edited_is_refused_with_its_path(files, part):
    with pytest.raises(WriteBackError) as refused:
        planned(GIT, files)

    assert part in str(refused.value)


def test_plan_parameters_that_the_file_will_hide_are_named_without_their_values():
    spec = helm(("replicas", "secret-value"), ("image.tag", "1.0"), ("b", "x"))

    plan = planned(GIT, spec=spec)

    assert plan.warnings == (
        f"Helm parameters of the Application that {OVERRIDE} hides: replicas, b.",
    )


def test_plan_many_hidden_parameters_are_cut_short():
    spec = helm(*((f"p{number:02}", "x") for number in range(25)))

    (warning,) = planned(GIT, spec=spec).warnings

    assert warning.endswith("p19 and 5 more.")


def test_plan_values_file_hides_nothing():
    spec = helm(("replicas", "2"))

    assert planned({**GIT, "write-back-target": "helmvalues"}, spec=spec).warnings == ()


@pytest.mark.parametrize(
    ("setting", "is_covered"),
    [
        (".", True),
        ("/apps", True),
        ("/apps/shop", True),
        ("/apps/shop/.argocd-source-shop.yaml", True),
        (".argocd-source-*.yaml", True),
        ("/other;.", True),
        ("..", True),
        ("/", True),
        ("", True),
        ("/other", False),
        ("templates;/apps/shopping", False),
        ("../../..", False),
        ("[", False),
        ("/appsx; ;", False),
    ],
)
def test_plan_generate_paths_that_miss_the_file_are_a_warning(setting, is_covered):
    own = {"argocd.argoproj.io/manifest-generate-paths": setting}

    warnings = planned(GIT, own=own).warnings

    assert (warnings == ()) is is_covered
    assert is_covered or "does not cover apps/shop/.argocd-source-shop.yaml" in warnings[0]


def test_plan_generate_paths_of_another_repository_say_nothing():
    own = {"argocd.argoproj.io/manifest-generate-paths": "/other"}
    annotations = {**GIT, "git-repository": "https://git.example.com/acme/values.git"}

    assert (
        planned({**annotations, "write-back-target": "helmvalues:/x.yaml"}, own=own).warnings == ()
    )


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ([change("nope")], "nope is not a usable image of shop"),
        ([change(), change()], "named twice"),
        ([change(tag="a b")], "'a b' is not a tag"),
        ([change(tag="v1\n")], "is not a tag"),
        ([change(tag="-x")], "is not a tag"),
        ([change(tag="x" * 129)], "is not a tag"),
        ([change(digest="sha256:abc")], "'sha256:abc' is not a digest"),
    ],
    ids=["unknown", "twice", "blank", "g26-newline", "option", "long", "digest"],
)
def test_plan_change_that_is_none_is_refused(changes, part):
    with pytest.raises(WriteBackError) as refused:
        planned(GIT, changes=changes)

    assert part in str(refused.value)


def test_plan_digest_strategy_without_a_digest_is_refused():
    annotations = {**GIT, "image-list": "app=ghcr.io/acme/app:v1", "app.update-strategy": "digest"}

    with pytest.raises(WriteBackError, match="app is pinned by digest"):
        planned(annotations)


def test_plan_without_changes_is_refused():
    document = manifest(GIT)

    with pytest.raises(WriteBackError, match="There is no change"):
        writeback.plan(
            manifest=document,
            configuration=reading.read(document),
            changes=[],
            read_file={}.get,
        )


@pytest.mark.parametrize(
    ("annotations", "part"),
    [
        ({"image-list": ""}, "is not managed"),
        ({**GIT, "write-back-method": "git:env:HOME"}, "write-back-method"),
        ({**GIT, "write-back-target": "helmvalues:../../../x.yaml"}, "write-back-target"),
    ],
    ids=["unmanaged", "a14-credentials", "a01-path"],
)
def test_plan_unusable_configuration_is_refused(annotations, part):
    with pytest.raises(WriteBackError) as refused:
        planned(annotations)

    assert part in str(refused.value)


def test_plan_without_a_target_is_refused():
    document = manifest(GIT, status=LIVE)
    configuration = reading.read(document)
    without = replace(configuration, write_back=replace(configuration.write_back, target=None))

    with pytest.raises(WriteBackError, match="no file to write to"):
        writeback.plan(
            manifest=document, configuration=without, changes=[change()], read_file={}.get
        )


@BOTH_MODES
def test_plan_tracked_tag_decides_which_running_image_counts(exact):
    other = DIGEST.replace("ab", "cd")
    status = {
        "summary": {"images": [f"ghcr.io/acme/job:v0@{other}", f"ghcr.io/acme/job:v1@{DIGEST}"]}
    }
    annotations = {
        **JOB,
        "image-list": "app=ghcr.io/acme/app,job=ghcr.io/acme/job:v1",
        "job.update-strategy": "digest",
    }

    text = after(planned(annotations, status=status, exact=exact))[1]

    assert f"value: v1@{DIGEST}\n" in text


@pytest.mark.parametrize("digest", [DIGEST, None], ids=["known", "unknown"])
def test_plan_pin_by_digest_writes_it_or_refuses(digest):
    document = manifest(GIT, status=LIVE)
    pinned = replace(reading.read(document), pin="digest")
    arguments = {"manifest": document, "configuration": pinned, "read_file": {}.get}

    if digest is None:
        with pytest.raises(WriteBackError, match="pinned by digest"):
            writeback.plan(changes=[change(digest=None)], **arguments)
        return
    plan = writeback.plan(changes=[change(tag="v1", digest=digest)], **arguments)

    assert f"value: v1@{DIGEST}\n" in after(plan)[1]
