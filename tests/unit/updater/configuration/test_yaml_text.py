"""Hostile YAML: bounded in size, depth, aliases and time."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.configuration import reading, untrusted, yaml_text
from updater.configuration.yaml_text import YAMLTextError


@pytest.mark.parametrize(
    ("text", "documents"),
    [
        ("a: 1", [{"a": 1}]),
        ('{"a": [true, null]}', [{"a": [True, None]}]),
        ("a: 1\n---\nb: 2\n", [{"a": 1}, {"b": 2}]),
        ("---\n---\na: 1", [{"a": 1}]),
        ("", []),
        ("a: &x [1]\nb: *x", [{"a": [1], "b": [1]}]),
        ("a: no", [{"a": "no"}]),
    ],
)
def test_load_all_gives_plain_values(text, documents):
    assert yaml_text.load_all(text) == documents


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        "{a: " * 200_000,
        "- " * 5000 + "x",
        "\n".join(" " * depth + "a:" for depth in range(1000)),
        "a: &a [x]\n" + "".join(f"b{number}: *a\n" for number in range(101)),
        "x" * (yaml_text.MAX_LENGTH + 1),
        "a: 1\na: 2",
        "? {a: b}\n: c",
        "a: 0001-99-99",
        "!!python/name:os.system",
        "!custom x",
        "a: *missing",
        "\x00",
        "a:\n\tb: 1",
        "1" * 10_000,
    ],
    ids=lambda text: ascii(text[:24]),
)
def test_load_all_hostile_text_is_refused_quickly(text):
    started = time.perf_counter()

    with pytest.raises(YAMLTextError):
        yaml_text.load_all(text)

    # Unbounded, the first of them would take minutes.
    assert time.perf_counter() - started < 20


def test_load_one_of_two_documents_is_refused():
    with pytest.raises(YAMLTextError, match="more than one"):
        yaml_text.load_one("a: 1\n---\nb: 2")


LAUGHS = "\n".join(
    [
        "x0: &x0 [a, a]",
        *(f"x{level}: &x{level} [*x{level - 1}, *x{level - 1}]" for level in range(1, 45)),
    ]
)


@pytest.mark.parametrize("key", ["image-list", "app.allow-tags", "write-back-method", "unknown"])
def test_read_aliases_that_multiply_are_never_printed(key):
    laughs = yaml_text.load_one(LAUGHS)["x44"]
    annotations = {
        "argocd-image-updater.argoproj.io/image-list": "app=nginx",
        f"argocd-image-updater.argoproj.io/{key}": laughs,
        "countersign.dev/pin": laughs,
        "countersign.dev/source-name": laughs,
    }
    started = time.perf_counter()

    configuration = reading.read({"metadata": {"name": "x", "annotations": annotations}})

    assert time.perf_counter() - started < 10
    assert "(list)" in [problem.value for problem in configuration.problems]


def test_read_a_document_that_contains_itself_gives_a_configuration():
    cycle = yaml_text.load_one(
        "&a {metadata: *a, annotations: *a, labels: *a, spec: *a, source: *a, name: x}"
    )

    assert reading.read(cycle, image_updaters=[cycle]).managed is False


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("x", "x"),
        (None, ""),
        (True, "True"),
        (5, "5"),
        (1.5, "1.5"),
        ([1], "(list)"),
        ({}, "(dict)"),
        (1 << 20_000, "(int)"),
    ],
    ids=["text", "null", "boolean", "number", "float", "list", "mapping", "endless-number"],
)
def test_shown_prints_scalars_and_names_the_rest(value, shown):
    assert untrusted.shown(value) == shown


@given(st.text(max_size=100) | st.text(alphabet="ab:-[]{}&*!|>'\"#%@`, \n?", max_size=60))
def test_load_all_any_text_raises_only_the_documented_error(text):
    try:
        documents = yaml_text.load_all(text)
    except YAMLTextError:
        return

    assert None not in documents
