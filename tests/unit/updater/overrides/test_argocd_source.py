"""Helm parameters and plugin variables in the override file (specification 3.5)."""

import re

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from updater.overrides import argocd_source, scalars
from updater.overrides.argocd_source import Entry
from updater.overrides.errors import DuplicateKeyError, KeyPathError, OverrideError, YamlError

CALMLY = settings(deadline=None, max_examples=25)  # a busy machine is no failure
NAME = Entry("image.name", "ghcr.io/acme/app", "app")
TAG = Entry("image.tag", "1.2.3", "app")
OURS = """\
helm:
  parameters:
  - name: image.name
    value: ghcr.io/acme/app
    forcestring: true
  - name: image.tag
    value: 1.2.3
    forcestring: true
"""
FLOW = "{name: image.tag, value: 1.2.3, forcestring: true}"
BOTH_MODES = pytest.mark.parametrize("exact", [False, True], ids=["default", "exact"])


def written(before, *entries, exact=False):
    """Return the file as text."""
    data = None if before is None else before.encode()
    return argocd_source.write_helm(data, entries, exact=exact).content.decode()


@BOTH_MODES
@pytest.mark.parametrize("before", [None, "", "\n"], ids=["absent", "empty", "blank"])
def test_write_helm_without_a_file_is_the_bytes_of_the_specification(before, exact):
    assert written(before, NAME, TAG, exact=exact).lstrip("\n") == OURS


@BOTH_MODES
def test_write_helm_entries_are_sorted_by_name_bytewise(exact):
    names = ["b", "B", "a.b", "a", "é", "a-b"]

    text = written(None, *(Entry(name, "v") for name in names), exact=exact)

    assert re.findall("name: (.*)", text) == sorted(names, key=str.encode)


@BOTH_MODES
@pytest.mark.parametrize(
    ("tag", "shown"),
    [
        ("20240105", '"20240105"'),
        ("1.20", '"1.20"'),
        ("1e3", '"1e3"'),
        ("2024-01-05", '"2024-01-05"'),
        ("no", '"no"'),
        ("1:20", '"1:20"'),
        ("v1.2", "v1.2"),
        ("2024.01.05", "2024.01.05"),
    ],
)
def test_write_helm_tag_is_quoted_by_the_table(tag, shown, exact):
    assert f"    value: {shown}\n" in written(None, Entry("image.tag", tag), exact=exact)


def test_write_helm_a26_misread_by_others_is_quoted_unless_exact():
    entry = Entry("image.tag", "123e456")

    assert 'value: "123e456"\n' in written(None, entry)
    assert "value: 123e456\n" in written(None, entry, exact=True)


@BOTH_MODES
def test_write_helm_own_file_is_changed_in_its_value_only(exact):
    after = written(OURS, NAME, Entry("image.tag", "1.2.4"), exact=exact)

    assert after == OURS.replace("1.2.3", "1.2.4")


@BOTH_MODES
def test_write_helm_own_file_with_the_same_values_is_the_same(exact):
    edited = argocd_source.write_helm(OURS.encode(), [NAME, TAG], exact=exact)

    assert edited.content.decode() == OURS
    assert edited.edits == ()


@BOTH_MODES
def test_write_helm_old_entries_of_others_are_kept(exact):
    before = OURS.replace("image.name", "gone.name")

    after = written(before, TAG, exact=exact)

    assert after == before


@BOTH_MODES
@pytest.mark.parametrize(
    "prefix",
    ["---\n", "# c\n\n---\n", "# c\n%YAML 1.1\n---\n", "--- # c\n", "\n# a\n# b\n---   \n"],
    ids=repr,
)
def test_write_helm_prefix_up_to_the_document_mark_is_kept(prefix, exact):
    after = written(prefix + OURS, NAME, Entry("image.tag", "2"), exact=exact)

    assert after == prefix + OURS.replace("1.2.3", '"2"')


def test_write_helm_exact_rewrites_and_loses_the_rest():
    before = (
        "# lost\nother: 1\nhelm:\n    valueFiles: [a]\n    parameters:\n"
        "    - {name: z, value: 1.0, forceString: true, extra: x}\n    - value: '5'\n      name: b\n"
        "      forcestring: yes\n"
    )

    after = written(before, TAG, exact=True)

    assert after == (
        "helm:\n  parameters:\n"
        '  - name: b\n    value: "5"\n    forcestring: true\n'
        "  - name: image.tag\n    value: 1.2.3\n    forcestring: true\n"
        '  - name: z\n    value: "1.0"\n    forcestring: false\n'
    )


@pytest.mark.parametrize(
    "before",
    [
        "a: [1\n",
        "- a\n",
        "text",
        "helm: 5\n",
        "helm:\n  parameters: {a: b}\n",
        "helm: [a]\n",
        "helm:\n  parameters:\n  - a\n",
        "helm:\n  parameters:\n  - name: [x]\n",
    ],
    ids=repr,
)
def test_write_helm_undecodable_file_is_replaced_when_exact_and_refused_otherwise(before):
    assert written(before, NAME, TAG, exact=True) == OURS
    with pytest.raises(OverrideError):
        written(before, NAME, TAG)


def test_write_helm_undecodable_entry_of_others_is_left_alone_unless_exact():
    before = "helm:\n  parameters:\n  - forcestring: perhaps\n"

    assert written(before, TAG, exact=True).count("name") == 1
    assert written(before, TAG).startswith(before)


@pytest.mark.parametrize(
    "before",
    [
        "helm:\n",
        "helm: ~\n",
        "helm:\n  parameters:\n",
        "helm:\n  parameters: null\n",
        "x:\n",
        "helm:\n  parameters:\n  -\n",
        "helm:\n  parameters:\n  - forcestring:\n    value:\n",
    ],
    ids=repr,
)
def test_write_helm_exact_empty_values_count_as_nothing(before):
    after = written(before, TAG, exact=True)

    assert after.endswith("  - name: image.tag\n    value: 1.2.3\n    forcestring: true\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# only\n", "# only\nhelm:\n  parameters:\n{}"),
        ("x: 1", "x: 1\nhelm:\n  parameters:\n{}"),
        ("---\n", "---\nhelm:\n  parameters:\n{}"),
        ("helm:\n", "helm:\n  parameters:\n{}"),
        ("helm: # c\nx: 1\n", "helm: # c\n  parameters:\n{}x: 1\n"),
        ("helm: {}\nx: 1\n", "helm:\n  parameters:\n{}x: 1\n"),
        ("helm:\n  parameters: []\n", "helm:\n  parameters:\n{}"),
        ("helm:\n  parameters: # c\nx: 1\n", "helm:\n  parameters: # c\n{}x: 1\n"),
        ("helm:\n  valueFiles:\n  - a\n", "helm:\n  valueFiles:\n  - a\n  parameters:\n{}"),
    ],
    ids=repr,
)
def test_write_helm_where_the_list_is_missing_it_is_added(before, after):
    item = "  - name: image.tag\n    value: 1.2.3\n    forcestring: true\n"
    item = item if before.endswith("\n") else item.rstrip("\n")
    assert written(before, TAG) == after.format(item)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "helm: {parameters: [{name: b, value: c}]}\n",
            f"helm: {{parameters: [{{name: b, value: c}}, {FLOW}]}}\n",
        ),
        (
            "{helm: {x: y}}",
            "{helm: {x: y, parameters: [{name: image.tag, value: 1.2.3, forcestring: true}]}}",
        ),
        ("{}", "{helm: {parameters: [{name: image.tag, value: 1.2.3, forcestring: true}]}}"),
        ("{helm: }", "{helm: {parameters: [{name: image.tag, value: 1.2.3, forcestring: true}]} }"),
        (
            "helm: {parameters: [{name: z, value: c}, ]}\n",
            f"helm: {{parameters: [{FLOW}, {{name: z, value: c}}, ]}}\n",
        ),
    ],
    ids=repr,
)
def test_write_helm_flow_style_stays_flow(before, after):
    assert written(before, TAG) == after


def test_write_helm_default_keeps_everything_around():
    before = (
        "# top\r\nother: [ 1,2 ]   # odd\r\nhelm:\r\n    # ours\r\n    parameters:   # list\r\n"
        "        - name:   image.tag   # the tag\r\n          value: '1.2.2' # old\r\n"
        "          forceString: true\r\n\r\n        - {name: z, value: 5}\r\n# end"
    )

    after = written(before, NAME, TAG)

    added = (
        "        - name: image.name\r\n          value: ghcr.io/acme/app\r\n"
        "          forcestring: true\r\n"
    )
    first = "        - name:   image.tag"
    assert after == before.replace("'1.2.2'", "'1.2.3'").replace(first, added + first)


@pytest.mark.parametrize(
    ("entry", "after"),
    [
        (
            "name: image.tag\n    value: 1.0\n",
            "name: image.tag\n    value: 1.2.3\n    forcestring: true\n",
        ),
        ("name: image.tag\n", "name: image.tag\n    value: 1.2.3\n    forcestring: true\n"),
        (
            "name: image.tag\n    value:\n    forceString: false\n",
            "name: image.tag\n    value: 1.2.3\n    forceString: true\n",
        ),
        (
            "name: image.tag\n    Value: x\n    forcestring: # c\n",
            "name: image.tag\n    Value: 1.2.3\n    forcestring: true # c\n",
        ),
        ("{name: image.tag}\n", "{name: image.tag, value: 1.2.3, forcestring: true}\n"),
    ],
    ids=repr,
)
def test_write_helm_incomplete_entry_is_completed(entry, after):
    head = "helm:\n  parameters:\n  - "

    assert written(head + entry, TAG) == head + after


def test_write_helm_same_name_twice_changes_both():
    before = "helm:\n  parameters:\n" + "  - {name: image.tag, value: a, forcestring: true}\n" * 2

    assert written(before, TAG).count("1.2.3") == 2


def test_write_helm_unsorted_file_gets_new_entries_at_its_end():
    before = "helm:\n  parameters:\n  - name: z\n    value: a\n  - name: b\n    value: a\n"

    assert written(before, TAG) == before + (
        "  - name: image.tag\n    value: 1.2.3\n    forcestring: true\n"
    )


def test_write_helm_tells_old_and_new_values():
    before = OURS.replace("1.2.3", "1.2.2").replace("image.name", "x")

    edits = argocd_source.write_helm(before.encode(), [NAME, TAG]).edits

    assert [(edit.key, edit.old, edit.new, edit.image) for edit in edits] == [
        ("helm.parameters.image.name", None, "ghcr.io/acme/app", "app"),
        ("helm.parameters.image.tag", "1.2.2", "1.2.3", "app"),
    ]


@BOTH_MODES
def test_write_helm_g09_duplicate_key_is_refused(exact):
    with pytest.raises(DuplicateKeyError, match="line 2"):
        written("helm: {}\nhelm: {}\n", TAG, exact=exact)


@BOTH_MODES
@pytest.mark.parametrize("name", ["", "a\nb", "x" * 513, "a\x00"], ids=repr)
def test_write_helm_a25_unusable_name_is_refused(name, exact):
    with pytest.raises(OverrideError):
        written(None, Entry(name, "1"), exact=exact)


@pytest.mark.parametrize(
    "before",
    [
        "a: 1\n---\nhelm: {}\n",
        "helm: &x {parameters: []}\nb: *x\n",
        "helm: !!map\n",
        "b: &x {}\nhelm: *x\n",
        "b: &x []\nhelm:\n  parameters: *x\n",
        "helm:\n  parameters:\n  - name: image.tag\n    value: [a]\n",
        "helm:\n  parameters:\n  - name: image.tag\n    value: !!int 5\n",
        "helm: &h\nother: *h\n",
        "helm:\n  parameters:\n  - name: image.tag\n    value: | # c\n      x\n",
    ],
    ids=repr,
)
def test_write_helm_what_cannot_be_edited_safely_is_refused(before):
    with pytest.raises(OverrideError):
        written(before, TAG)


def test_write_helm_patch_that_goes_wrong_is_refused(monkeypatch):
    monkeypatch.setattr(scalars, "safe", lambda text, **_: text.replace("1.2.3", "wrong"))

    with pytest.raises(KeyPathError, match=r"helm\.parameters cannot be edited"):
        written("", TAG)


def test_write_plugin_appends_in_order_without_force():
    entries = [Entry("TAG", "1.20", "app"), Entry("APP_IMAGE", "ghcr.io/acme/app:1.2.3", "app")]
    expected = (
        'plugin:\n  env:\n  - name: TAG\n    value: "1.20"\n'
        "  - name: APP_IMAGE\n    value: ghcr.io/acme/app:1.2.3\n"
    )

    for exact in (False, True):
        assert argocd_source.write_plugin(None, entries, exact=exact).content.decode() == expected


@BOTH_MODES
def test_write_plugin_replaces_by_name(exact):
    before = b"plugin:\n  env:\n  - name: TAG\n    value: a\n  - name: B\n    value: b\n"

    after = argocd_source.write_plugin(before, [Entry("TAG", "c")], exact=exact)

    assert after.content == before.replace(b"value: a", b"value: c")


def test_helm_values_reads_names_and_values():
    assert argocd_source.helm_values(OURS.encode()) == {
        "image.name": "ghcr.io/acme/app",
        "image.tag": "1.2.3",
    }
    assert argocd_source.helm_values(None) == {}
    assert argocd_source.plugin_values(b"x: 1\n") == {}


NAMES = st.text(
    st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=12
)
VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=16)
PAIRS = st.dictionaries(NAMES, VALUES, min_size=1, max_size=4)


@CALMLY
@given(PAIRS, PAIRS)
def test_write_helm_any_entries_are_read_back_by_both_readers(first, second):
    before = argocd_source.write_helm(None, [Entry(*pair) for pair in first.items()]).content

    after = argocd_source.write_helm(before, [Entry(*pair) for pair in second.items()]).content

    for document in (yaml.safe_load(after), YAML(typ="safe", pure=True).load(after)):
        found = {entry["name"]: entry["value"] for entry in document["helm"]["parameters"]}
        assert found == first | second
        assert all(entry["forcestring"] is True for entry in document["helm"]["parameters"])


@CALMLY
@given(PAIRS, PAIRS)
def test_write_helm_on_a_file_of_ours_both_modes_agree(first, second):
    before = argocd_source.write_helm(
        None, [Entry(*pair) for pair in first.items()], exact=True
    ).content
    entries = [Entry(*pair) for pair in second.items()]

    default, exact = (
        argocd_source.write_helm(before, entries, exact=mode).content for mode in (False, True)
    )

    unquoted = default.decode().replace('"', "").replace("'", "")
    assert unquoted.split() == exact.decode().replace('"', "").replace("'", "").split()


@CALMLY
@given(st.binary(max_size=60) | st.text("a:{}[]-&*!|>'\"#\n \t?,%", max_size=60).map(str.encode))
def test_write_helm_any_file_raises_nothing_but_its_error(before):
    for exact in (False, True):
        try:
            argocd_source.write_helm(before, [TAG], exact=exact)
        except YamlError as error:
            assert error.line >= 1  # noqa: PT017  either outcome is fine
        except OverrideError:
            continue
