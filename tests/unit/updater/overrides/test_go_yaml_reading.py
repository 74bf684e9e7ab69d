"""The reader's positions, its refusals with their lines, and its bounds."""

import time

import pytest

from updater.overrides.errors import DuplicateKeyError, YamlBoundsError, YamlError
from updater.overrides.go_yaml import reading
from updater.overrides.go_yaml.nodes import Kind

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
)
HOSTILE = {
    "g11-alias-bomb": BOMB,
    "g11-self-reference": "a: &a [*a]",
    "g11-flow-depth": "[" * 5000,
    "g11-map-depth": "{a: " * 5000,
    "g11-block-depth": "- " * 5000,
    "g11-indent-depth": "".join(f"{' ' * n}a:\n" for n in range(1000)),
    "g11-many-aliases": "a: &a x\n" + "".join(f"b{n}: *a\n" for n in range(101)),
    "unclosed-quote": '"' + "a" * 900_000,
    "unclosed-single-quote": "'" + "''" * 150_000,
    "colons": ":" * 300_000,
    "keys": "? " * 300_000,
    "tabs": "\t" * 900_000,
    "anchors": "&a " * 300_000,
    "tags": "!a " * 300_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_read_hostile_text_is_refused_within_a_second(text):
    started = time.process_time()

    with pytest.raises(YamlError):
        reading.read(text)

    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    "text",
    [
        "a: !!python/object/apply:os.system ['x']",
        "a: " + "9" * 5000,
        "#\n" * 30_000,
        "\n" * 100_000,
    ],
    ids=["g11-python-tag-is-inert", "g11-long-integer", "comments", "empty-lines"],
)
def test_read_harmless_but_odd_text_is_read_quickly(text):
    started = time.process_time()

    reading.read(text)

    assert time.process_time() - started < 2


def test_read_too_many_values_is_refused(monkeypatch):
    monkeypatch.setattr(reading, "_MAX_NODES", 100)

    with pytest.raises(YamlBoundsError, match="line 100: more than 100 values"):
        reading.read("- a\n" * 101)


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "'a' stands here a second time"),
        ("x:\n  'k': 1\n  k: 2\n", 3, "'k' stands here a second time"),
        ("{a: 1, a: 2}", 1, "second time"),
    ],
)
def test_read_g09_duplicate_key_is_refused_with_its_line(text, line, part):
    with pytest.raises(DuplicateKeyError, match=part) as refused:
        reading.read(text)

    assert refused.value.line == line
    assert str(refused.value).startswith(f"line {line}: ")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\n\tb: 2\n", 2),
        ("a:\n  b: 1\n c: 2\n", 3),
        ("a: b: c\n", 1),
        ("a: [1, 2\nb: 1\n", 2),
        ("a: {b: 1\n", 2),
        ("ok: 1\n- a\n", 2),
        ("a: @x\n", 1),
        ("a: *nowhere\n", 1),
        ("a: 'x\n", 1),
        ('a: "\\q"\n', 1),
        ("%YAML 1.3\n---\na: 1\n", 1),
        ("%TAG ! tag:x\n---\na: 1\n", 1),
        ("? [a]\n: 1\n", 1),
        ("a: |0\n  x\n", 1),
        ("key\n", None),
        ("a: & x\n", 1),
        ("a: !<x y\n", 1),
        ("- a\nb: 1\n", 2),
        ("a: | x\n", 1),
        ("a: |\n\tx\n", 2),
        ('"a\n---\nb"', 1),
        ("a: '\\ud800'\nb: \"\\ud800\"\n", 2),
        ("[a]: 1\n", 1),
        ("%YAML 1.1\na: 1\n", 2),
        ("a: [b]]\n", 1),
        ("%YAML 1.1\n", 2),
        ("%YAML 1.1", 2),
        ("a: 1\nb\n", 2),
        ("[- a]", 1),
        ("a: !x!y z\n", 1),
        ("[a: 1, {b: 2}: 3]", 1),
    ],
    ids=repr,
)
def test_read_not_yaml_names_the_line(text, line):
    if line is None:
        assert reading.read(text).root.value == "key"
        return
    with pytest.raises(YamlError) as refused:
        reading.read(text)

    assert refused.value.line == line


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"a: \xff\n", 1),
        (b"a: 1\nb: \xc3\x28\n", 2),
        (b"a: \x00\n", 1),
        (b"a: 1\nb: \x07\n", 2),
        ("a: 1\u2028b: 2\n".encode(), 1),
        ("a: 1\nb: \ufeff\n".encode(), 2),
        ("a: \x85\n".encode(), 1),
        (b"\xfe\xff\x00a", 1),
        (b"a" * (reading.MAX_BYTES + 1), 1),
    ],
    ids=["latin", "broken", "nul", "bell", "line-separator", "inner-bom", "nel", "utf-16", "large"],
)
def test_decode_bytes_that_readers_take_differently_are_refused(data, line):
    with pytest.raises(YamlBoundsError) as refused:
        reading.decode(data)

    assert refused.value.line == line


def test_read_positions_span_exactly_the_scalar():
    text = "\ufeffa: &x  v1   # c\nb:\r\n  - !!str 'it''s'\n  - [p, \"q r\"]\nc: |\n  text\n\nd:\n"
    root = reading.read(text).root

    found = [text[node.start : node.end] for node in scalars_of(root)]

    assert found == ["a", "v1", "b", "'it''s'", "p", '"q r"', "c", "|\n  text", "d", ""]


@pytest.mark.parametrize(
    ("text", "has_more"),
    [
        ("a: 1\n", False),
        ("---\na: 1\n...\n", False),
        ("a: 1\n---\nb: 1\n", True),
        ("a: 1\n---\n", True),
        ("---\n---\na: 1\n", True),
        ("", False),
        ("# only\n", False),
        ("a: 1\n...\n...\n", False),
    ],
)
def test_read_tells_whether_another_document_follows(text, has_more):
    assert reading.read(text).has_more is has_more


def test_find_follows_an_aliased_key():
    root = reading.read("a: &k name\n*k : x\n").root

    assert root.find("name").value == "x"


def scalars_of(node):
    """Return the scalars of a tree in their order."""
    if node.kind is Kind.SCALAR:
        return [node]
    return [scalar for child in node.children for scalar in scalars_of(child)]
