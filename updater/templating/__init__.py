"""The subset of Go's text/template that branch and commit templates use. Pure, bounded, closed.

Understood: fields and chains (`.AppName`, `$.X`, `(index .L 0).Name`), variables (`:=`, `=`), `range`
over lists and maps (`$i, $v`, `else`), `if`/`else if`/`else`, `with`, comments, trim markers, pipelines,
string and number literals, and the functions of `functions.NAMES`. Everything else is a TemplateError
when the template is read. A field that does not exist is a TemplateError when it is rendered.
"""

from dataclasses import dataclass

from updater.templating.errors import TemplateError
from updater.templating.evaluation import Rendering
from updater.templating.nodes import Node
from updater.templating.parsing import Parser
from updater.templating.values import Record, Value

MAX_LENGTH = 16 * 1024  # characters of a template

__all__ = ["MAX_LENGTH", "Record", "Template", "TemplateError", "Value", "parse"]


@dataclass(frozen=True, slots=True)
class Template:
    """A template that was understood."""

    source: str
    nodes: tuple[Node, ...]

    def render(self, data: Value) -> str:
        """Return the text for the data.

        Raises:
            TemplateError: an unknown field, arguments that do not fit, or more than the bounds allow.
        """
        return Rendering(self.source, data).text(self.nodes)


def parse(text: str) -> Template:
    """Return the template for its text.

    Raises:
        TemplateError: the text is too long or outside the subset; the message names the place.
    """
    if len(text) > MAX_LENGTH:
        raise TemplateError(f"the template is longer than {MAX_LENGTH} characters")
    return Template(text, Parser(text).template())
