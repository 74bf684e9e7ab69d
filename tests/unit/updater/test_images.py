"""Image references and image-list entries: every row and trap of specification 1.1, 2.1 and 2.3."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater import images
from updater.images import Entry, ImageReference, ImageReferenceError

SHA256 = "sha256:" + "ab" * 32


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize(
    ("text", "registry", "repository", "tag", "digest"),
    [
        # the table of 2.1
        ("jannfis/test-image:0.1", "", "jannfis/test-image", "0.1", None),
        ("test-image", "", "test-image", None, None),
        ("library/test-image", "", "library/test-image", None, None),
        (
            "harbor.example.com/library/test-image:0.1",
            "harbor.example.com",
            "library/test-image",
            "0.1",
            None,
        ),
        (
            "gcr.io/jannfis/test-image@sha256:abcde",
            "gcr.io",
            "jannfis/test-image",
            None,
            "sha256:abcde",
        ),
        (
            "gcr.io/jannfis/test-image:test-tag@sha256:abcde",
            "gcr.io",
            "jannfis/test-image",
            "test-tag",
            "sha256:abcde",
        ),
        ("gcr.io:1234/jannfis/test-image:0.1", "gcr.io:1234", "jannfis/test-image", "0.1", None),
        ("registry:5000/classic-web", "registry:5000", "classic-web", None, None),
        # the rules around it
        ("nginx:1.26.0", "", "nginx", "1.26.0", None),
        ("docker.io/nginx", "docker.io", "nginx", None, None),
        ("docker.io/library/nginx:1.26.0", "docker.io", "nginx", "1.26.0", None),
        ("docker.io/org/app:1", "docker.io", "org/app", "1", None),
        ("index.docker.io/org/app:1", "", "org/app", "1", None),
        ("index.docker.io/nginx", "", "nginx", None, None),
        ("localhost/app:1", "localhost", "app", "1", None),
        ("localhost:5000/app:1", "localhost:5000", "app", "1", None),
        ("registry:5000/app", "registry:5000", "app", None, None),
        ("MyHost/app:1", "MyHost", "app", "1", None),
        ("org/app", "", "org/app", None, None),
        ("[::1]:5000/app:1", "[::1]:5000", "app", "1", None),
        (f"ghcr.io/a/b:1@{SHA256}", "ghcr.io", "a/b", "1", SHA256),
        (f"ghcr.io/a/b@{SHA256}", "ghcr.io", "a/b", None, SHA256),
        ("ghcr.io/Org/App:1", "ghcr.io", "Org/App", "1", None),
        ("nginx:" + "a" * 128, "", "nginx", "a" * 128, None),
    ],
)
def test_parse_when_literal_gives_parts(text, registry, repository, tag, digest, exact):
    reference = images.parse(text, exact=exact)

    assert reference == ImageReference(registry, repository, tag, digest)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param(" ", id="blank"),
        pytest.param("a b", id="blank-inside"),
        pytest.param("ghcr.io/a/b:1\n", id="newline-after"),
        pytest.param("ghcr.io/a/b:v1\u202egnp", id="direction-override"),
        pytest.param("a=b", id="alias"),
        pytest.param("https://ghcr.io/a", id="url"),
        pytest.param(":1", id="no-name"),
        pytest.param("@sha256:ab", id="only-digest"),
        pytest.param("a_b.c/Foo:1", id="no-host"),
        pytest.param("a:^1", id="constraint"),
        pytest.param("a:1:2", id="two-tags"),
        pytest.param("a@b", id="bad-digest"),
        pytest.param("a" * 5000, id="too-long"),
        pytest.param("é" * 2100, id="too-long-in-bytes"),
    ],
)
def test_parse_when_no_reference_is_refused(text):
    with pytest.raises(ImageReferenceError):
        images.parse(text)


ENTRIES = [
    # text, alias, registry, repository, constraint
    ("nginx", "", "", "nginx", None),
    ("web=nginx", "web", "", "nginx", None),
    ("web=nginx:1.17.10", "web", "", "nginx", "1.17.10"),
    ("nginx:~1.26", "", "", "nginx", "~1.26"),
    ("  web = nginx:^1 \n", "web", "", "nginx", "^1"),
    ("web=ghcr.io/org/app:>=1.0 <2.0", "web", "ghcr.io", "org/app", ">=1.0 <2.0"),
    ("web=ghcr.io/org/app:>=1.0, <2.0 || 3.x", "web", "ghcr.io", "org/app", ">=1.0, <2.0 || 3.x"),
    ("web=ghcr.io/org/app:*-0", "web", "ghcr.io", "org/app", "*-0"),
    ("reg.example.com:5000/app:^1", "", "reg.example.com:5000", "app", "^1"),
    ("docker.io/nginx:1.26", "", "docker.io", "nginx", "1.26"),
    ("docker.io/library/nginx:1.26", "", "docker.io", "nginx", "1.26"),
    # by the splitter `library/` stays
    ("docker.io/library/nginx:~1.26", "", "docker.io", "library/nginx", "~1.26"),
    ("library/nginx:~1.26", "", "", "library/nginx", "~1.26"),
    ("org/app:~1", "", "", "org/app", "~1"),
    ("foo/bar=org/app", "foo/bar", "", "org/app", None),
    (
        "ghcr.io:4567/jannfis/orig-image=gcr.io:1234/jannfis/test-image:0.1",
        "ghcr.io:4567/jannfis/orig-image",
        "gcr.io:1234",
        "jannfis/test-image",
        "0.1",
    ),
    ("classic-web=registry:5000/classic-web", "classic-web", "registry:5000", "classic-web", None),
    ("registry:5000/app:latest", "", "registry:5000", "app", "latest"),
    ("=nginx", "", "", "nginx", None),
    ("nginx:", "", "", "nginx", None),
    ("app=ghcr.io/org/app:latest", "app", "ghcr.io", "org/app", "latest"),
]


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize(
    ("text", "alias", "registry", "repository", "constraint"),
    ENTRIES,
    ids=[entry[0].strip() for entry in ENTRIES],
)
def test_parse_entry_gives_alias_image_and_constraint(
    text, alias, registry, repository, constraint, exact
):
    entry = images.parse_entry(text, exact=exact)

    assert entry == Entry(alias, ImageReference(registry, repository), constraint)


@pytest.mark.parametrize(
    ("text", "proper", "upstream"),
    [
        pytest.param(
            "registry:5000/app:^1",
            Entry("", ImageReference("registry:5000", "app"), "^1"),
            Entry("", ImageReference("", "registry"), "5000/app:^1"),
            id="host-port-and-constraint",
        ),
        pytest.param(
            "web=localhost:5000/app:~1",
            Entry("web", ImageReference("localhost:5000", "app"), "~1"),
            Entry("web", ImageReference("", "localhost"), "5000/app:~1"),
            id="localhost-port-and-constraint",
        ),
        pytest.param(
            "localhost/app:~1",
            Entry("", ImageReference("localhost", "app"), "~1"),
            Entry("", ImageReference("", "localhost/app"), "~1"),
            id="localhost-and-constraint",
        ),
        pytest.param(
            "registry:5000/app:1.x@sha256:abc",
            Entry("", ImageReference("registry:5000", "app", None, "sha256:abc"), "1.x"),
            Entry("", ImageReference("", "registry:5000/app", None, "sha256:abc"), "1.x"),
            id="host-port-and-short-digest",
        ),
        pytest.param(
            "registry:5000/app@sha256:abc",
            Entry("", ImageReference("registry:5000", "app", None, "sha256:abc"), None),
            Entry("", ImageReference("", "registry:5000/app", None, "sha256:abc"), None),
            id="host-port-and-short-digest-without-tag",
        ),
        pytest.param(
            "MyHost/app:^1",
            Entry("", ImageReference("MyHost", "app"), "^1"),
            Entry("", ImageReference("", "MyHost/app"), "^1"),
            id="capital-host-and-constraint",
        ),
    ],
)
def test_parse_entry_reads_what_upstream_breaks_properly_unless_exact(text, proper, upstream):
    assert images.parse_entry(text) == proper
    assert images.parse_entry(text, exact=True) == upstream


@pytest.mark.parametrize(
    ("text", "upstream"),
    [
        pytest.param("nginx:>=1.0", ("nginx:>", "1.0", None), id="constraint-with-equals"),
        pytest.param("nginx:=1.0", ("nginx:", "1.0", None), id="constraint-is-equals"),
        pytest.param("nginx:!=1.0", ("nginx:!", "1.0", None), id="constraint-not-equals"),
        pytest.param("nginx:^1 !=1.3", ("nginx:^1 !", "1.3", None), id="equals-later"),
        pytest.param("nginx:>=1 <=2", ("nginx:>", "1 <=2", None), id="two-equals"),
    ],
)
def test_parse_entry_without_alias_and_equals_in_constraint_is_refused_unless_exact(text, upstream):
    alias, repository, constraint = upstream

    with pytest.raises(ImageReferenceError, match="needs an alias"):
        images.parse_entry(text)

    assert images.parse_entry(text, exact=True) == Entry(
        alias, ImageReference("", repository), constraint
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "empty", id="empty"),
        pytest.param("  ", "names no image", id="blank"),
        pytest.param("web=", "names no image", id="alias-alone"),
        pytest.param("a=b=c", "not a repository name", id="two-equals"),
        pytest.param("web=Nginx:1.0", "lower-case", id="capital-name"),
        pytest.param("web=ghcr.io/Org/app:^1", "lower-case", id="capital-path"),
        pytest.param("web=ngi\nnx:^1", "not a repository name", id="newline-in-name"),
        pytest.param("web=nginx:^1\n~2", "control characters", id="newline-in-constraint"),
        pytest.param("we\nb=nginx", "alias", id="newline-in-alias"),
        pytest.param("a b=nginx", "alias", id="blank-in-alias"),
        pytest.param("web=ghcr.io/../x", "not a repository name", id="dots"),
        pytest.param("web=https://ghcr.io/x", "not a registry host", id="url"),
        pytest.param("web=-evil.example/x:^1", "not a registry host", id="dash-host"),
        pytest.param("web=nginx@foo bar", "not a digest", id="bad-digest"),
        pytest.param("web=ghcr.io/" + "a" * 256, "longer than 255", id="long-name"),
        pytest.param("web=nginx:^" + "1" * 5000, "longer than 4096", id="5-kib"),
    ],
)
def test_parse_entry_a17_bad_entry_is_refused_in_words(text, message):
    with pytest.raises(ImageReferenceError, match=message) as caught:
        images.parse_entry(text)

    assert caught.value.code == "BAD_IMAGE"
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("text", ["", " ", "web=", "x" * 4097])
def test_parse_entry_when_exact_still_refuses_nothing_and_too_much(text):
    with pytest.raises(ImageReferenceError):
        images.parse_entry(text, exact=True)


def test_parse_entry_a17_ten_thousand_entries_take_bounded_time():
    started = time.perf_counter()

    entries = [images.parse_entry(f"a{i}=ghcr.io/org/app-{i}:^1.{i}") for i in range(10_000)]

    assert time.perf_counter() - started < 2
    assert len({entry.alias for entry in entries}) == 10_000


@pytest.mark.parametrize(
    ("reference", "name", "tagged"),
    [
        (ImageReference("", "nginx", "1"), "nginx", "nginx:1"),
        (ImageReference("docker.io", "nginx", "1"), "docker.io/nginx", "docker.io/nginx:1"),
        (ImageReference("ghcr.io", "a/b"), "ghcr.io/a/b", "ghcr.io/a/b"),
        (ImageReference("gcr.io", "gcr.io/a", "1"), "gcr.io/a", "gcr.io/a:1"),
        (ImageReference("a.io", "a.iox/a", "1"), "a.io/a.iox/a", "a.io/a.iox/a:1"),
        (ImageReference("", "a", "1", "sha256:ab"), "a", "a:1@sha256:ab"),
        (ImageReference("", "a", None, "sha256:ab"), "a", "a@sha256:ab"),
    ],
)
def test_full_name_and_name_with_tag_join_the_parts(reference, name, tagged):
    assert images.full_name(reference) == name
    assert images.name_with_tag(reference) == tagged


@pytest.mark.parametrize(
    ("tag", "digest", "expected"),
    [
        ("1.2", None, "1.2"),
        ("1.2", "sha256:ab", "1.2@sha256:ab"),
        (None, "sha256:ab", "latest@sha256:ab"),
        ("", "sha256:ab", "latest@sha256:ab"),
        (None, None, ""),
    ],
)
def test_tag_with_digest_names_latest_when_only_a_digest_is_known(tag, digest, expected):
    assert images.tag_with_digest(tag, digest) == expected


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("nginx", "docker.io"),
        ("docker.io/nginx", "docker.io"),
        ("index.docker.io/nginx:~1", "docker.io"),
        ("ghcr.io/a/b", "ghcr.io"),
        ("registry:5000/a", "registry:5000"),
    ],
)
def test_registry_host_names_docker_hub_when_none_is_given(text, host):
    assert images.registry_host(images.parse_entry(text).reference) == host


@pytest.mark.parametrize(
    ("configured", "live", "by_default", "exactly"),
    [
        ("nginx", "nginx:1.26", True, True),
        ("docker.io/nginx", "docker.io/nginx:1", True, True),
        ("docker.io/nginx", "nginx:1", True, False),
        ("nginx", "docker.io/nginx:1", True, False),
        ("nginx", "index.docker.io/library/nginx:1", True, True),
        ("docker.io/library/nginx:~1.26", "docker.io/library/nginx:1.26.0", True, False),
        ("library/nginx", "nginx:1", True, False),
        ("org/app", "docker.io/org/app:1", True, False),
        ("org/app", "ghcr.io/org/app:1", False, False),
        ("ghcr.io/org/app", "ghcr.io/org/app@sha256:ab", True, True),
        ("ghcr.io/org/app", "ghcr.io/org/app2:1", False, False),
        ("ghcr.io/nginx", "ghcr.io/library/nginx:1", False, False),
        ("registry:5000/app:^1", "registry:5000/app:1.0", True, False),
    ],
)
def test_is_same_image_canonicalises_docker_hub_unless_exact(configured, live, by_default, exactly):
    def same(*, exact):
        entry = images.parse_entry(configured, exact=exact)
        return images.is_same_image(entry.reference, images.parse(live, exact=exact), exact=exact)

    assert same(exact=False) is by_default
    assert same(exact=True) is exactly


ANY_TEXT = st.text(alphabet="aA1.:/@=-_^~<>* \n\u202e", max_size=60) | st.text(max_size=60)


@given(ANY_TEXT, st.booleans())
def test_parse_of_any_text_raises_only_its_own_error(text, exact):
    try:
        reference = images.parse(text, exact=exact)
    except ImageReferenceError:
        return

    assert exact or images.name_with_tag(reference).isprintable()


@given(ANY_TEXT, st.booleans())
def test_parse_entry_of_any_text_raises_only_its_own_error(text, exact):
    try:
        entry = images.parse_entry(text, exact=exact)
    except ImageReferenceError:
        return

    assert entry.reference.tag is None
    assert exact or entry.reference.repository.islower() or entry.reference.repository.isdigit()


@pytest.mark.parametrize("unit", ["a.", "a-", "a/", "a_", "-", "a:", "=", "a", "1", "a@"])
@pytest.mark.parametrize("read", [images.parse, images.parse_entry])
def test_parse_of_the_greatest_length_takes_bounded_time(read, unit):
    text = unit * (4000 // len(unit)) + "!"
    started = time.perf_counter()

    with contextlib.suppress(ImageReferenceError):
        read(text)

    assert time.perf_counter() - started < 0.5
