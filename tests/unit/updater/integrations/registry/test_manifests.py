"""Manifests and indexes: what is read and what is refused."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.integrations.registry.errors import (
    AmbiguousManifestError,
    BadAnswerError,
    UnsupportedManifestError,
)
from updater.integrations.registry.manifests import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    Child,
    parse_manifest,
    platform_text,
)

DIGEST = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64
CONFIG = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": DIGEST, "size": 2}
AMD64 = {"os": "linux", "architecture": "amd64"}


def image(**changes):
    whole = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": CONFIG,
        "layers": [{"digest": OTHER, "size": 5}, {"digest": OTHER, "size": 7}],
    } | changes
    return {key: value for key, value in whole.items() if value is not ...}


def index(*entries, **changes):
    return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(entries)} | changes


def entry(platform=None, digest=DIGEST, media_type=OCI_MANIFEST, **more):
    shown = {} if platform is None else {"platform": platform}
    return {"mediaType": media_type, "digest": digest, "size": 9} | shown | more


def parse(document, content_type=None):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    if content_type is None:
        content_type = document.get("mediaType") or OCI_MANIFEST
    return parse_manifest(body, content_type=content_type, what="registry.example")


@pytest.mark.parametrize(
    ("document", "content_type"),
    [
        pytest.param(image(), OCI_MANIFEST, id="oci"),
        pytest.param(image(), OCI_MANIFEST + "; charset=utf-8", id="with-parameter"),
        pytest.param(image(mediaType=...), OCI_MANIFEST, id="type-only-in-header"),
        pytest.param(image(), "application/json", id="type-only-in-body"),
        pytest.param(image(), "", id="no-header"),
        pytest.param(image(mediaType=DOCKER_MANIFEST), DOCKER_MANIFEST, id="docker"),
    ],
)
def test_parse_manifest_with_an_image_names_its_configuration_and_size(document, content_type):
    parsed = parse(document, content_type)

    assert (parsed.config, parsed.size, parsed.children) == (DIGEST, 12, ())


@pytest.mark.parametrize("media_type", [OCI_INDEX, DOCKER_LIST])
def test_parse_manifest_with_an_index_lists_the_images_by_platform(media_type):
    attestation = entry({"os": "unknown", "architecture": "unknown"})
    nested = entry(AMD64, media_type=OCI_INDEX)
    arm = entry({"os": "linux", "architecture": "arm", "variant": "v7"}, digest=OTHER)

    parsed = parse(index(entry(AMD64), arm, attestation, nested, entry(), mediaType=media_type))

    assert parsed.config is None
    assert parsed.children == (
        Child(DIGEST, "linux/amd64"), Child(OTHER, "linux/arm/v7"), Child(DIGEST, ""),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("document", "content_type", "error"),
    [
        pytest.param(image(manifests=[]), None, AmbiguousManifestError, id="r18-layers-and-manifests"),
        pytest.param(index(layers=[]), None, AmbiguousManifestError, id="r18-index-with-layers"),
        pytest.param(index(config=CONFIG), None, AmbiguousManifestError, id="r18-index-with-config"),
        pytest.param(image(), OCI_INDEX, AmbiguousManifestError, id="r18-type-differs"),
        pytest.param(image(mediaType=...), OCI_INDEX, AmbiguousManifestError, id="r18-index-without-list"),
        pytest.param(image(mediaType=5), OCI_MANIFEST, AmbiguousManifestError, id="r18-type-no-text"),
        pytest.param(
            {"schemaVersion": 1, "fsLayers": []},
            "application/vnd.docker.distribution.manifest.v1+prettyjws",
            UnsupportedManifestError,
            id="r18-schema-1",
        ),
        pytest.param(image(fsLayers=[]), None, UnsupportedManifestError, id="r18-schema-1-inside"),
        pytest.param(image(schemaVersion=3), None, UnsupportedManifestError, id="schema-3"),
        pytest.param(image(mediaType=...), "text/html", UnsupportedManifestError, id="html"),
        pytest.param(
            image(config={**CONFIG, "mediaType": "application/vnd.cncf.helm.config.v1+json"}),
            None, UnsupportedManifestError, id="helm-chart",
        ),
        pytest.param(image(config=...), None, BadAnswerError, id="no-config"),
        pytest.param(image(config={**CONFIG, "digest": "sha256:x"}), None, BadAnswerError, id="bad-config-digest"),
        pytest.param(image(layers=[{"size": -1}]), None, BadAnswerError, id="negative-size"),
        pytest.param(image(layers=[{"size": True}]), None, BadAnswerError, id="size-no-number"),
        pytest.param(image(layers={"a": 1}), None, BadAnswerError, id="layers-no-list"),
        pytest.param(index({"mediaType": OCI_MANIFEST}), None, BadAnswerError, id="entry-without-digest"),
        pytest.param(index(7), None, BadAnswerError, id="entry-no-object"),
        pytest.param(index(*[entry()] * 1001), None, BadAnswerError, id="too-many-entries"),
        pytest.param(b"{", OCI_MANIFEST, BadAnswerError, id="r12-truncated"),
    ],
)  # fmt: skip
def test_parse_manifest_with_a_bad_one_raises_its_error(document, content_type, error):
    with pytest.raises(error):
        parse(document, content_type)


def test_parse_manifest_r19_with_foreign_layers_keeps_no_address_of_them():
    layers = [{"digest": OTHER, "size": 5, "urls": ["http://sink.example/layer"]}]

    parsed = parse(image(layers=layers, config={**CONFIG, "urls": ["http://sink.example/config"]}))

    assert "sink" not in repr(parsed)


@pytest.mark.parametrize(
    ("platform", "text"),
    [
        (AMD64, "linux/amd64"),
        ({**AMD64, "variant": "v8"}, "linux/amd64/v8"),
        ({**AMD64, "variant": "../.."}, "linux/amd64"),
        ({"os": "linux"}, ""),
        ({"os": "li\nnux", "architecture": "amd64"}, ""),
        ({"os": 5, "architecture": None}, ""),
        ("linux/amd64", ""),
        (None, ""),
    ],
)
def test_platform_text_returns_what_can_be_shown(platform, text):
    assert platform_text(platform) == text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from([DIGEST, OCI_MANIFEST]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["mediaType", "digest", "size", "platform", "os", "architecture", "urls"]), inner, max_size=4
    ),
    max_leaves=12,
)  # fmt: skip
KEYS = ["schemaVersion", "mediaType", "config", "layers", "manifests", "fsLayers"]


@given(
    changes=st.dictionaries(st.sampled_from(KEYS), JSON, max_size=3),
    base=st.sampled_from([image(), index(entry(AMD64)), {}]),
    content_type=st.sampled_from([OCI_MANIFEST, OCI_INDEX, "", "text/html"]),
)
def test_parse_manifest_with_any_json_raises_nothing_but_its_error(changes, base, content_type):
    with contextlib.suppress(BadAnswerError):
        parse(base | changes, content_type)
