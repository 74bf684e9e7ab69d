"""Method, repository, branches, targets as one reads them from an Application (specification 3.3 and 3.4)."""

import pytest

from tests.unit.updater.configuration.manifests import (
    GIT,
    IMAGES,
    REPOSITORY,
    codes,
    manifest,
    read,
    source,
)
from updater.configuration import reading
from updater.configuration.model import WriteBack


@pytest.mark.parametrize("exact", [False, True], ids=["default", "exact"])
@pytest.mark.parametrize(
    ("text", "method", "credentials"),
    [
        (None, "argocd", None),
        ("", "argocd", None),
        ("argocd", "argocd", None),
        ("git", "git", "repocreds"),
        ("git:repocreds", "git", "repocreds"),
        ("git:secret:argocd/creds", "git", "secret:argocd/creds"),
        ("git:secret:creds", "git", "secret:argocd/creds"),
    ],
)
def test_read_method_and_credentials(text, method, credentials, exact):
    write_back = read({**IMAGES, "write-back-method": text}, exact=exact).write_back

    assert (write_back.method, write_back.credentials) == (method, credentials)


@pytest.mark.parametrize("exact", [False, True], ids=["default", "exact"])
@pytest.mark.parametrize(
    "text",
    [
        "git:secret:kube-system/x",
        "git:secret:../x",
        "git:secret:a/b/c",
        "git:env:HOME",
        "git:ext:/bin/x",
        "argocd; rm",
        "Git",
        "git:",
        "git:secret:",
        "git:secret:argocd/",
    ],
)
def test_read_method_a14_of_another_form_disables_the_application(text, exact):
    configuration = read({**IMAGES, "write-back-method": text}, exact=exact)

    assert codes(configuration, fatal=True) == [("CREDENTIAL_REF", None)]
    assert configuration.usable_images == ()
    assert configuration.write_back.credentials is None


def test_read_method_a14_bad_git_method_shows_what_else_is_wrong():
    configuration = read({**IMAGES, "write-back-method": "git:env:HOME", "git-branch": "a b"})

    assert configuration.write_back.method == "git"
    assert codes(configuration, fatal=True) == [("CREDENTIAL_REF", None), ("BAD_BRANCH", None)]


def test_read_method_argocd_needs_no_git_settings():
    assert read(IMAGES).write_back == WriteBack(method="argocd")


@pytest.mark.parametrize("key", ["git-branch", "git-repository", "write-back-target"])
def test_read_method_argocd_warns_of_git_settings(key):
    configuration = read({**IMAGES, key: "../../bad: value"})

    assert codes(configuration) == [("IGNORED", None)]
    assert len(configuration.usable_images) == 1


def test_read_repository_is_the_sources_own():
    assert read(GIT).write_back.repository == REPOSITORY


def test_read_repository_annotation_comes_first():
    assert (
        read({**GIT, "git-repository": "git@h.example:o/r.git"}).write_back.repository
        == "git@h.example:o/r.git"
    )


@pytest.mark.parametrize(
    ("annotations", "key"),
    [({**GIT, "git-repository": "file:///etc"}, "git-repository"), (GIT, "spec.source.repoURL")],
)
def test_read_repository_a13_bad_url_disables_the_application(annotations, key):
    configuration = read(annotations, spec={"source": source(repoURL="ext::sh -c x")})

    (problem,) = [one for one in configuration.problems if one.fatal]
    assert problem.code == "REPO_URL"
    assert problem.key.endswith(key)


def test_read_repository_over_http_needs_the_operators_word():
    document = manifest(GIT, spec={"source": source(repoURL="http://127.0.0.1:8080/r.git")})

    assert codes(reading.read(document), fatal=True) == [("REPO_URL", None)]
    assert reading.read(document, allow_http=True).problems == ()


@pytest.mark.parametrize(
    ("setting", "base", "template"),
    [
        (None, "main", None),
        ("release", "release", None),
        ("release:", "release", None),
        ("release:image-{{.SHA256}}", "release", "image-{{.SHA256}}"),
        (":image-{{.SHA256}}", "main", "image-{{.SHA256}}"),
        (":", "main", None),
        (" release ", "release", None),
        ("feature/x", "feature/x", None),
        ("HEAD", None, None),
    ],
)
def test_read_branch_setting_has_a_base_and_a_template(setting, base, template):
    write_back = read({**GIT, "git-branch": setting}).write_back

    assert (write_back.base_branch, write_back.write_branch) == (base, template)


@pytest.mark.parametrize("revision", ["", "HEAD", None])
def test_read_branch_of_head_is_asked_from_the_remote(revision):
    configuration = read(GIT, spec={"source": source(targetRevision=revision)})

    assert configuration.write_back.base_branch is None
    assert configuration.problems == ()


@pytest.mark.parametrize(
    "revision", ["1.*", ">=1.0.0", "^1", "a b", "0" * 40, "refs/tags/v1", "-x"]
)
def test_read_branch_of_a_revision_that_cannot_be_pushed_to_disables_the_application(revision):
    configuration = read(GIT, spec={"source": source(targetRevision=revision)})

    assert codes(configuration, fatal=True) == [("BAD_BRANCH", None)]
    assert "git-branch" in configuration.problems[0].message


def several(*sources, **annotations):
    """Read an Application whose last source is the Helm one."""
    types = [""] * (len(sources) - 1) + ["Helm"]
    return read(
        {**GIT, **annotations}, spec={"sources": list(sources)}, status={"sourceTypes": types}
    )


def test_read_branch_with_several_sources_is_that_of_the_first_from_the_repository():
    configuration = several(
        source(ref="values", targetRevision="first"), source(targetRevision="second")
    )

    assert configuration.write_back.source_index == 1
    assert configuration.write_back.base_branch == "first"


def test_read_branch_with_several_sources_follows_the_overridden_repository():
    other = source(repoURL="https://other/r.git", targetRevision="theirs", ref="values")

    configuration = several(other, source(), **{"git-repository": "https://other/r.git"})

    assert configuration.write_back.base_branch == "theirs"


def test_read_branch_with_a_foreign_repository_is_the_chosen_sources():
    configuration = several(source(ref="x", targetRevision="a"), source(targetRevision="b"))
    foreign = several(
        source(ref="x", targetRevision="a"),
        source(targetRevision="b"),
        **{"git-repository": "https://f/r.git"},
    )

    assert (configuration.write_back.base_branch, foreign.write_back.base_branch) == ("a", "b")


@pytest.mark.parametrize("exact", [False, True], ids=["default", "exact"])
@pytest.mark.parametrize(
    ("target", "kind", "path"),
    [
        (None, "argocd-source", "apps/shop/.argocd-source-shop.yaml"),
        ("kustomization", "kustomization", "apps/shop"),
        ("kustomization:../base", "kustomization", "apps/base"),
        ("kustomization:/overlays/prod", "kustomization", "overlays/prod"),
        ("kustomization:.", "kustomization", "apps/shop"),
        ("helmvalues", "helmvalues", "apps/shop/values.yaml"),
        ("helmvalues:prod/values.yaml", "helmvalues", "apps/shop/prod/values.yaml"),
        ("helmvalues:../values.yaml", "helmvalues", "apps/values.yaml"),
        ("helmvalues:/values.yaml", "helmvalues", "values.yaml"),
        ("envs/values.yaml", "helmvalues", "envs/values.yaml"),
        ("envs/.argocd-source-x.yaml", "argocd-source", "envs/.argocd-source-x.yaml"),
        ("envs/override.json", "argocd-source", "envs/override.json"),
    ],
)
def test_read_target_names_kind_and_path(target, kind, path, exact):
    configuration = read({**GIT, "write-back-target": target}, exact=exact)

    assert (configuration.write_back.target.kind, configuration.write_back.target.path) == (
        kind,
        path,
    )
    assert configuration.problems == ()


@pytest.mark.parametrize("path", ["", ".", "/", "./"])
def test_read_target_with_the_root_as_source_path(path):
    spec = {"source": source(path=path)}

    assert read(GIT, spec=spec).write_back.target.path == ".argocd-source-shop.yaml"
    assert (
        read({**GIT, "write-back-target": "kustomization:."}, spec=spec).write_back.target.path
        == "."
    )


@pytest.mark.parametrize(
    ("namespace", "argocd", "status", "exact", "name"),
    [
        pytest.param("argocd", "argocd", {}, False, "shop", id="controllers-own"),
        pytest.param("team", "argocd", {}, False, "team_shop", id="any-other"),
        pytest.param("", "argocd", {}, False, "shop", id="none"),
        pytest.param("team", "default", {}, False, "shop", id="started-without-its-namespace"),
        pytest.param(
            "team", "argocd", {"controllerNamespace": "team"}, False, "shop", id="status-tells"
        ),
        pytest.param(
            "argocd",
            "argocd",
            {"controllerNamespace": "cd"},
            False,
            "argocd_shop",
            id="status-wins",
        ),
        pytest.param(
            "team",
            "default",
            {"controllerNamespace": "default"},
            False,
            "team_shop",
            id="status-knows",
        ),
        pytest.param("", "argocd", {"controllerNamespace": "cd"}, False, "shop", id="none-at-all"),
        pytest.param(
            "argocd",
            "argocd",
            {"controllerNamespace": "cd"},
            True,
            "shop",
            id="exact-knows-no-status",
        ),
        pytest.param(
            "team",
            "argocd",
            {"controllerNamespace": "team"},
            True,
            "team_shop",
            id="exact-ignores-status",
        ),
        pytest.param("team", "default", {}, True, "shop", id="exact-default"),
    ],
)
def test_read_override_file_name_depends_on_the_namespace(namespace, argocd, status, exact, name):
    document = manifest(GIT, namespace=namespace, status=status)

    found = reading.read(document, argocd_namespace=argocd, exact=exact)

    assert found.write_back.target.path == f"apps/shop/.argocd-source-{name}.yaml"


def test_read_a29_same_name_in_two_namespaces_writes_two_files():
    targets = {
        read(GIT, namespace=namespace).write_back.target.path for namespace in ("one", "two")
    }

    assert len(targets) == 2


CHART = {"repoURL": "https://charts.example.com", "chart": "shop", "targetRevision": "1.2.3"}
FULL = {
    "git-repository": REPOSITORY,
    "write-back-target": "helmvalues:/envs/values.yaml",
    "git-branch": "main",
}


def test_read_chart_with_repository_and_values_file_works():
    configuration = read({**GIT, **FULL}, spec={"source": CHART})

    assert configuration.write_back.repository == REPOSITORY
    assert configuration.write_back.target.path == "envs/values.yaml"
    assert configuration.problems == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"git-repository": None},
        {"write-back-target": None},
        {"write-back-target": "helmvalues"},
        {"write-back-target": "kustomization:/x"},
        {"write-back-target": "x/.argocd-source-y.yaml"},
    ],
    ids=str,
)
def test_read_chart_without_both_is_a_clear_problem(changes):
    configuration = read({**GIT, **FULL, **changes}, spec={"source": CHART})

    (problem,) = [one for one in configuration.problems if one.fatal]
    assert problem.code == "CHART_WITHOUT_TARGET"
    assert "git-repository" in problem.message
    assert "helmvalues:/<file>" in problem.message


def test_read_chart_version_as_branch_is_a_warning():
    configuration = read({**GIT, **FULL, "git-branch": None}, spec={"source": CHART})

    assert codes(configuration) == [("BAD_BRANCH", None)]
    assert configuration.write_back.base_branch == "1.2.3"
    assert len(configuration.usable_images) == 1


def test_read_chart_with_method_argocd_works():
    assert read(IMAGES, spec={"source": CHART}).problems == ()


@pytest.mark.parametrize(
    ("setting", "value", "code"),
    [
        (
            "write-back-target",
            "helmvalues:../../../../etc/cron.d/x.yaml",
            "PATH_ESCAPES_REPO",
        ),  # A01
        ("write-back-target", "helmvalues:/../../x.yaml", "PATH_ESCAPES_REPO"),  # A02
        ("write-back-target", "../../x.yaml", "PATH_ESCAPES_REPO"),  # A02
        ("write-back-target", "helmvalues:a\nb.yaml", "PATH_CHARS"),  # A04
        ("write-back-target", "helmvalues:--output=x.yaml", "PATH_CHARS"),  # A05
        ("write-back-target", "-x.yaml", "PATH_CHARS"),  # A05
        ("write-back-target", "helmvalues:" + "a" * 4097, "PATH_TOO_LONG"),  # A07
        ("write-back-target", "helmvaluesfoo", "BAD_TARGET"),
        ("write-back-target", "x/kustomization.yaml", "BAD_TARGET"),
        ("git-branch", "--upload-pack=touch pwned;git-upload-pack", "BAD_BRANCH"),  # A08
        ("git-branch", "a:b:c", "BAD_BRANCH"),
        ("git-branch", "main:{{.Missing}}", "BAD_TEMPLATE"),  # A10
        ("git-branch", "main:{{ settings.SECRET_KEY }}", "BAD_TEMPLATE"),  # A10
        ("git-repository", "ssh://-oProxyCommand=x/y", "REPO_URL"),  # A13
    ],
)
def test_read_a01_to_a13_bad_git_setting_disables_the_application(setting, value, code):
    configuration = read({**GIT, setting: value})

    assert codes(configuration, fatal=True) == [(code, None)]
    assert configuration.usable_images == ()


def test_read_a02_two_slashes_start_at_the_root():
    assert (
        read({**GIT, "write-back-target": "helmvalues://x.yaml"}).write_back.target.path == "x.yaml"
    )


def test_read_source_path_that_leaves_the_repository_disables_the_application():
    configuration = read(GIT, spec={"source": source(path="../..")})

    assert codes(configuration, fatal=True) == [("PATH_ESCAPES_REPO", None)]
    assert configuration.problems[0].key == "spec.source.path"
