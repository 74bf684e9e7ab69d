"""YAML read the way Go's YAML 1.1 readers do: what they take for a number or boolean, we do too; pure."""

from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import ScalarNode

_VERSION = (1, 1)


class YAMLTextError(ValueError):
    """The text is not YAML."""


class _Constructor(SafeConstructor):
    """Plain values only; a date stays the text it is, as it does on the way to JSON."""

    def text_of(self, node: ScalarNode) -> str:
        """Return a scalar as written."""
        return str(node.value)

    def float_of(self, node: ScalarNode) -> float:
        """Return a float; `1e3` is one (so is a commit id like `1234e56`), `.inf` and `.nan` too."""
        text = str(node.value).lower().replace("_", "")
        return float(text.replace(".inf", "inf").replace(".nan", "nan"))


_Constructor.add_constructor("tag:yaml.org,2002:float", _Constructor.float_of)
_Constructor.add_constructor("tag:yaml.org,2002:timestamp", _Constructor.text_of)


def _reader() -> YAML:
    reader = YAML(typ="safe", pure=True)
    reader.version = _VERSION
    reader.Constructor = _Constructor
    return reader


def load(text: str) -> Any:  # noqa: ANN401  whatever stands there
    """Return the first document's value; None for an empty text."""
    documents = load_all(text)
    return documents[0] if documents else None


def load_all(text: str) -> list[Any]:
    """Return the values of all documents."""
    try:
        return [document for document in _reader().load_all(text) if document is not None]
    except (YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise YAMLTextError(f"error converting YAML to JSON: {error}") from error
