"""Reading is total: whatever stands in a manifest, one bad value disables what it concerns (cases A17 to A32)."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.updater.configuration.manifests import (
    GIT,
    IMAGES,
    PREFIX,
    codes,
    image_updater,
    manifest,
    read,
    reference,
    source,
)
from updater.configuration import reading, store
from updater.configuration.model import ApplicationConfiguration

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
TEXTS = st.text(max_size=30) | st.sampled_from(
    [
        "app=nginx",
        "git",
        "a=b:1,c=d",
        "helmvalues:x.yaml",
        "true",
        "digest",
        "main:x",
        "\0",
        "\ud800",
    ]
)
KEYS = st.sampled_from(
    [
        "image-list",
        "a.update-strategy",
        "app.helm.image-tag",
        "write-back-method",
        "write-back-target",
        "git-branch",
    ]
) | st.text(max_size=10)


def is_storable(configuration):
    """Tell whether the problems fit a page and a database: no control characters, not endless."""
    texts = [
        text
        for one in configuration.problems
        for text in (one.key, one.value, one.message, one.alias or "")
    ]
    return all(text.isprintable() for text in texts) and all(
        len(one.value) <= 200 for one in configuration.problems
    )


@given(JSON)
def test_read_any_document_gives_a_configuration(document):
    configuration = reading.read(document, image_updaters=[document])

    assert isinstance(configuration, ApplicationConfiguration)


@settings(max_examples=150)
@given(st.dictionaries(KEYS, TEXTS | JSON, max_size=6), JSON, JSON, st.booleans())
def test_read_any_annotations_spec_and_status_give_a_storable_configuration(
    annotations, spec, status, exact
):
    document = manifest(annotations)
    document["spec"] = spec if spec else document["spec"]
    document["status"] = status if status else document["status"]

    configuration = reading.read(document, exact=exact)

    assert is_storable(configuration)
    keys = [image.key for image in configuration.images]
    assert len(keys) == len(set(keys))


@given(st.lists(JSON, max_size=3), JSON, JSON, st.booleans())
def test_read_any_resource_gives_a_configuration(images, targets, config, exact):
    document = reference(
        "*",
        {"alias": "a", "imageName": "nginx", "manifestTargets": targets},
        writeBackConfig=config,
    )
    document["images"] += images
    resource = image_updater(document, commonUpdateSettings=config)

    configuration = read(resources=[resource], exact=exact)

    assert configuration.managed
    assert is_storable(configuration)


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "x",
        {},
        {"metadata": None},
        {"metadata": {"name": "x", "annotations": None}},
        {"metadata": {"annotations": "image-list"}},
        {"metadata": {"annotations": {1: 2, None: "x"}}},
    ],
    ids=repr,
)
def test_read_a32_document_without_annotations_is_not_managed(document):
    configuration = reading.read(document)

    assert not configuration.managed
    assert configuration.problems == ()


@pytest.mark.parametrize(
    "spec", [None, [], {}, {"source": None}, {"sources": None}, {"sources": "x"}]
)
def test_read_a32_without_a_source_is_a_problem(spec):
    document = manifest(IMAGES)
    document["spec"] = spec

    assert ("NO_SOURCE", None) in codes(reading.read(document), fatal=True)


def test_read_a32_both_source_and_sources_is_read():
    spec = {"source": source(), "sources": [source(path="x")]}

    assert codes(read(GIT, spec=spec, status={"sourceTypes": ["Helm"]})) == []


@pytest.mark.parametrize(
    ("bad", "key"),
    [
        ("a\nb=nginx", "a\\nb"),
        ("a=b=c", "a"),
        ("bad=ghcr.io/ACME/app", "bad"),
        ("ghcr.io/ACME/app", "ghcr.io/ACME/app"),
        ("x=a b", "x"),
        ("z=" + "a" * 5000, "z"),
        ("a\0=nginx", "a\\x00"),
        ("🙂", "\U0001f642"),
        ("x=docker.io/", "x"),
    ],
    ids=lambda text: ascii(text[:20]),
)
def test_read_a17_bad_entry_is_a_problem_and_good_ones_work(bad, key):
    configuration = read({"image-list": f"{bad},good=ghcr.io/acme/good"})

    assert [image.key for image in configuration.usable_images][-1] == "good"
    assert codes(configuration, fatal=True) == [("BAD_IMAGE", key)]
    assert is_storable(configuration)


@pytest.mark.parametrize(
    ("alias", "exact"), [("a" * 201, False), ("a\x1bb", True), ("a\ud800", True)]
)
def test_read_a17_alias_that_could_not_be_shown_is_a_problem(alias, exact):
    configuration = read({"image-list": f"{alias}=nginx,b=redis"}, exact=exact)

    assert [code for code, _ in codes(configuration, fatal=True)] == ["BAD_IMAGE"]
    assert [image.alias for image in configuration.images] == ["b"]
    assert is_storable(configuration)


@pytest.mark.parametrize("key", ["ignore-tags", "app.platforms"])
def test_read_list_that_is_too_long_disables_the_image(key):
    configuration = read({**IMAGES, key: "linux/amd64," * 500})

    assert codes(configuration, fatal=True) == [("TOO_LONG", "app")]


def test_read_a17_duplicate_alias_disables_both_and_good_ones_work():
    configuration = read({"image-list": "a=nginx,a=redis,b=x/y"})

    assert codes(configuration, fatal=True) == [("BAD_IMAGE", "a")]
    assert [image.alias for image in configuration.usable_images] == ["b"]


def test_read_a17_same_name_without_alias_is_told_to_use_aliases():
    configuration = read({"image-list": "ghcr.io/acme/app, quay.io/acme/app"})

    assert codes(configuration, fatal=True) == [("BAD_IMAGE", "acme/app")]
    assert "alias of its own" in configuration.problems[0].message


def test_read_a17_trailing_comma_and_slash_in_alias_are_fine():
    configuration = read({"image-list": "a/b=nginx,"})

    assert [image.alias for image in configuration.usable_images] == ["a/b"]
    assert configuration.problems == ()


@pytest.mark.parametrize("count", [51, 10_000])
def test_read_a17_too_many_images_disable_the_application(count):
    configuration = read(
        {"image-list": ",".join(f"a{number}=x/{number}" for number in range(count))}
    )

    assert codes(configuration) == [("TOO_MANY_IMAGES", None)]
    assert configuration.usable_images == ()


def test_read_fifty_images_are_fine():
    entries = [f"a{number}=x/{number}" for number in range(50)]

    assert len(read({"image-list": ",".join(entries)}, exact=True).usable_images) == 50


@pytest.mark.parametrize(
    "expression",
    ["(?=a)b", r"(a)\1", "x{1001}", "((a{100}){100}){100}", "a" * 100_000, "(", "[z-a]"],
    ids=lambda text: text[:22],
)
def test_read_a20_expression_that_re2_refuses_disables_the_image(expression):
    configuration = read({**IMAGES, "app.allow-tags": f"regexp:{expression}"})

    assert codes(configuration) == [("BAD_REGEX", "app")]
    assert configuration.usable_images == ()
    assert configuration.images[0].allow_tags is not None


HOSTILE = {
    "image-list": "app=nginx,=,a=b=c,X/Y,app=redis," + "z" * 5000,
    "app.update-strategy": "os.system",
    "app.force-update": "perhaps",
    "app.allow-tags": "regexp:(a+)+$(?=b)",
    "app.ignore-tags": "[" * 4000,
    "app.pull-secret": "ext:/bin/sh",
    "app.platforms": "/" * 4000,
    "app.helm.image-tag": "." * 4000,
    "app.kustomize.image-name": "../..",
    "write-back-method": "git:env:HOME",
    "write-back-target": "helmvalues:../../../../etc/passwd",
    "git-branch": "--upload-pack=x:{{.Missing}}",
    "git-repository": "ext::sh -c x",
}


def test_read_a32_an_application_full_of_bad_values_is_quick_and_only_problems():
    document = manifest(HOSTILE, spec={"source": 5, "sources": [None, {"path": "../.."}]})

    started = time.perf_counter()
    configuration = reading.read(document)
    elapsed = time.perf_counter() - started

    assert elapsed < 2
    assert configuration.usable_images == ()
    assert is_storable(configuration)


def test_read_a32_a_bad_application_does_not_touch_the_others():
    good = manifest(GIT)

    before = reading.read(good)
    reading.read(manifest(HOSTILE))

    assert reading.read(good) == before
    assert len(before.usable_images) == 1


@pytest.mark.parametrize("name", ["", None, 5, "a/b", "../x", "Shop", "a\nb", "x" * 300], ids=repr)
def test_read_name_that_is_no_objects_name_is_a_problem(name):
    assert ("BAD_NAME", None) in codes(read(IMAGES, name=name), fatal=True)


def test_read_problem_shows_a_short_printable_value():
    configuration = read({**IMAGES, "app.update-strategy": "\x1b[31m\0" + "x" * 5000})

    (problem,) = configuration.problems
    assert problem.key == f"{PREFIX}app.update-strategy"
    assert problem.value.startswith("\\x1b[31m\\x00xxx")
    assert problem.value.endswith("…")


def test_read_same_manifest_gives_the_same_configuration():
    assert read(GIT) == read(GIT)


@given(st.dictionaries(KEYS, TEXTS, max_size=5))
def test_store_round_trip_of_what_was_read_is_the_same(annotations):
    configuration = read({**IMAGES, **annotations})

    for image in configuration.images:
        assert store.from_json(store.to_json(image)) == image
    write_back = configuration.write_back
    assert store.write_back_from_json(store.write_back_to_json(write_back)) == write_back
