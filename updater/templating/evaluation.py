"""Renders a parsed template over plain values, within fixed bounds of steps and of output."""

from collections.abc import Iterator, Mapping, Sequence

from updater.templating import functions, printing
from updater.templating.errors import fault
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
from updater.templating.values import Record, Value, described, is_true

_MAX_STEPS = 20_000
_MAX_OUTPUT = 64 * 1024


class Rendering:
    """One rendering: the variables, the output so far, and what is left of the bounds."""

    def __init__(self, source: str, data: Value) -> None:
        self._source = source
        self._variables: list[tuple[str, Value]] = [("$", data)]
        self._output: list[str] = []
        self._room = _MAX_OUTPUT
        self._steps = _MAX_STEPS

    def text(self, nodes: Sequence[Node]) -> str:
        """Return the rendered text.

        Raises:
            TemplateError: an unknown field, arguments that do not fit, or a bound was passed.
        """
        self._walk(self._variables[0][1], nodes)
        return "".join(self._output)

    def _walk(self, dot: Value, nodes: Sequence[Node]) -> None:
        for node in nodes:
            match node:
                case Text():
                    self._write(node.text, 0)
                case Pipeline():
                    self._action(dot, node)
                case Branch():
                    self._branch(dot, node)
                case Range():
                    self._range(dot, node)

    def _action(self, dot: Value, pipeline: Pipeline) -> None:
        value = self._pipeline(dot, pipeline)
        if not pipeline.variables:
            shown = "<no value>" if value is None else printing.plain(value)
            self._write(shown, pipeline.at)

    def _branch(self, dot: Value, node: Branch) -> None:
        known = len(self._variables)
        value = self._pipeline(dot, node.pipeline)
        if is_true(value):
            self._walk(value if node.keyword == "with" else dot, node.body)
        else:
            self._walk(dot, node.otherwise)
        del self._variables[known:]

    def _range(self, dot: Value, node: Range) -> None:
        known = len(self._variables)
        value = self._pipeline(dot, node.pipeline)
        inside = len(self._variables)
        is_empty = True
        for key, item in self._elements(value, node.pipeline.at):
            is_empty = False
            self._step(node.pipeline.at)
            self._set_loop_variables(node.pipeline, key, item)
            self._walk(item, node.body)
            del self._variables[inside:]
        if is_empty:
            self._walk(dot, node.otherwise)
        del self._variables[known:]

    def _elements(self, value: Value, at: int) -> Iterator[tuple[Value, Value]]:
        if isinstance(value, tuple):
            return iter(tuple(enumerate(value)))
        if isinstance(value, Mapping):
            return iter(sorted(value.items(), key=lambda pair: pair[0].encode()))
        if value is None:
            return iter(())
        raise fault(self._source, at, f"range goes over a list or a map, not {described(value)}")

    def _set_loop_variables(self, pipeline: Pipeline, key: Value, item: Value) -> None:
        """With one variable it is the element; with two the index or key comes first."""
        values = (key, item) if len(pipeline.variables) == 2 else (item,)
        for name, value in zip(pipeline.variables, values, strict=False):
            self._assign(name, value, pipeline.at)

    def _pipeline(self, dot: Value, pipeline: Pipeline) -> Value:
        first, *rest = pipeline.commands
        value = self._command(dot, first, ())
        for command in rest:
            value = self._command(dot, command, (value,))
        for name in pipeline.variables:
            if pipeline.declares:
                self._variables.append((name, value))
            else:
                self._assign(name, value, pipeline.at)
        return value

    def _command(self, dot: Value, command: tuple[Operand, ...], piped: tuple[Value, ...]) -> Value:
        first, *operands = command
        if not isinstance(first, Call):
            return self._value(dot, first)
        self._step(first.at)
        arguments = self._arguments(dot, operands, piped)
        if first.name in ("and", "or"):
            return self._until(arguments, decided_by=first.name == "or")
        try:
            return functions.call(first.name, tuple(arguments), _MAX_OUTPUT)
        except functions.CallError as error:
            raise fault(self._source, first.at, str(error)) from error

    def _arguments(
        self, dot: Value, operands: Sequence[Operand], piped: tuple[Value, ...]
    ) -> Iterator[Value]:
        for operand in operands:
            yield self._value(dot, operand)
        yield from piped

    @staticmethod
    def _until(arguments: Iterator[Value], *, decided_by: bool) -> Value:
        """Return the first argument whose truth decides, else the last; the rest is not evaluated."""
        value: Value = None
        for value in arguments:
            if is_true(value) == decided_by:
                break
        return value

    def _value(self, dot: Value, operand: Operand) -> Value:
        self._step(operand.at)
        match operand:
            case Literal():
                return operand.value
            case Field():
                return self._fields(dot, operand.names, operand.at)
            case Variable():
                return self._fields(self._look_up(operand), operand.names, operand.at)
            case Nested():
                value = self._pipeline(dot, operand.pipeline)
                return self._fields(value, operand.names, operand.at)
            case Call():
                return self._command(dot, (operand,), ())

    def _fields(self, value: Value, names: Sequence[str], at: int) -> Value:
        for name in names:
            value = self._field(value, name, at)
        return value

    def _field(self, value: Value, name: str, at: int) -> Value:
        if isinstance(value, Record) and name in value.fields:
            return value.fields[name]
        if isinstance(value, Mapping):
            return value.get(name)
        if value is None:
            return None
        known = ", ".join(f".{each}" for each in value.fields) if isinstance(value, Record) else ""
        mend = f"; known here: {known}" if known else f" in {described(value)}"
        raise fault(self._source, at, f"there is no field .{name}{mend}")

    def _look_up(self, variable: Variable) -> Value:
        for name, value in reversed(self._variables):
            if name == variable.name:
                return value
        raise fault(self._source, variable.at, f"the variable {variable.name} has no value here")

    def _assign(self, name: str, value: Value, at: int) -> None:
        for place in range(len(self._variables) - 1, -1, -1):
            if self._variables[place][0] == name:
                self._variables[place] = (name, value)
                return
        raise fault(self._source, at, f"the variable {name} has no value here")

    def _write(self, text: str, at: int) -> None:
        self._room -= len(text)
        if self._room < 0:
            raise fault(self._source, at, f"the result is longer than {_MAX_OUTPUT} characters")
        self._step(at)
        self._output.append(text)

    def _step(self, at: int) -> None:
        self._steps -= 1
        if self._steps < 0:
            raise fault(self._source, at, f"rendering takes more than {_MAX_STEPS} steps")
