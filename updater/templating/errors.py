"""The one error of templates: it names the place and what is wrong there."""

from updater.errors import PermanentError


class TemplateError(PermanentError):
    """A template that is not understood, or cannot be rendered within its bounds."""

    code = "bad_template"


def fault(source: str, at: int, message: str) -> TemplateError:
    """Return the error for the place `at` (an offset into the template's text)."""
    line = source.count("\n", 0, at) + 1
    column = at - (source.rfind("\n", 0, at) + 1) + 1
    return TemplateError(f"template, line {line}, column {column}: {message}")
