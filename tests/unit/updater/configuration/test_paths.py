"""Paths in a git repository: joined and cleaned, never outside (cases A01 to A07)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.configuration import paths, targets
from updater.configuration.findings import SettingError
from updater.configuration.paths import (
    PathCharactersError,
    PathError,
    PathEscapesRepositoryError,
    PathSuffixError,
    PathTooLongError,
)


@pytest.mark.parametrize(
    ("path", "within", "resolved"),
    [
        ("values.yaml", "", "values.yaml"),
        ("values.yaml", "apps/shop", "apps/shop/values.yaml"),
        ("../baz/app-values.yaml", "bar/foo", "bar/baz/app-values.yaml"),
        ("../baz", "bar/foo", "bar/baz"),
        (".", "", "."),
        ("", "apps", "apps"),
        ("/x.yaml", "apps", "x.yaml"),
        ("//x.yaml", "apps", "x.yaml"),
        ("./a/./b//c.yaml", "", "a/b/c.yaml"),
        ("a/..", "", "."),
        ("x.yaml", "./apps/", "apps/x.yaml"),
        ("x.yaml", "/apps", "apps/x.yaml"),
        ("gewürz/wert 1.yaml", "", "gewürz/wert 1.yaml"),
        (".github/x.yaml", "", ".github/x.yaml"),
        ("a/..b/c", "", "a/..b/c"),
    ],
)
def test_resolve_joins_and_cleans(path, within, resolved):
    assert paths.resolve(path, within=within) == resolved


@pytest.mark.parametrize(
    ("path", "within"),
    [
        ("../../../../etc/cron.d/x", "apps/shop"),
        ("/../../x.yaml", "apps"),
        ("../x", ""),
        ("a/../../b", ""),
        ("x", "../.."),
        ("..", ""),
    ],
)
def test_resolve_a01_a02_leaving_the_root_is_refused(path, within):
    with pytest.raises(PathEscapesRepositoryError):
        paths.resolve(path, within=within)


@pytest.mark.parametrize(
    "path",
    [
        "a\0b.yaml",
        "a\nb.yaml",
        "a\tb.yaml",
        "a.yaml\r",
        "..\\..\\x.yaml",
        "a\x7f.yaml",
        "a\u202eb.yaml",
        "a\u200bb.yaml",
        "a\ud800.yaml",
        "--output=x.yaml",
        "-x.yaml",
        "a/-x.yaml",
        ".git/config.yaml",
        "a/.GIT/x.yaml",
        ".git. /x.yaml",
        "git~1/x.yaml",
        ".git::$INDEX_ALLOCATION/x.yaml",
    ],
    ids=ascii,
)
@pytest.mark.parametrize("within", ["", "apps/shop"])
def test_resolve_a04_a05_forbidden_characters_and_names_are_refused(path, within):
    with pytest.raises(PathCharactersError):
        paths.resolve(path, within=within)


@pytest.mark.parametrize(
    "path",
    ["a" * 4097, "a/" * 300 + "x.yaml", "b" * 1025, "ü" * 513, "../" * 2000],
    ids=["4097-bytes", "300-directories", "1025-bytes", "1026-bytes-in-513-letters", "6000-dots"],
)
def test_resolve_a07_too_long_is_refused(path):
    with pytest.raises(PathTooLongError):
        paths.resolve(path)


@pytest.mark.parametrize("path", ["a" * 1019 + ".yaml", "a/" * 63 + "x.yaml"])
def test_resolve_longest_allowed_path_is_kept(path):
    assert paths.resolve(path) == path


@pytest.mark.parametrize("path", ["x", "x.txt", "values", "x.yaml/", "a.yaml.sh", ""])
def test_check_file_of_another_suffix_is_refused(path):
    with pytest.raises(PathSuffixError):
        paths.check_file(path)


@given(st.text(alphabet="./\\-ag\0\n~ ", max_size=60), st.text(alphabet="./ab-", max_size=20))
def test_resolve_any_text_stays_inside_or_is_refused(path, within):
    try:
        resolved = paths.resolve(path, within=within)
    except PathError:
        return

    assert not resolved.startswith(("/", "-"))
    assert ".." not in resolved.split("/")
    assert paths.resolve(resolved) == resolved


@given(st.text(max_size=50) | st.text(alphabet="helmvaluskizton:/.y", max_size=30))
def test_parse_target_any_text_gives_a_target_or_the_documented_error(text):
    try:
        target = targets.parse(text).resolve("apps/shop")
    except SettingError:
        return

    assert target.kind in (targets.ARGOCD_SOURCE, targets.HELM_VALUES, targets.KUSTOMIZATION)


@pytest.mark.parametrize(
    "text", ["helmvaluesfoo", "kustomizationfoo", "helmvaluesfoo:x.yaml", "kustomizations"]
)
def test_parse_target_that_only_begins_like_a_known_one_is_refused(text):
    with pytest.raises(targets.TargetError):
        targets.parse(text)


@pytest.mark.parametrize("text", ["helmvalues.yaml", "helmvalues/x.yaml", "kustomization/x.yaml"])
def test_parse_target_file_with_such_a_name_is_a_path(text):
    assert targets.parse(text).resolve("apps").path == text


@pytest.mark.parametrize("name", ["kustomization.yaml", "kustomization.yml", "Kustomization"])
def test_parse_target_kustomization_file_by_name_is_refused(name):
    with pytest.raises(targets.TargetError):
        targets.parse(f"a/{name}")
