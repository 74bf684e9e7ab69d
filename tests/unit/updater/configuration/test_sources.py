"""Type and source detection: every step of specification 3.1, and our own annotations that choose a source."""

import pytest

from tests.unit.updater.configuration.manifests import (
    GIT,
    IMAGES,
    codes,
    image_updater,
    read,
    reference,
    source,
)


def several(*sources, types=None, annotations=GIT, own=None, exact=False):
    """Read an Application with several sources."""
    status = (
        {"sourceType": None, "sourceTypes": types} if types is not None else {"sourceType": None}
    )
    return read(annotations, own=own, spec={"sources": list(sources)}, status=status, exact=exact)


@pytest.mark.parametrize("kind", ["Helm", "Kustomize"])
@pytest.mark.parametrize("annotations", [IMAGES, GIT], ids=["argocd", "git"])
def test_read_single_source_has_the_type_argo_cd_reports(kind, annotations):
    configuration = read(annotations, status={"sourceType": kind})

    assert configuration.source_type == kind
    assert configuration.write_back.source_index is None
    assert configuration.problems == ()


@pytest.mark.parametrize("kind", ["Directory", "", None, "Jsonnet", 5])
@pytest.mark.parametrize("exact", [False, True], ids=["default", "exact"])
def test_read_unsupported_type_disables_the_application(kind, exact):
    configuration = read(IMAGES, status={"sourceType": kind}, exact=exact)

    assert codes(configuration, fatal=True) == [("UNSUPPORTED_SOURCE", None)]
    assert configuration.managed
    assert configuration.usable_images == ()


@pytest.mark.parametrize(
    ("target", "reported", "kind"),
    [
        ("kustomization", "Helm", "Kustomize"),
        ("kustomization:../x", "Directory", "Kustomize"),
        ("helmvalues", "Kustomize", "Helm"),
        ("helmvalues:v.yaml", "Directory", "Helm"),
        ("envs/values.yml", "Kustomize", "Helm"),
        ("x/.argocd-source-y.yaml", "Kustomize", "Kustomize"),
        ("overrides.json", "Kustomize", "Kustomize"),
    ],
)
def test_read_git_target_decides_the_type(target, reported, kind):
    configuration = read({**GIT, "write-back-target": target}, status={"sourceType": reported})

    assert configuration.source_type == kind


@pytest.mark.parametrize("target", ["kustomization", "helmvalues"])
def test_read_target_is_ignored_unless_the_method_is_git(target):
    configuration = read({**IMAGES, "write-back-target": target}, status={"sourceType": "Helm"})

    assert configuration.source_type == "Helm"
    assert configuration.write_back.target is None
    assert codes(configuration) == [("IGNORED", None)]


def test_read_plugin_with_git_counts_as_helm():
    configuration = read(GIT, status={"sourceType": "Plugin"})

    assert configuration.source_type == "Helm"
    assert configuration.problems == ()


def plugin_resource(method):
    image = {
        "alias": "app",
        "imageName": "nginx",
        "manifestTargets": {"plugin": {"spec": "APP_IMAGE"}},
    }
    return image_updater(reference("shop", image, writeBackConfig={"method": method}))


@pytest.mark.parametrize("method", ["argocd", "git"])
def test_read_plugin_with_a_plugin_target_is_a_plugin(method):
    configuration = read(resources=[plugin_resource(method)], status={"sourceType": "Plugin"})

    assert configuration.source_type == "Plugin"
    assert configuration.problems == ()


def test_read_plugin_with_argocd_and_no_target_would_write_nothing():
    configuration = read(IMAGES, status={"sourceType": "Plugin"})

    assert codes(configuration) == [("NO_PLUGIN_TARGET", "app")]


def test_read_plugin_with_argocd_and_no_target_exact_is_left_alone():
    assert read(IMAGES, status={"sourceType": "Plugin"}, exact=True).problems == ()


A, B = source(repoURL="https://a/a.git", path="a"), source(repoURL="https://b/b.git", path="b")


@pytest.mark.parametrize(
    ("types", "kind"),
    [
        (["Directory", "Kustomize"], "Kustomize"),
        (["", "Helm"], "Helm"),
        (["Helm", "Kustomize"], "Helm"),
    ],
)
def test_read_several_sources_take_the_first_supported_type(types, kind):
    assert several(A, B, types=types).source_type == kind


@pytest.mark.parametrize("types", [["Directory", ""], [], None, [None, 5]])
def test_read_several_sources_without_a_supported_type_are_refused(types):
    configuration = several(A, B, types=types)

    assert ("UNSUPPORTED_SOURCE", None) in codes(configuration, fatal=True)


@pytest.mark.parametrize(
    ("sources", "types", "index"),
    [
        pytest.param([A, B | {"helm": {}}], ["Helm", "Helm"], 1, id="a-explicit-block"),
        pytest.param(
            [A | {"kustomize": {}}, B | {"helm": {}}], ["Helm", "Helm"], 1, id="a-of-the-type"
        ),
        pytest.param([A, B], ["Directory", "Helm"], 1, id="b-index-of-the-type"),
        pytest.param([A, B | {"kustomize": {}}], ["Helm"], 1, id="c-any-block"),
        pytest.param([A, B], ["Directory", "Directory", "Helm"], 0, id="d-first"),
        pytest.param(
            [{"repoURL": "https://r/r", "ref": "values"}, B],
            ["", "Helm"],
            1,
            id="ref-only-not-chosen",
        ),
        pytest.param([A | {"helm": None}, B], ["Directory", "Helm"], 1, id="null-is-no-block"),
    ],
)
def test_read_several_sources_choose_one(sources, types, index):
    configuration = several(*sources, types=types)

    assert configuration.write_back.source_index == index
    assert configuration.write_back.repository == sources[index]["repoURL"]


def test_read_several_sources_for_a_kustomization_target():
    configuration = several(
        A | {"helm": {}},
        B,
        types=["Helm", "Kustomize"],
        annotations={**GIT, "write-back-target": "kustomization"},
    )

    assert (configuration.source_type, configuration.write_back.source_index) == ("Kustomize", 1)


def test_read_sources_come_before_source():
    configuration = read(
        GIT,
        spec={"source": source(path="single"), "sources": [A]},
        status={"sourceTypes": ["Helm"]},
    )

    assert configuration.write_back.source_index == 0


def test_read_empty_sources_fall_back_to_source():
    assert read(GIT, spec={"source": source(), "sources": []}).write_back.source_index is None


def hydrated(dry, *, reported="Directory", annotations=GIT):
    spec = {"source": source(path="ignored"), "sources": [A], "sourceHydrator": {"drySource": dry}}
    return read(annotations, spec=spec, status={"sourceType": reported})


@pytest.mark.parametrize(
    ("block", "kind"),
    [({"helm": {}}, "Helm"), ({"kustomize": {}}, "Kustomize"), ({"plugin": {}}, "Helm")],
)
def test_read_hydrator_takes_the_dry_source_and_its_explicit_type(block, kind):
    configuration = hydrated(
        source(repoURL="https://dry/r.git", path="dry", targetRevision="dry", **block)
    )

    assert configuration.source_type == kind
    assert configuration.write_back.repository == "https://dry/r.git"
    assert configuration.write_back.base_branch == "dry"
    assert configuration.write_back.target.path == "dry/.argocd-source-shop.yaml"
    assert configuration.write_back.source_index is None


def test_read_hydrator_without_a_block_has_the_reported_type():
    assert codes(hydrated(source()), fatal=True) == [("UNSUPPORTED_SOURCE", None)]
    assert hydrated(source(), reported="Helm").source_type == "Helm"


def test_read_without_any_source_is_refused():
    configuration = read(IMAGES, spec={"project": "x"})

    assert codes(configuration, fatal=True) == [("NO_SOURCE", None)]


NAMED = [A | {"name": "first"}, B | {"name": "second"}]


@pytest.mark.parametrize(
    "own",
    [
        {"countersign.dev/source-index": "1"},
        {"countersign.dev/source-name": "second"},
        {"countersign.dev/source-name": "second", "countersign.dev/source-index": "1"},
    ],
    ids=["index", "name", "both"],
)
@pytest.mark.parametrize("exact", [False, True], ids=["default", "exact"])
def test_read_own_annotation_chooses_the_source(own, exact):
    configuration = several(*NAMED, types=["Helm", "Kustomize"], own=own, exact=exact)

    assert configuration.write_back.source_index == 1
    assert configuration.write_back.repository == "https://b/b.git"
    assert configuration.source_type == "Kustomize"
    assert configuration.problems == ()


@pytest.mark.parametrize(
    "own",
    [
        {"countersign.dev/source-index": "2"},
        {"countersign.dev/source-index": "-1"},
        {"countersign.dev/source-index": "01"},
        {"countersign.dev/source-index": ""},
        {"countersign.dev/source-index": 1},
        {"countersign.dev/source-name": "third"},
        {"countersign.dev/source-name": ""},
        {"countersign.dev/source-name": "first", "countersign.dev/source-index": "1"},
    ],
    ids=str,
)
def test_read_own_annotation_that_names_no_source_disables_the_application(own):
    configuration = several(*NAMED, types=["Helm", "Kustomize"], own=own)

    assert codes(configuration, fatal=True) == [("BAD_SOURCE", None)]
    assert "0 first, 1 second" in configuration.problems[0].message


def test_read_own_annotation_with_an_ambiguous_name_disables_the_application():
    twins = [A | {"name": "x"}, B | {"name": "x"}]

    configuration = several(
        *twins, types=["Helm", "Helm"], own={"countersign.dev/source-name": "x"}
    )

    assert codes(configuration, fatal=True) == [("BAD_SOURCE", None)]


@pytest.mark.parametrize(
    ("types", "kind"), [(["Helm", ""], "Directory"), ([], "Helm"), (["Helm"], "Helm")]
)
def test_read_own_annotation_takes_the_type_of_that_source(types, kind):
    configuration = several(
        A, B | {"helm": {}}, types=types, own={"countersign.dev/source-index": "1"}
    )

    assert configuration.source_type == kind


@pytest.mark.parametrize(("index", "problems"), [("0", []), ("1", [("BAD_SOURCE", None)])])
def test_read_own_annotation_on_a_single_source(index, problems):
    assert codes(read(GIT, own={"countersign.dev/source-index": index})) == problems


@pytest.mark.parametrize("pin", ["tag", "digest"])
def test_read_pin_is_kept(pin):
    assert read(IMAGES, own={"countersign.dev/pin": pin}).pin == pin


def test_read_pin_absent_is_tag():
    assert read(IMAGES).pin == "tag"


@pytest.mark.parametrize("pin", ["Digest", "", "sha", 5, True])
def test_read_pin_of_another_word_disables_the_application(pin):
    assert codes(read(IMAGES, own={"countersign.dev/pin": pin}), fatal=True) == [("BAD_PIN", None)]
