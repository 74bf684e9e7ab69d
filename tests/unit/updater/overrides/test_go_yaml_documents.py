"""Whole documents, comments and all, against what go.yaml.in/yaml/v3 3.0.6 makes of them."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from updater.overrides.errors import YamlError
from updater.overrides.go_yaml import reading, writing

CALMLY = settings(deadline=None, max_examples=60)  # a busy machine is no failure
# Encoder with indent 2 and compact sequences, after a decode into a node.
DOCUMENTS = json.loads((Path(__file__).parent / "go_yaml_documents.json").read_text())
PIECES = (
    "a|b: |c:\n|- |\n|  |# c|'|\"|{|}|[|]|,|? |>-\n|&x |*x|!!str |<<: |---\n|...\n|\t|\r\n|%|: |é"
)
SOUP = st.lists(st.sampled_from([*PIECES.split("|"), "|\n"]), max_size=30).map("".join)


@pytest.mark.parametrize("row", DOCUMENTS, ids=range(len(DOCUMENTS)))
def test_write_document_is_go_s_bytes(row):
    document = reading.read(row["text"])

    assert writing.write(document) == row["written"]


@CALMLY
@given(SOUP)
def test_read_any_text_raises_nothing_but_its_error(text):
    with suppress(YamlError):
        writing.write(reading.read(text))
