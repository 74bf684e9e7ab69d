"""What an override refuses: every message names the line or key, the value and the mend."""

from updater.errors import PermanentError


class OverrideError(PermanentError):
    """The file or the key cannot be edited safely; nothing was changed."""

    code = "override_refused"


class YamlError(OverrideError):
    """The file is not YAML that every reader understands in the same way."""

    code = "yaml_refused"

    def __init__(self, message: str, *, line: int) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line


class YamlBoundsError(YamlError):
    """The file is larger, deeper or more entangled than any honest one, or not UTF-8."""

    code = "yaml_bounds"


class DuplicateKeyError(YamlError):
    """A mapping names one key twice; readers disagree on which one counts."""

    code = "yaml_duplicate_key"


class KeyPathError(OverrideError):
    """The configured key does not lead to a place that can hold the value."""

    code = "bad_key"
