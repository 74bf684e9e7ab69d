"""The branch setting: names git takes, templates that are documented (cases A08 to A11)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.configuration import branches
from updater.configuration.branches import BranchError, BranchSetting, BranchTemplateError
from updater.configuration.findings import SettingError


@pytest.mark.parametrize(
    ("text", "base", "template"),
    [
        ("main", "main", None),
        ("main:up", "main", "up"),
        (":up-{{.SHA256}}", None, "up-{{.SHA256}}"),
        (
            "main:image-updater{{range .Images}}-{{.Name}}-{{.NewTag}}{{end}}",
            "main",
            "image-updater{{range .Images}}-{{.Name}}-{{.NewTag}}{{end}}",
        ),
        (
            "main:x{{range .Images}}{{.Alias}}{{.OldTag}}{{end}}",
            "main",
            "x{{range .Images}}{{.Alias}}{{.OldTag}}{{end}}",
        ),
        (
            "main:x-{{.AppName}}{{.AppNamespace}}{{.TargetKey}}y",
            "main",
            "x-{{.AppName}}{{.AppNamespace}}{{.TargetKey}}y",
        ),
        ("refs/heads/main", "main", None),
        ("größe", "größe", None),
    ],
)
def test_parse_documented_setting_is_kept(text, base, template):
    assert branches.parse(text) == BranchSetting(base, template)


@pytest.mark.parametrize(
    "text",
    [
        "--upload-pack=touch pwned;git-upload-pack",
        "-x",
        "a b",
        "a~b",
        "a^b",
        "a?b",
        "a*b",
        "a[b",
        "a\\b",
        "a..b",
        "a@{b",
        "@",
        "/a",
        "a/",
        "a//b",
        "a.",
        ".a",
        "a/.b",
        "a.lock",
        "a.lock/b",
        "a\nb",
        "a\x7f",
        "a\u202eb",
        "refs/tags/v1",
        "refs/heads/",
        "x" * 256,
        "ü" * 128,
        "a:b:c",
        "main:a b",
        "main:HEAD",
        "main:-x",
        "main:a..{{.SHA256}}",
        "main:" + "x" * 256,
    ],
    ids=lambda text: ascii(text[:30]),
)
def test_parse_a08_a11_name_git_refuses_is_refused(text):
    with pytest.raises(BranchError):
        branches.parse(text)


@pytest.mark.parametrize(
    "template",
    [
        "{{.Missing}}",
        "{{range .Images}}{{.Missing}}{{end}}",
        "{{range .Images}}" * 10_000,
        "{{range .Images}}",
        "{0.__class__.__mro__}",
        '{% include "x" %}',
        "{{ settings.SECRET_KEY }}",
        "{{.Images.__class__}}",
        "{{call .X}}",
        "{{define `x`}}{{end}}",
    ],
    ids=lambda template: template[:30],
)
def test_parse_a10_undocumented_placeholder_is_refused(template):
    with pytest.raises(BranchTemplateError):
        branches.parse(f"main:{template}")


@pytest.mark.parametrize(
    ("text", "branch"),
    [("main", "main"), ("", None), ("HEAD", None), ("v1.2", "v1.2"), ("1.x", "1.x")],
)
def test_check_revision_that_may_be_a_branch_is_one(text, branch):
    assert branches.check_revision(text) == branch


@pytest.mark.parametrize("text", ["0" * 40, "a" * 64, ">=1.0", "1.*", "^1", "refs/tags/x"])
def test_check_revision_that_is_no_branch_is_refused(text):
    with pytest.raises(BranchError, match="git-branch"):
        branches.check_revision(text)


@given(st.text(max_size=60) | st.text(alphabet="{}.:%Imagesrnd -/@", max_size=60))
def test_parse_any_text_raises_only_the_documented_errors(text):
    try:
        setting = branches.parse(text)
    except SettingError:
        return

    assert setting.base is None or not setting.base.startswith("-")
