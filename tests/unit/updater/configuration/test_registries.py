"""Which registry serves an image (specification 2.2)."""

import pytest

from updater import images
from updater.configuration import registries
from updater.configuration.registries import RegistriesConfigurationError

CONF = """
registries:
- name: GitHub
  api_url: https://ghcr.io/
  prefix: ghcr.io
  credentials: pullsecret:argocd/ghcr
  credsexpire: 12h
  limit: 5
- name: One team
  api_url: https://ghcr.example.com
  prefix: ghcr.io/team
- name: Inner
  api_url: http://registry.internal:5000
  prefix: registry.internal:5000
  insecure: yes
  tagsortmode: Latest-First
  defaultns: base
"""
HUB = """
registries:
- name: Hub with login
  api_url: https://registry-1.docker.io
  prefix: docker.io
  credentials: secret:argocd/hub#login
"""
DEFAULT = """
registries:
- name: Ours
  api_url: https://ours.example.com
  prefix: ours.example.com
  default: true
"""


def endpoint(text, image, *, exact=False):
    """Return the endpoint for an image under a registries.conf."""
    return registries.load(text, exact=exact).endpoint(images.parse(image))


def path(text, image, *, exact=False):
    """Return the repository path asked for."""
    reference = images.parse(image)
    return registries.load(text, exact=exact).endpoint(reference).repository_path(reference)


@pytest.mark.parametrize("exact", [False, True], ids=["default", "exact"])
@pytest.mark.parametrize(
    "image", ["nginx", "docker.io/nginx", "docker.io/library/nginx", "index.docker.io/nginx"]
)
def test_endpoint_docker_hub_is_built_in(image, exact):
    found = endpoint("", image, exact=exact)

    assert (found.api_url, found.host) == ("https://registry-1.docker.io", "registry-1.docker.io")
    assert (found.limit_per_second, found.inferred, found.credentials) == (10.0, False, None)
    assert path("", image, exact=exact) == "library/nginx"


@pytest.mark.parametrize("exact", [False, True], ids=["default", "exact"])
def test_endpoint_unknown_registry_is_inferred(exact):
    found = endpoint(CONF, "quay.io/acme/app", exact=exact)

    assert (found.api_url, found.host, found.inferred) == ("https://quay.io", "quay.io", True)
    assert (found.limit_per_second, found.credentials, found.sort_mode) == (20.0, None, "")


def test_endpoint_configured_values_are_carried():
    found = endpoint(CONF, "ghcr.io/acme/app")

    assert (found.prefix, found.api_url, found.host) == ("ghcr.io", "https://ghcr.io", "ghcr.io")
    assert (found.credentials, found.credentials_expire_seconds) == (
        "pullsecret:argocd/ghcr",
        43_200.0,
    )
    assert (found.limit_per_second, found.inferred) == (5.0, False)


def test_endpoint_port_sort_mode_and_namespace_are_carried():
    found = endpoint(CONF, "registry.internal:5000/app")

    assert (found.host, found.insecure, found.sort_mode) == (
        "registry.internal:5000",
        True,
        "latest-first",
    )
    assert path(CONF, "registry.internal:5000/app") == "base/app"
    assert path(CONF, "registry.internal:5000/a/b") == "a/b"


@pytest.mark.parametrize(("exact", "limit"), [(False, 20.0), (True, None)])
def test_endpoint_configured_registry_without_limit(exact, limit):
    assert endpoint(CONF, "registry.internal:5000/app", exact=exact).limit_per_second == limit


TEAMS = CONF.replace("ghcr.io\n", "other.io\n")  # nothing is named ghcr.io any more


@pytest.mark.parametrize(
    ("image", "exact", "name"),
    [
        ("ghcr.io/team/app", False, "ghcr.example.com"),
        ("ghcr.io/team", False, "ghcr.example.com"),
        ("ghcr.io/teamster/app", False, "ghcr.io"),
        ("ghcr.io/teamster/app", True, "ghcr.example.com"),
        ("ghcr.io:5000/x", False, "ghcr.io:5000"),
    ],
)
def test_endpoint_prefix_ends_at_a_slash_unless_exact(image, exact, name):
    assert endpoint(TEAMS, image, exact=exact).host == name


@pytest.mark.parametrize("exact", [False, True], ids=["default", "exact"])
def test_endpoint_exact_registry_comes_before_a_longer_prefix(exact):
    # Step 2 before step 3: the registry part itself is configured.
    assert endpoint(CONF, "ghcr.io/team/app", exact=exact).host == "ghcr.io"


def test_endpoint_longest_prefix_wins():
    text = TEAMS.replace("ghcr.io/team", "ghcr.io/team/deep") + (
        "- name: Wide\n  api_url: https://wide.example.com\n  prefix: ghcr.io/team\n"
    )

    assert endpoint(text, "ghcr.io/team/deep/app").host == "ghcr.example.com"
    assert endpoint(text, "ghcr.io/team/app").host == "wide.example.com"


@pytest.mark.parametrize("exact", [False, True], ids=["default", "exact"])
def test_endpoint_empty_prefix_serves_all_other_registries(exact):
    text = "registries:\n- {name: All, api_url: https://all.example.com, prefix: ''}"

    assert endpoint(text, "quay.io/x/y", exact=exact).host == "all.example.com"
    assert endpoint(text, "nginx", exact=exact).host == "registry-1.docker.io"


@pytest.mark.parametrize(
    ("exact", "credentials"), [(False, "secret:argocd/hub#login"), (True, None)]
)
def test_endpoint_docker_hub_entry_serves_plain_names_unless_exact(exact, credentials):
    assert endpoint(HUB, "nginx", exact=exact).credentials == credentials
    assert endpoint(HUB, "docker.io/nginx", exact=exact).credentials == "secret:argocd/hub#login"


@pytest.mark.parametrize(("exact", "asked"), [(False, "library/nginx"), (True, "nginx")])
def test_endpoint_docker_hub_entry_keeps_library_unless_exact(exact, asked):
    assert path(HUB, "docker.io/nginx", exact=exact) == asked


@pytest.mark.parametrize("exact", [False, True], ids=["default", "exact"])
def test_endpoint_default_entry_serves_names_without_a_registry(exact):
    assert endpoint(DEFAULT, "acme/app", exact=exact).host == "ours.example.com"
    assert endpoint(DEFAULT, "docker.io/acme/app", exact=exact).host == "registry-1.docker.io"


def test_load_twice_the_same_prefix_is_refused_and_exact_takes_the_last():
    text = (
        "registries:\n- {name: A, api_url: https://a.io, prefix: x.io}\n"
        "- {name: B, api_url: https://b.io, prefix: x.io}\n"
    )

    with pytest.raises(RegistriesConfigurationError, match=r"'x\.io' is used twice"):
        registries.load(text)
    assert endpoint(text, "x.io/a", exact=True).host == "b.io"


PEM = "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n"
CA = "registries:\n- {name: A, api_url: 'https://a.io:8443', prefix: a.io"


def files(**known):
    """Return a reader that knows these files by name."""

    def read_file(name):
        if name not in known:
            raise FileNotFoundError(name)
        return known[name]

    return read_file


@pytest.mark.parametrize(
    ("fields", "known", "expected"),
    [
        ("}", {}, None),
        (", ca_file: /ca.pem}", {"/ca.pem": PEM}, PEM),
        ("}", {"/app/config/tls/a.io:8443": PEM}, PEM),
        (", ca_file: /ca.pem}", {"/ca.pem": PEM, "/app/config/tls/a.io:8443": "x"}, PEM),
        (f", ca_data: {PEM!r}}}".replace("'", '"'), {}, PEM),
        (
            f", ca_file: /ca.pem, ca_data: {PEM!r}}}".replace("'", '"'),
            {"/ca.pem": PEM},
            f"{PEM}\n{PEM}",
        ),
        (", ca_file: /none.pem, insecure: true}", {}, None),
    ],
    ids=["none", "file", "named-after-host", "file-first", "data", "both", "insecure"],
)
def test_load_certificates_come_from_file_and_data(fields, known, expected):
    loaded = registries.load(CA + fields, read_file=files(**known))

    assert loaded.endpoint(images.parse("a.io/x")).ca_pem == expected


@pytest.mark.parametrize(
    ("known", "complaint"), [({}, "does not exist"), ({"/ca.pem": "no"}, "no PEM certificate")]
)
def test_load_bad_certificate_file_is_refused(known, complaint):
    with pytest.raises(RegistriesConfigurationError, match=complaint):
        registries.load(CA + ", ca_file: /ca.pem}", read_file=files(**known))


@pytest.mark.parametrize(
    "error",
    [PermissionError("no"), IsADirectoryError("no"), UnicodeDecodeError("utf-8", b"", 0, 1, "x")],
)
def test_load_unreadable_certificate_file_is_refused(error):
    def read_file(name):
        raise error

    with pytest.raises(RegistriesConfigurationError, match=r"/ca\.pem"):
        registries.load(CA + ", ca_file: /ca.pem}", read_file=read_file)
