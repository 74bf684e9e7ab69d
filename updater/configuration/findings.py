"""Gathers what is wrong with one Application's configuration; a bad value never stops the others."""

from collections.abc import Callable
from typing import TypeVar

from updater.configuration.model import Problem
from updater.configuration.written import Setting
from updater.errors import PermanentError

Value = TypeVar("Value")
_SHOWN = 200  # characters of a value that a page needs to recognise it


class SettingError(PermanentError):
    """One configured value that cannot be used; the message names the mend."""

    code = "INVALID"


def printable(text: str) -> str:
    """Return the text fit for a page and a database: short, control characters spelled out."""
    return _visible(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")


def _visible(text: str) -> str:
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


class Findings:
    """The problems found so far, in order."""

    def __init__(self) -> None:
        self._problems: list[Problem] = []

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All of them."""
        return tuple(self._problems)

    @property
    def disables_application(self) -> bool:
        """Whether something wrong concerns the whole Application."""
        return any(problem.fatal and problem.alias is None for problem in self._problems)

    def refuse(
        self, setting: Setting, *, code: str, message: str, alias: str | None = None
    ) -> None:
        """Record what makes the image (without alias: the Application) unusable."""
        self._add(setting, code, message, alias, fatal=True)

    def warn(self, setting: Setting, *, code: str, message: str, alias: str | None = None) -> None:
        """Record what people should know although everything still works."""
        self._add(setting, code, message, alias, fatal=False)

    def accept(
        self,
        setting: Setting | None,
        parse: Callable[[Setting], Value],
        *,
        otherwise: Value,
        alias: str | None = None,
        lenient: bool = False,
    ) -> Value:
        """Return the parsed setting; when absent or bad, the other value (bad: with a problem)."""
        if setting is None:
            return otherwise
        if setting.fault:
            self.refuse(setting, code="BAD_TYPE", message=setting.fault, alias=alias)
            return otherwise
        try:
            return parse(setting)
        except PermanentError as error:
            self._add(setting, error.code.upper(), str(error), alias, fatal=not lenient)
            return otherwise

    def _add(
        self, setting: Setting, code: str, message: str, alias: str | None, *, fatal: bool
    ) -> None:
        key, value = printable(setting.key), printable(setting.text)
        name = None if alias is None else printable(alias)
        self._problems.append(Problem(key, value, _visible(message), code, name, fatal))
