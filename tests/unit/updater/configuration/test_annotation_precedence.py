"""The precedence rules below the table of annotations (specification 1.1)."""

import pytest

from tests.unit.updater.configuration.manifests import PREFIX, codes, read
from updater.configuration.model import HelmTarget
from updater.selection import Strategy

LIST = {"image-list": "app=ghcr.io/acme/app"}
BOTH_MODES = pytest.mark.parametrize("exact", [False, True], ids=["default", "exact"])


@BOTH_MODES
@pytest.mark.parametrize(
    ("name", "own", "wide", "attribute", "expected"),
    [
        ("update-strategy", "digest", "name", "strategy", Strategy.DIGEST),
        ("update-strategy", "", "name", "strategy", Strategy.ALPHABETICAL),
        ("allow-tags", "regexp:a", "any", "allow_tags", "regexp:a"),
        ("allow-tags", "", "regexp:b", "allow_tags", "regexp:b"),
        ("ignore-tags", "a", "b", "ignore_tags", ("a",)),
        ("ignore-tags", "", "b", "ignore_tags", ("",)),
        (
            "pull-secret",
            "secret:argocd/a#b",
            "secret:argocd/c#d",
            "pull_secret",
            "secret:argocd/a#b",
        ),
        ("pull-secret", "", "secret:argocd/c#d", "pull_secret", "secret:argocd/c#d"),
        ("force-update", "false", "true", "force_update", False),
        ("force-update", "true", "false", "force_update", True),
    ],
)
def test_read_alias_key_comes_before_the_application_wide_key(
    name, own, wide, attribute, expected, exact
):
    configuration = read({**LIST, f"app.{name}": own, name: wide}, exact=exact)

    assert getattr(configuration.images[0], attribute) == expected


@BOTH_MODES
@pytest.mark.parametrize(
    ("name", "wide", "attribute", "expected"),
    [
        ("update-strategy", "digest", "strategy", Strategy.DIGEST),
        ("allow-tags", "any", "allow_tags", "any"),
        ("ignore-tags", "a", "ignore_tags", ("a",)),
        ("pull-secret", "secret:argocd/a#b", "pull_secret", "secret:argocd/a#b"),
        ("force-update", "true", "force_update", True),
    ],
)
def test_read_entry_without_alias_uses_application_wide_keys(
    name, wide, attribute, expected, exact
):
    configuration = read({"image-list": "nginx", name: wide}, exact=exact)

    assert getattr(configuration.images[0], attribute) == expected


def test_read_entry_without_alias_cannot_use_its_name_as_alias():
    configuration = read(
        {
            "image-list": "nginx",
            "nginx.update-strategy": "digest",
            "nginx.helm.image-tag": "t",
            ".platforms": "a/b",
        }
    )

    (image,) = configuration.images
    assert (image.strategy, image.helm, image.platforms) == (Strategy.SEMVER, HelmTarget(), ())
    assert [code for code, _ in codes(configuration)] == ["UNKNOWN_KEY"] * 3


@pytest.mark.parametrize("prefix", ["foo_bar", "foo/bar"], ids=["v0-spelling", "verbatim"])
def test_read_alias_with_slash_is_configured_by_both_spellings(prefix):
    configuration = read({"image-list": "foo/bar=nginx", f"{prefix}.update-strategy": "digest"})

    assert configuration.images[0].strategy is Strategy.DIGEST
    assert configuration.problems == ()


def test_read_alias_with_slash_verbatim_comes_first():
    annotations = {"foo_bar.update-strategy": "name", "foo/bar.update-strategy": "digest"}

    assert (
        read({"image-list": "foo/bar=nginx", **annotations}).images[0].strategy is Strategy.DIGEST
    )


def test_read_alias_with_slash_exact_has_no_underscore_spelling():
    annotations = {"image-list": "foo/bar=nginx", "foo_bar.update-strategy": "digest"}

    assert read(annotations, exact=True).images[0].strategy is Strategy.SEMVER


def test_read_two_aliases_keep_their_own_settings():
    configuration = read(
        {
            "image-list": "a=ghcr.io/x/a, b=ghcr.io/x/b",
            "a.update-strategy": "digest",
            "b.allow-tags": "regexp:^b",
            "update-strategy": "name",
        }
    )

    found = [(image.strategy, image.allow_tags) for image in configuration.images]
    assert found == [(Strategy.DIGEST, None), (Strategy.ALPHABETICAL, "regexp:^b")]


@pytest.mark.parametrize(
    ("key", "mend"),
    [
        ("app.write-back-target", "write write-back-target without an alias"),
        ("app.git-branch", "write git-branch without an alias"),
        ("app.git-repository", "write git-repository without an alias"),
        ("app.write-back-method", "write write-back-method without an alias"),
        ("image-pull-secret", "Write pull-secret"),
        ("app.image-pull-secret", "Write pull-secret"),
        ("app.update-interval", "same interval"),
        ("interval", "same interval"),
        ("app.helm.values", "write-back-target: helmvalues:<file>"),
        ("platforms", "write <alias>.platforms"),
        ("helm.image-tag", "write <alias>.helm.image-tag"),
        ("tag-match", "write <alias>.tag-match"),
        ("ap.update-strategy", "No entry of image-list has the alias ap"),
        ("app.update-stratgy", "Did you mean update-strategy?"),
        ("imagelist", "Did you mean image-list?"),
        ("app.kustomize.image-tag", "Did you mean kustomize.image-name?"),
        ("", "Known: allow-tags"),
    ],
)
def test_read_invented_key_is_a_warning_that_names_the_mend(key, mend):
    configuration = read({**LIST, key: "x"})

    (problem,) = configuration.problems
    assert (problem.key, problem.value) == (f"{PREFIX}{key}", "x")
    assert (problem.code, problem.fatal) == ("UNKNOWN_KEY", False)
    assert mend in problem.message


def test_read_invented_own_key_is_a_warning():
    configuration = read(LIST, own={"countersign.dev/pinn": "digest"})

    assert codes(configuration) == [("UNKNOWN_KEY", None)]
    assert "countersign.dev/pin" in configuration.problems[0].message


def test_read_many_invented_keys_are_cut():
    configuration = read({**LIST, **{f"x{number}": "" for number in range(500)}})

    assert len(configuration.problems) == 20


def test_read_keys_without_image_list_warn_once():
    configuration = read({"app.update-strategy": "digest", "write-back-method": "git"})

    assert not configuration.managed
    assert codes(configuration) == [("NO_IMAGES", None)]


def test_read_aliased_images_with_the_same_parameters_warn():
    configuration = read({"image-list": "a=x/a, b=x/b, c=x/c", "c.helm.image-spec": "c.image"})

    assert codes(configuration) == [("SHARED_PARAMETER", "a"), ("SHARED_PARAMETER", "b")]
    assert len(configuration.usable_images) == 3
