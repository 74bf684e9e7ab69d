"""Every row of the table of the ImageUpdater resource, and its merging (specification 1.2)."""

import pytest

from tests.unit.updater.configuration.manifests import (
    codes,
    image_updater,
    manifest,
    read,
    reference,
)
from updater.configuration import reading
from updater.configuration.model import HelmTarget, KustomizeTarget, PluginTarget
from updater.selection import Strategy

APP = {"alias": "app", "imageName": "ghcr.io/acme/app"}


def read_resource(resource, *, exact=False, annotations=None, **fields):
    """Read an Application without annotations under one resource."""
    return read(annotations, resources=[resource], exact=exact, **fields)


def level(**settings):
    """Return a level of the resource with these common update settings."""
    return {"commonUpdateSettings": settings}


@pytest.mark.parametrize("exact", [False, True], ids=["default", "exact"])
@pytest.mark.parametrize(
    ("name", "value", "attribute", "expected"),
    [
        ("updateStrategy", "latest", "strategy", Strategy.NEWEST_BUILD),
        ("forceUpdate", True, "force_update", True),
        ("allowTags", "regexp:^v", "allow_tags", "regexp:^v"),
        ("ignoreTags", ["a", "b*"], "ignore_tags", ("a", "b*")),
        ("pullSecret", "secret:argocd/a#b", "pull_secret", "secret:argocd/a#b"),
        ("platforms", ["linux/arm64"], "platforms", ("linux/arm64",)),
    ],
)
@pytest.mark.parametrize("place", ["resource", "reference", "image"])
def test_read_update_settings_hold_from_every_level(name, value, attribute, expected, place, exact):
    levels = {place: level(**{name: value})}
    image = APP | levels.get("image", {})
    resource = image_updater(
        reference("shop", image, **levels.get("reference", {})), **levels.get("resource", {})
    )

    configuration = read_resource(resource, exact=exact)

    assert getattr(configuration.images[0], attribute) == expected
    assert configuration.problems == ()


def test_read_nothing_set_has_the_defaults():
    (image,) = read_resource(image_updater(reference())).images

    assert (image.alias, image.strategy, image.force_update) == ("app", Strategy.SEMVER, False)
    assert (image.allow_tags, image.ignore_tags, image.platforms, image.pull_secret) == (
        None,
        (),
        (),
        None,
    )


@pytest.mark.parametrize("exact", [False, True], ids=["default", "exact"])
def test_read_levels_merge_field_by_field_and_replace_lists_whole(exact):
    image = APP | level(allowTags="regexp:image", ignoreTags=["image"])
    middle = level(updateStrategy="digest", ignoreTags=["middle", "x"], forceUpdate=False)
    top = level(updateStrategy="name", forceUpdate=True, platforms=["linux/arm64"], allowTags="any")

    (found,) = read_resource(
        image_updater(reference("shop", image, **middle), **top), exact=exact
    ).images

    assert found.strategy is Strategy.DIGEST
    assert found.force_update is False
    assert found.allow_tags == "regexp:image"
    assert found.ignore_tags == ("image",)
    assert found.platforms == ("linux/arm64",)


def test_read_null_is_not_set_and_empty_is():
    image = APP | level(updateStrategy=None, allowTags="", ignoreTags=[], pullSecret="")
    top = level(
        updateStrategy="name",
        allowTags="regexp:a",
        ignoreTags=["a"],
        pullSecret="secret:argocd/a#b",
    )

    (found,) = read_resource(image_updater(reference("shop", image), **top)).images

    assert found.strategy is Strategy.ALPHABETICAL
    assert (found.allow_tags, found.ignore_tags, found.pull_secret) == (None, (), None)


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("updateStrategy", "", "BAD_STRATEGY"),
        ("updateStrategy", 3, "BAD_TYPE"),
        ("forceUpdate", "true", "BAD_TYPE"),
        ("allowTags", "foo", "BAD_REGEX"),
        ("ignoreTags", "a,b", "BAD_TYPE"),
        ("ignoreTags", [1], "BAD_TYPE"),
        ("platforms", ["linux"], "BAD_PLATFORM"),
        ("pullSecret", "secret:other/a#b", "CREDENTIAL_REF"),
        ("pullSecret", "x=secret:other/a#b", "CREDENTIAL_REF"),
        ("pullSecret", "ext:/bin/cat", "CREDENTIAL_REF"),
        ("pullSecret", "env:HOME", "CREDENTIAL_REF"),
    ],
)
def test_read_bad_setting_disables_that_image_and_names_the_place(name, value, code):
    other = {"alias": "other", "imageName": "redis"}
    configuration = read_resource(
        image_updater(reference("shop", APP | level(**{name: value}), other))
    )

    (problem,) = [one for one in configuration.problems if one.fatal]
    assert (problem.code, problem.alias) == (code, "app")
    assert problem.key == (
        f"ImageUpdater argocd/images: spec.applicationRefs[0].images[0].commonUpdateSettings.{name}"
    )
    assert [image.alias for image in configuration.usable_images] == ["other"]


@pytest.mark.parametrize(
    ("name", "constraint", "repository"),
    [("nginx:^1", "^1", "nginx"), ("ghcr.io/a/b", None, "a/b")],
)
def test_read_image_name_has_the_grammar_of_an_entry(name, constraint, repository):
    (image,) = read_resource(
        image_updater(reference("shop", {"alias": "x", "imageName": name}))
    ).images

    assert (image.alias, image.reference.repository, image.constraint) == (
        "x",
        repository,
        constraint,
    )


@pytest.mark.parametrize(
    "image",
    [
        {"imageName": "nginx"},
        {"alias": "a"},
        {"alias": "a", "imageName": ""},
        {"alias": "-a", "imageName": "nginx"},
        {"alias": "a/b", "imageName": "nginx"},
        {"alias": "a", "imageName": "NGINX"},
        {"alias": 5, "imageName": "nginx"},
        {"alias": "a", "imageName": ["nginx"]},
        "nginx",
        None,
    ],
    ids=repr,
)
def test_read_bad_image_is_a_problem_and_the_others_work(image):
    configuration = read_resource(image_updater(reference("shop", image, APP)))

    assert [code for code, _ in codes(configuration, fatal=True)] == ["BAD_IMAGE"]
    assert [one.alias for one in configuration.usable_images] == ["app"]


def test_read_alias_listed_twice_cannot_be_used():
    configuration = read_resource(
        image_updater(reference("shop", APP, {"alias": "app", "imageName": "redis"}))
    )

    assert [image.reference.repository for image in configuration.images] == ["acme/app"]
    assert codes(configuration, fatal=True) == [("BAD_IMAGE", "app")]


def test_read_more_than_fifty_images_disables_the_application():
    images = [{"alias": f"a{number}", "imageName": f"x/{number}"} for number in range(51)]

    configuration = read_resource(image_updater(reference("shop", *images)))

    assert codes(configuration, fatal=True) == [("TOO_MANY_IMAGES", None)]
    assert configuration.usable_images == ()


@pytest.mark.parametrize("images", [[], None, "nginx"], ids=repr)
def test_read_reference_without_images_is_not_managed(images):
    resource = image_updater({"namePattern": "shop", "images": images})

    configuration = read_resource(resource)

    assert not configuration.managed
    assert codes(configuration) == [("NO_IMAGES", None)]


@pytest.mark.parametrize(
    ("targets", "attribute", "expected"),
    [
        ({"helm": {"name": "a.n", "tag": "a.t"}}, "helm", HelmTarget("a.n", "a.t")),
        ({"helm": {"spec": "a.image"}}, "helm", HelmTarget(spec="a.image")),
        ({"helm": {}}, "helm", HelmTarget()),
        ({"kustomize": {"name": "old/name"}}, "kustomize", KustomizeTarget("old/name")),
        ({"plugin": {"spec": "APP_IMAGE"}}, "plugin", PluginTarget(spec="APP_IMAGE")),
        ({"plugin": {"name": "N", "tag": "T"}}, "plugin", PluginTarget("N", "T")),
    ],
)
def test_read_manifest_targets_are_kept(targets, attribute, expected):
    resource = image_updater(reference("shop", APP | {"manifestTargets": targets}))

    configuration = read_resource(resource)

    assert getattr(configuration.images[0], attribute) == expected
    assert not codes(configuration, fatal=True)


@pytest.mark.parametrize(
    ("targets", "code"),
    [
        ({}, "BAD_TARGET"),
        ({"helm": {"name": "a"}, "kustomize": {"name": "b"}}, "BAD_TARGET"),
        ({"helm": {}, "plugin": {"spec": "X"}}, "BAD_TARGET"),
        ({"plugin": {}}, "BAD_TARGET"),
        ({"plugin": {"tag": "T"}}, "BAD_TARGET"),
        ({"plugin": {"spec": "x" * 254}}, "BAD_KEY"),
        ({"plugin": {"spec": "A=B"}}, "BAD_KEY"),
        ({"helm": {"name": "x" * 254}}, "BAD_KEY"),
        ({"helm": {"name": 5}}, "BAD_TYPE"),
        ({"kustomize": {"name": "a b"}}, "BAD_IMAGE"),
        ("helm", "BAD_TARGET"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_read_bad_manifest_targets_disable_the_image(targets, code):
    resource = image_updater(reference("shop", APP | {"manifestTargets": targets}))

    configuration = read_resource(resource)

    assert (code, "app") in codes(configuration, fatal=True)
    assert configuration.usable_images == ()


CONFIG = {
    "method": "git",
    "gitConfig": {
        "repository": "https://top/r.git",
        "branch": "top",
        "writeBackTarget": "helmvalues:top.yaml",
    },
}


def test_read_write_back_of_the_resource_is_used():
    write_back = read_resource(image_updater(reference(), writeBackConfig=CONFIG)).write_back

    assert (write_back.method, write_back.credentials) == ("git", "repocreds")
    assert (write_back.repository, write_back.base_branch) == ("https://top/r.git", "top")
    assert write_back.target.path == "apps/shop/top.yaml"


@pytest.mark.parametrize(
    ("config", "attribute", "expected"),
    [
        ({"method": "argocd"}, "method", "argocd"),
        ({"method": "git:secret:argocd/x"}, "credentials", "secret:argocd/x"),
        ({"gitConfig": {"repository": "https://low/r.git"}}, "repository", "https://low/r.git"),
        ({"gitConfig": {"branch": "low:up-{{.SHA256}}"}}, "write_branch", "up-{{.SHA256}}"),
        ({"gitConfig": {"branch": None}}, "base_branch", "top"),
        ({}, "method", "git"),
    ],
)
def test_read_write_back_merges_reference_over_resource(config, attribute, expected):
    resource = image_updater(reference(writeBackConfig=config), writeBackConfig=CONFIG)

    assert getattr(read_resource(resource).write_back, attribute) == expected


def test_read_without_write_back_is_argocd():
    assert read_resource(image_updater(reference())).write_back.method == "argocd"


@pytest.mark.parametrize("method", ["git:ext", "svn", "git:secret:other/x", 5])
def test_read_bad_method_disables_the_application(method):
    configuration = read_resource(image_updater(reference(), writeBackConfig={"method": method}))

    assert configuration.usable_images == ()
    assert codes(configuration, fatal=True)[0] in [("CREDENTIAL_REF", None), ("BAD_TYPE", None)]


def pull_request(block, *, top=None, branch="main", exact=False, **git):
    """Read with a pull-request block in the reference, and one in the resource."""
    config = {"method": "git", "gitConfig": {"branch": branch, "pullRequest": block, **git}}
    above = {"method": "git", "gitConfig": {"pullRequest": top}} if top else {}
    return read_resource(
        image_updater(reference(writeBackConfig=config), writeBackConfig=above), exact=exact
    )


@pytest.mark.parametrize("provider", ["github", "gitlab"])
@pytest.mark.parametrize("exact", [False, True], ids=["default", "exact"])
def test_read_pull_request_names_the_provider_and_labels(provider, exact):
    configuration = pull_request({provider: {}, "labels": ["bot", "x" * 255]}, exact=exact)

    assert configuration.write_back.pull_request == provider
    assert configuration.write_back.pull_request_labels == ("bot", "x" * 255)
    assert configuration.problems == ()


def test_read_pull_request_block_replaces_the_inherited_one_whole():
    configuration = pull_request({"gitlab": {}}, top={"github": {}, "labels": ["top"]})

    assert configuration.write_back.pull_request == "gitlab"
    assert configuration.write_back.pull_request_labels == ()


def test_read_pull_request_is_inherited_when_not_set():
    configuration = pull_request(None, top={"github": {}, "labels": ["top"]})

    assert configuration.write_back.pull_request == "github"


@pytest.mark.parametrize(
    "block",
    [
        {},
        {"github": {}, "gitlab": {}},
        {"github": {}, "labels": ["x"] * 101},
        {"github": {}, "labels": [""]},
        {"github": {}, "labels": ["x" * 256]},
        {"github": {}, "labels": [5]},
        "github",
        {"bitbucket": {}},
    ],
    ids=lambda block: str(block)[:40],
)
def test_read_bad_pull_request_disables_the_application(block):
    assert codes(pull_request(block), fatal=True) == [("BAD_PULL_REQUEST", None)]


def test_read_pull_request_with_a_write_branch_is_refused():
    assert codes(pull_request({"github": {}}, branch="main:x"), fatal=True) == [
        ("BAD_BRANCH", None)
    ]


def test_read_pull_request_over_ssh_is_refused():
    configuration = pull_request({"github": {}}, repository="git@github.com:a/b.git")

    assert codes(configuration, fatal=True) == [("BAD_PULL_REQUEST", None)]


def test_read_gitea_is_ours_and_unknown_to_exact():
    assert pull_request({"gitea": {}}).write_back.pull_request == "gitea"
    assert codes(pull_request({"gitea": {}}, exact=True), fatal=True) == [
        ("BAD_PULL_REQUEST", None)
    ]


@pytest.mark.parametrize("place", ["resource", "reference", "image"])
def test_read_demanded_verification_is_refused_aloud(place):
    block = {"imagesVerification": {"cosignKey": {"secretName": "k", "key": "k"}}}
    levels = {place: block}
    image = APP | levels.get("image", {})
    resource = image_updater(
        reference("shop", image, **levels.get("reference", {})), **levels.get("resource", {})
    )

    assert codes(read_resource(resource), fatal=True) == [("VERIFICATION_UNSUPPORTED", "app")]


def test_read_verification_switched_off_nearer_is_fine():
    image = APP | {"imagesVerification": {"enabled": False}}
    resource = image_updater(reference("shop", image), imagesVerification={"enabled": True})

    assert read_resource(resource).problems == ()


def test_read_use_annotations_ignores_everything_else_of_the_resource():
    resource = image_updater(
        reference(
            useAnnotations=True, writeBackConfig={"method": "git"}, **level(updateStrategy="digest")
        ),
        writeBackConfig=CONFIG,
        imagesVerification={"enabled": True},
    )

    configuration = read_resource(resource, annotations={"image-list": "x=redis"})

    (image,) = configuration.images
    assert (image.alias, image.strategy) == ("x", Strategy.SEMVER)
    assert configuration.write_back.method == "argocd"
    assert configuration.problems == ()


def test_read_use_annotations_keeps_the_verification_of_the_reference():
    resource = image_updater(reference(useAnnotations=True, imagesVerification={"enabled": True}))

    configuration = read_resource(resource, annotations={"image-list": "x=redis"})

    assert codes(configuration, fatal=True) == [("VERIFICATION_UNSUPPORTED", None)]


def test_read_use_annotations_without_a_list_is_not_managed():
    assert not read_resource(image_updater(reference(useAnnotations=True))).managed


def test_read_resource_leaves_annotations_unread_and_says_so():
    configuration = read_resource(
        image_updater(reference()),
        annotations={"image-list": "x=redis", "x.update-strategy": "bad"},
    )

    assert [image.alias for image in configuration.images] == ["app"]
    assert codes(configuration) == [("IGNORED", None)]


def test_read_resource_that_selects_others_leaves_the_annotations_in_force():
    configuration = read_resource(
        image_updater(reference("other")), annotations={"image-list": "x=redis"}
    )

    assert [image.alias for image in configuration.images] == ["x"]


def test_read_two_resources_refuse_the_application_and_name_both():
    resources = [image_updater(reference(), name=name) for name in ("one", "two")]

    configuration = read(resources=resources)

    assert codes(configuration) == [("TWO_RESOURCES", None)]
    assert configuration.problems[0].value == "argocd/one, argocd/two"
    assert configuration.managed
    assert configuration.usable_images == ()


def test_read_two_resources_exact_takes_the_first():
    first = image_updater(reference("shop", {"alias": "first", "imageName": "nginx"}), name="one")

    configuration = read(resources=[first, image_updater(reference(), name="two")], exact=True)

    assert [image.alias for image in configuration.images] == ["first"]


def test_read_unusable_reference_passes_on_to_the_next_and_says_so():
    bad = reference("shop", writeBackConfig={"method": "svn"})
    good = reference("sh*", {"alias": "good", "imageName": "nginx"})

    configuration = read_resource(image_updater(good, bad))

    assert [image.alias for image in configuration.usable_images] == ["good"]
    assert codes(configuration) == [("PASSED_OVER", None)]


def test_read_when_every_reference_is_unusable_reports_the_first():
    references = [
        reference(pattern, writeBackConfig={"method": "svn"}) for pattern in ("s*", "shop")
    ]

    configuration = read_resource(image_updater(*references))

    assert configuration.managed
    assert configuration.problems[0].key.endswith("applicationRefs[1].writeBackConfig.method")


@pytest.mark.parametrize("resource", [None, 5, "x", {}, {"metadata": None}, {"spec": []}], ids=repr)
def test_read_resource_of_any_shape_is_no_resource(resource):
    document = manifest({"image-list": "nginx"})

    assert reading.read(document, image_updaters=[resource]) == reading.read(document)
