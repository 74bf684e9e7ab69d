"""Every row of the table of annotations (specification 1.1), for our default and for `exact`."""

import pytest

from tests.unit.updater.configuration.manifests import codes, manifest, read
from updater.configuration import reading
from updater.configuration.model import HelmTarget, KustomizeTarget
from updater.selection import Strategy

LIST = {"image-list": "app=ghcr.io/acme/app"}


def image(annotations, *, exact=False):
    """Return the first image of an Application with the usual list and these annotations."""
    return read({**LIST, **annotations}, exact=exact).images[0]


@pytest.mark.parametrize("exact", [False, True], ids=["default", "exact"])
@pytest.mark.parametrize(
    ("text", "entries"),
    [
        pytest.param("nginx", [("", "", "nginx", None)], id="name"),
        pytest.param("web=nginx", [("web", "", "nginx", None)], id="alias"),
        pytest.param("web=nginx:~1.26", [("web", "", "nginx", "~1.26")], id="constraint"),
        pytest.param(
            "a=ghcr.io/x/a:^1, b=quay.io/x/b",
            [("a", "ghcr.io", "x/a", "^1"), ("b", "quay.io", "x/b", None)],
            id="two",
        ),
        pytest.param(" a = nginx:1.x ,", [("a", "", "nginx", "1.x")], id="blanks-and-empty-item"),
        pytest.param(
            "a=nginx,\n  b=redis\n",
            [("a", "", "nginx", None), ("b", "", "redis", None)],
            id="folded-lines",
        ),
        pytest.param(
            "a=nginx:>=1.0 <2.0", [("a", "", "nginx", ">=1.0 <2.0")], id="blank-means-and"
        ),
        pytest.param("a=nginx:>=1.0", [("a", "", "nginx", ">=1.0")], id="equals-after-an-alias"),
        pytest.param(
            "reg:5000/x=reg.io:5000/x:1",
            [("reg:5000/x", "reg.io:5000", "x", "1")],
            id="alias-like-an-image",
        ),
        pytest.param("a=nginx:1@sha256:" + "0" * 64, [("a", "", "nginx", "1")], id="digest"),
    ],
)
def test_read_image_list_is_split_into_entries(text, entries, exact):
    configuration = read({"image-list": text}, exact=exact)

    found = [
        (one.alias, one.reference.registry, one.reference.repository, one.constraint)
        for one in configuration.images
    ]
    assert found == entries
    assert configuration.managed
    assert not codes(configuration, fatal=True)


def test_read_without_image_list_is_not_managed():
    configuration = read({})

    assert not configuration.managed
    assert configuration.problems == ()


@pytest.mark.parametrize("text", ["", " ", ",", " , ,\n"], ids=repr)
@pytest.mark.parametrize("exact", [False, True], ids=["default", "exact"])
def test_read_empty_image_list_is_skipped_with_a_warning(text, exact):
    configuration = read({"image-list": text}, exact=exact)

    assert not configuration.managed
    assert configuration.images == ()
    assert codes(configuration) == [("NO_IMAGES", None)]
    assert not configuration.problems[0].fatal


def test_read_alias_without_image_disables_that_entry_only():
    configuration = read({"image-list": "a=, b=nginx"})

    assert [one.alias for one in configuration.images] == ["b"]
    assert codes(configuration, fatal=True) == [("BAD_IMAGE", "a")]
    assert [one.alias for one in configuration.usable_images] == ["b"]


def test_read_alias_without_image_exact_disables_the_application():
    configuration = read({"image-list": "a=, b=nginx"}, exact=True)

    assert codes(configuration, fatal=True) == [("BAD_IMAGE", None)]
    assert configuration.usable_images == ()


def test_read_constraint_taken_for_an_alias_is_a_problem_with_the_mend():
    configuration = read({"image-list": "nginx:>=1.0, b=redis"})

    (problem,) = [one for one in configuration.problems if one.fatal]
    assert problem.code == "BAD_IMAGE"
    assert "alias" in problem.message
    assert [one.alias for one in configuration.usable_images] == ["b"]


def test_read_constraint_taken_for_an_alias_exact_is_read_as_upstream_does():
    configuration = read({"image-list": "nginx:>=1.0"}, exact=True)

    assert configuration.images[0].alias == "nginx:>"
    assert configuration.images[0].reference.repository == "1.0"


STRATEGIES = [
    ("semver", Strategy.SEMVER),
    ("newest-build", Strategy.NEWEST_BUILD),
    ("latest", Strategy.NEWEST_BUILD),
    ("alphabetical", Strategy.ALPHABETICAL),
    ("name", Strategy.ALPHABETICAL),
    ("digest", Strategy.DIGEST),
    ("NEWEST-Build", Strategy.NEWEST_BUILD),
    ("LATEST", Strategy.NEWEST_BUILD),
]


@pytest.mark.parametrize("key", ["app.update-strategy", "update-strategy"])
@pytest.mark.parametrize("exact", [False, True], ids=["default", "exact"])
@pytest.mark.parametrize(("word", "strategy"), STRATEGIES, ids=[word for word, _ in STRATEGIES])
def test_read_strategy_known_word_is_used(key, word, strategy, exact):
    assert image({key: word}, exact=exact).strategy is strategy


def test_read_strategy_absent_is_semver():
    assert image({}).strategy is Strategy.SEMVER


@pytest.mark.parametrize("key", ["app.update-strategy", "update-strategy"])
@pytest.mark.parametrize("word", ["os.system", "LATEST ", "newest_build"])
def test_read_strategy_a23_unknown_word_disables_the_image(key, word):
    configuration = read(
        {"image-list": "app=nginx, other=redis", "other.update-strategy": "digest", key: word}
    )

    assert codes(configuration, fatal=True) == [("BAD_STRATEGY", "app")]
    assert [one.alias for one in configuration.usable_images] == ["other"]


def test_read_strategy_unknown_word_exact_is_semver_with_a_warning():
    configuration = read({**LIST, "app.update-strategy": "os.system"}, exact=True)

    assert configuration.usable_images[0].strategy is Strategy.SEMVER
    assert codes(configuration, fatal=False) == [("BAD_STRATEGY", "app")]


def test_read_strategy_a23_empty_counts_as_not_set_but_is_not_silent():
    configuration = read({**LIST, "app.update-strategy": "", "update-strategy": "digest"})

    assert configuration.usable_images[0].strategy is Strategy.DIGEST
    assert codes(configuration) == [("BAD_STRATEGY", "app")]


TRUE, FALSE = ("1", "t", "T", "TRUE", "true", "True"), ("0", "f", "F", "FALSE", "false", "False")
BOOLEANS = dict.fromkeys(TRUE, True) | dict.fromkeys(FALSE, False)


@pytest.mark.parametrize("key", ["app.force-update", "force-update"])
@pytest.mark.parametrize("exact", [False, True], ids=["default", "exact"])
@pytest.mark.parametrize(("word", "is_forced"), BOOLEANS.items(), ids=list(BOOLEANS))
def test_read_force_update_go_boolean_is_understood(key, word, is_forced, exact):
    assert image({key: word}, exact=exact).force_update is is_forced


def test_read_force_update_absent_is_false():
    assert image({}).force_update is False


@pytest.mark.parametrize("word", ["yes", "tRUE", "", "on"])
def test_read_force_update_other_word_disables_the_image(word):
    configuration = read({"image-list": "app=nginx, other=redis", "app.force-update": word})

    assert codes(configuration, fatal=True) == [("BAD_BOOLEAN", "app")]
    assert [one.alias for one in configuration.usable_images] == ["other"]


@pytest.mark.parametrize("word", ["yes", "", "on"])
def test_read_force_update_other_word_exact_disables_the_application(word):
    configuration = read({**LIST, "app.force-update": word}, exact=True)

    assert codes(configuration, fatal=True) == [("BAD_BOOLEAN", None)]


@pytest.mark.parametrize("key", ["app.allow-tags", "allow-tags"])
@pytest.mark.parametrize("word", ["any", "ANY", "regexp:^main-", "REGEXP:a:b"])
def test_read_allow_tags_is_kept_literally(key, word):
    assert image({key: word}).allow_tags == word


@pytest.mark.parametrize("word", [None, ""], ids=["absent", "empty"])
def test_read_allow_tags_absent_or_empty_means_all(word):
    assert image({"app.allow-tags": word} if word is not None else {}).allow_tags is None


@pytest.mark.parametrize("word", ["foo", "glob:x", "regexp:(?=a)b"])
def test_read_allow_tags_a20_bad_expression_disables_the_image(word):
    configuration = read({**LIST, "app.allow-tags": word})

    assert codes(configuration, fatal=True) == [("BAD_REGEX", "app")]
    assert configuration.usable_images == ()


def test_read_allow_tags_bad_expression_exact_stays_and_matches_nothing():
    configuration = read({**LIST, "app.allow-tags": "foo"}, exact=True)

    assert configuration.usable_images[0].allow_tags == "foo"
    assert codes(configuration) == [("BAD_REGEX", "app")]


def test_read_tag_match_is_used_with_a_warning():
    configuration = read({**LIST, "app.tag-match": "regexp:^v"})

    assert configuration.usable_images[0].allow_tags == "regexp:^v"
    assert codes(configuration) == [("DEPRECATED_KEY", "app")]


@pytest.mark.parametrize("key", ["app.allow-tags", "allow-tags"])
def test_read_tag_match_gives_way_to_allow_tags(key):
    assert image({"app.tag-match": "regexp:^v", key: "any"}).allow_tags == "any"


def test_read_tag_match_application_wide_does_nothing():
    configuration = read({**LIST, "tag-match": "regexp:^v"})

    assert configuration.images[0].allow_tags is None
    assert codes(configuration) == [("UNKNOWN_KEY", None)]


def test_read_tag_match_exact_does_nothing():
    assert image({"app.tag-match": "regexp:^v"}, exact=True).allow_tags is None


@pytest.mark.parametrize("key", ["app.ignore-tags", "ignore-tags"])
@pytest.mark.parametrize("exact", [False, True], ids=["default", "exact"])
@pytest.mark.parametrize(
    ("text", "patterns"),
    [
        ("latest", ("latest",)),
        ("latest, *-dev ,[a-c]?", ("latest", "*-dev", "[a-c]?")),
        ("a,,b,", ("a", "", "b", "")),
    ],
)
def test_read_ignore_tags_is_split_trimmed_and_keeps_empty_items(key, text, patterns, exact):
    assert image({key: text}, exact=exact).ignore_tags == patterns


@pytest.mark.parametrize("pattern", ["regexp:^a", "[a"])
def test_read_ignore_tags_malformed_pattern_is_a_warning(pattern):
    configuration = read({**LIST, "ignore-tags": pattern})

    assert codes(configuration) == [("BAD_GLOB", "app")]
    assert configuration.usable_images[0].ignore_tags == (pattern,)


@pytest.mark.parametrize("key", ["app.pull-secret", "pull-secret"])
@pytest.mark.parametrize("exact", [False, True], ids=["default", "exact"])
@pytest.mark.parametrize(
    "text",
    [
        "pullsecret:argocd/regcred",
        "secret:argocd/login#value",
        "ghcr.io=secret:argocd/login#value",
        "Secret:argocd/x#y",
    ],
)
def test_read_pull_secret_of_the_own_namespace_is_kept(key, text, exact):
    assert image({key: text}, exact=exact).pull_secret == text


@pytest.mark.parametrize("exact", [False, True], ids=["default", "exact"])
@pytest.mark.parametrize(
    "text",
    [
        "pullsecret:kube-system/x",
        "secret:other/x#y",
        "anything=secret:other/x#y",
        "SECRET:other/x#y",
        "secret:argocd/x",
        "pullsecret:argocd",
        "secret:a/b/c#d",
        "env:HOME",
        "ext:/bin/cat",
        "vault:argocd/x#y",
        "secret:argocd/x:y",
        "x" * 5000,
    ],
    ids=lambda text: text[:30],
)
def test_read_pull_secret_foreign_operators_or_malformed_disables_the_image(text, exact):
    configuration = read(
        {"image-list": "app=nginx, other=redis", "app.pull-secret": text}, exact=exact
    )

    assert codes(configuration, fatal=True) == [("CREDENTIAL_REF", "app")]
    assert configuration.images[0].pull_secret is None


@pytest.mark.parametrize("exact", [False, True], ids=["default", "exact"])
@pytest.mark.parametrize(
    ("text", "platforms"),
    [
        ("linux/amd64", ("linux/amd64",)),
        ("linux/arm/v7 , linux/arm64,", ("linux/arm/v7", "linux/arm64")),
        ("", ()),
    ],
)
def test_read_platforms_is_split_and_drops_empty_items(text, platforms, exact):
    assert image({"app.platforms": text}, exact=exact).platforms == platforms


def test_read_platforms_application_wide_does_nothing():
    configuration = read({**LIST, "platforms": "linux/arm64"})

    assert configuration.images[0].platforms == ()
    assert codes(configuration) == [("UNKNOWN_KEY", None)]


@pytest.mark.parametrize("text", ["linux", "linux/arm/v7/x", "a b/c", "linux/"])
def test_read_platforms_that_can_never_match_disable_the_image(text):
    configuration = read({**LIST, "app.platforms": text})

    assert codes(configuration, fatal=True) == [("BAD_PLATFORM", "app")]


def test_read_platforms_that_can_never_match_exact_stay_with_a_warning():
    configuration = read({**LIST, "app.platforms": "linux"}, exact=True)

    assert configuration.usable_images[0].platforms == ("linux",)
    assert codes(configuration) == [("BAD_PLATFORM", "app")]


@pytest.mark.parametrize("exact", [False, True], ids=["default", "exact"])
@pytest.mark.parametrize(
    ("annotations", "target"),
    [
        ({}, HelmTarget()),
        ({"app.helm.image-name": "a.name"}, HelmTarget(name="a.name")),
        ({"app.helm.image-tag": " a.tag "}, HelmTarget(tag="a.tag")),
        ({"app.helm.image-spec": " a.image "}, HelmTarget(spec="a.image")),
        ({"app.helm.image-tag": ""}, HelmTarget()),
        ({"app.helm.image-name": "n", "app.helm.image-tag": "t"}, HelmTarget("n", "t")),
        ({"app.helm.image-tag": "list[0].tag"}, HelmTarget(tag="list[0].tag")),
    ],
    ids=["none", "name", "tag", "spec", "empty", "both", "list-place"],
)
def test_read_helm_keys_are_trimmed_and_kept(annotations, target, exact):
    assert image(annotations, exact=exact).helm == target


@pytest.mark.parametrize("exact", [False, True], ids=["default", "exact"])
@pytest.mark.parametrize("key", ["helm.image-name", "helm.image-tag", "helm.image-spec"])
@pytest.mark.parametrize(
    "text",
    [
        "..",
        "a..b",
        ".a",
        "a.",
        "a[",
        "a[x]",
        "a]",
        "a: b",
        "a\nb",
        "a b",
        "x.0" * 250,
        "a" * 254,
        "a=b",
        "a,b",
    ],
    ids=lambda text: repr(text[:12]),
)
def test_read_helm_keys_a25_bad_name_disables_the_image(key, text, exact):
    configuration = read({**LIST, f"app.{key}": text}, exact=exact)

    assert codes(configuration, fatal=True) == [("BAD_KEY", "app")]
    assert configuration.images[0].helm == HelmTarget()


def test_read_kustomize_name_is_kept():
    assert image({"app.kustomize.image-name": " docker.io/old/name "}).kustomize == KustomizeTarget(
        "docker.io/old/name"
    )


def test_read_kustomize_name_that_is_no_image_disables_the_image():
    configuration = read({**LIST, "app.kustomize.image-name": "a b"})

    assert codes(configuration, fatal=True) == [("BAD_IMAGE", "app")]


BOTH = {"app.kustomize.image-name": "old", "app.helm.image-tag": "t"}


def test_read_helm_and_kustomize_keys_disable_the_image():
    configuration = read({"image-list": "app=nginx, other=redis", **BOTH})

    assert codes(configuration, fatal=True) == [("BAD_TARGET", "app")]


def test_read_helm_and_kustomize_keys_exact_disable_the_application():
    assert codes(read({**LIST, **BOTH}, exact=True), fatal=True) == [("BAD_TARGET", None)]


@pytest.mark.parametrize(
    "key",
    [
        "image-list",
        "app.update-strategy",
        "allow-tags",
        "app.helm.image-tag",
        "write-back-method",
        "app.force-update",
    ],
)
@pytest.mark.parametrize("value", [True, 1, 1.5, ["a"], {"a": 1}], ids=repr)
def test_read_value_that_is_no_text_is_a_problem_not_a_guess(key, value):
    configuration = read({**LIST, key: value})

    assert "BAD_TYPE" in [code for code, _ in codes(configuration, fatal=True)]
    assert configuration.usable_images == ()


@pytest.mark.parametrize(
    "key",
    [
        "app.update-strategy",
        "allow-tags",
        "app.helm.image-tag",
        "write-back-method",
        "force-update",
    ],
)
def test_read_null_value_counts_as_absent(key):
    assert read({**LIST, key: None}) == read(LIST)


def test_read_foreign_annotations_are_left_alone():
    plain = manifest(LIST)
    plain["metadata"]["annotations"]["argocd.argoproj.io/refresh"] = "normal"

    assert reading.read(plain).problems == ()
