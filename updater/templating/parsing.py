"""Builds the tree of a template and refuses, with the place, whatever is outside the subset."""

from collections.abc import Iterator
from contextlib import contextmanager

from updater.templating import functions, literals
from updater.templating.errors import TemplateError, fault
from updater.templating.lexing import Token, tokens
from updater.templating.nodes import (
    Branch,
    Call,
    Field,
    Literal,
    Nested,
    Node,
    Operand,
    Pipeline,
    Range,
    Text,
    Variable,
)

_MAX_DEPTH = 32
_BLOCKS = ("if", "with", "range")


class Parser:
    """One pass over the tokens; knows which variables exist at each place."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._tokens = list(tokens(source))
        self._next = 0
        self._depth = 0
        self._variables = ["$"]

    def template(self) -> tuple[Node, ...]:
        """Return the nodes of the whole template."""
        body, stop = self._body()
        if stop.kind != "eof":
            raise self._fault(stop, f"{stop.text} has no block to belong to")
        return body

    def _body(self) -> tuple[tuple[Node, ...], Token]:
        """Return the nodes up to the next else, end or the end of the text, and that token."""
        nodes: list[Node] = []
        while True:
            token = self._take()
            if token.kind == "eof" or (token.kind == "word" and token.text in ("else", "end")):
                return tuple(nodes), token
            nodes.append(self._node(token))

    def _node(self, token: Token) -> Node:
        if token.kind == "text":
            return Text(token.text)
        if token.kind == "word" and token.text in _BLOCKS:
            return self._block(token)
        self._next -= 1
        if token.kind == "end":
            raise self._fault(token, "the action is empty")
        return self._pipeline("end")

    def _block(self, keyword: Token) -> Node:
        known = len(self._variables)
        with self._deeper(keyword):
            pipeline = self._pipeline("end", two_variables=keyword.text == "range")
            body, stop = self._body()
            otherwise = self._otherwise(keyword, stop)
        del self._variables[known:]
        if keyword.text == "range":
            return Range(pipeline, body, otherwise)
        return Branch(keyword.text, pipeline, body, otherwise)

    def _otherwise(self, keyword: Token, stop: Token) -> tuple[Node, ...]:
        if stop.kind == "eof":
            raise self._fault(keyword, f"{{{{{keyword.text}}}}} has no {{{{end}}}}")
        if stop.text == "end":
            self._expect_end(stop)
            return ()
        if self._peek().text == keyword.text and keyword.text != "range":
            return (self._block(self._take()),)
        self._expect_end(stop)
        nodes, last = self._body()
        if last.text != "end":
            raise self._fault(keyword, f"{{{{{keyword.text}}}}} has no {{{{end}}}} after its else")
        self._expect_end(last)
        return nodes

    def _pipeline(self, closing: str, *, two_variables: bool = False) -> Pipeline:
        first = self._peek()
        names, declares = self._targets(two_variables=two_variables)
        commands = [self._command()]
        while self._peek().text == "|":
            self._take()
            commands.append(self._command())
        last = self._take()
        if (last.kind, last.text)[closing != "end"] != closing:
            raise self._fault(last, f"{last.text or 'the end'!r} has no meaning here")
        functions.check(self._source, commands)
        self._variables += names if declares else ()
        return Pipeline(tuple(commands), names, declares, first.at)

    def _targets(self, *, two_variables: bool) -> tuple[tuple[str, ...], bool]:
        """Read `$x :=`, `$x =` or, for range, `$i, $x :=`; nothing when there is none."""
        ahead = self._tokens[self._next : self._next + 4]
        shape = [token.text if token.kind == "sign" else token.kind for token in ahead]
        count = next((n for n in (1, 3) if shape[n : n + 1] in ([":="], ["="])), 0)
        if shape[:count] not in (["variable"], ["variable", ",", "variable"]):
            return (), False
        if count == 3 and not two_variables:
            raise self._fault(ahead[1], "only range takes two variables")
        names = tuple(token.text for token in ahead[:count:2])
        self._next += count + 1
        return self._checked_targets(names, ahead[0], declares=shape[count] == ":=")

    def _checked_targets(
        self, names: tuple[str, ...], at: Token, *, declares: bool
    ) -> tuple[tuple[str, ...], bool]:
        for name in names:
            if "." in name or name == "$" or not (declares or name in self._variables):
                raise self._fault(at, f"{name} cannot be assigned to")
        return names, declares

    def _command(self) -> tuple[Operand, ...]:
        operands = [self._operand(self._take())]
        while self._peek().kind not in ("end", "eof") and self._peek().text not in ("|", ")"):
            token = self._take()
            if not token.spaced:
                raise self._fault(token, f"{token.text!r} needs a space before it")
            operands.append(self._operand(token))
        return tuple(operands)

    def _operand(self, token: Token) -> Operand:
        match token.kind:
            case "field" | "dot":
                return Field(
                    tuple(token.text.split(".")[1:]) if token.text != "." else (), token.at
                )
            case "variable":
                return self._variable(token)
            case "string" | "raw" | "number":
                return self._literal(token)
            case "word":
                return self._word(token)
            case "sign" if token.text == "(":
                return self._nested(token)
        raise self._fault(token, f"{token.text or 'the end'!r} stands where a value is expected")

    def _variable(self, token: Token) -> Variable:
        name, *names = token.text.split(".")
        if name not in self._variables:
            raise self._fault(token, f"the variable {name} does not exist")
        return Variable(name, tuple(names), token.at)

    def _literal(self, token: Token) -> Literal:
        try:
            if token.kind == "number":
                return Literal(literals.number(token.text), token.at)
            return Literal(literals.text(token.text), token.at)
        except ValueError as error:
            raise self._fault(token, str(error)) from error

    def _word(self, token: Token) -> Operand:
        if token.text in ("true", "false"):
            return Literal(token.text == "true", token.at)
        if token.text not in functions.NAMES:
            raise self._fault(token, f"{token.text} is not supported; known: {functions.LIST}")
        return Call(token.text, token.at)

    def _nested(self, opening: Token) -> Nested:
        with self._deeper(opening):
            pipeline = self._pipeline(")")
        if pipeline.variables:
            raise self._fault(opening, "a variable cannot be set inside ( )")
        after = self._peek()
        if after.kind == "field" and not after.spaced:
            return Nested(pipeline, tuple(self._take().text.split(".")[1:]), opening.at)
        return Nested(pipeline, (), opening.at)

    @contextmanager
    def _deeper(self, token: Token) -> Iterator[None]:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise self._fault(token, f"nested deeper than {_MAX_DEPTH} levels")
        yield
        self._depth -= 1

    def _take(self) -> Token:
        token = self._tokens[self._next]
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _expect_end(self, after: Token) -> None:
        token = self._take()
        if token.kind != "end":
            raise self._fault(token, f"{token.text!r} has no meaning after {after.text}")

    def _fault(self, token: Token, message: str) -> TemplateError:
        return fault(self._source, token.at, message)
