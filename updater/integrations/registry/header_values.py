"""The two structured headers a registry sends: `Link` (RFC 8288) and `WWW-Authenticate` (RFC 9110)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from updater.integrations.registry.errors import BadAnswerError

MAX_LENGTH = 8192  # of one header; a longer one is refused unread

# Possessive quantifiers (`*+`): no way back, so the time is linear in the length.
_SPACE = r"[ \t]*+"
_TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]++"  # noqa: S105  a grammar term of RFC 9110
_QUOTED = r'"(?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[\x20-\x7e])*+"'
_TARGET = re.compile(rf"{_SPACE}<([^<>\s\x00-\x1f\x7f]*+)>")
_LINK_PARAMETER = re.compile(
    rf"{_SPACE};{_SPACE}({_TOKEN}){_SPACE}(?:={_SPACE}({_QUOTED}|[^\s;,\"]*+))?"
)
_PARAMETER = re.compile(rf"({_TOKEN}){_SPACE}={_SPACE}({_QUOTED}|{_TOKEN})")
_SCHEME = re.compile(rf"({_TOKEN})(?=[ \t,]|$)")
_GAP = re.compile(r"[ \t,]*+")
_COMMA = re.compile(rf"{_SPACE}(?:,{_SPACE}|$)")


@dataclass(frozen=True, slots=True)
class Link:
    """One link: where to, and its relation types."""

    target: str
    relations: frozenset[str]


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way to authenticate that the registry offers; scheme and names in lower case."""

    scheme: str
    parameters: dict[str, str] = field(default_factory=dict)


def parse_links(values: Sequence[str]) -> list[Link]:
    """Return all links of the `Link` headers.

    Raises:
        BadAnswerError: a header is not what RFC 8288 allows.
    """
    return [link for value in values for link in _links(_short(value, "Link"))]


def _links(value: str) -> list[Link]:
    links: list[Link] = []
    place = 0
    while place < len(value):
        target = _TARGET.match(value, place)
        if target is None:
            raise BadAnswerError(f"The Link header {value[:80]!r} is unreadable.")
        relations, place = _relations(value, target.end())
        links.append(Link(target[1], relations))
        place = _end_of_item(value, place)
    return links


def _relations(value: str, place: int) -> tuple[frozenset[str], int]:
    relations: frozenset[str] = frozenset()
    while parameter := _LINK_PARAMETER.match(value, place):
        if parameter[1].lower() == "rel" and not relations:  # RFC 8288 3.3: the first counts
            relations = frozenset(_unquote(parameter[2] or "").lower().split())
        place = parameter.end()
    return relations, place


def _end_of_item(value: str, place: int) -> int:
    comma = _COMMA.match(value, place)
    if comma is None:
        raise BadAnswerError(f"The Link header {value[:80]!r} is unreadable.")
    return comma.end()


def parse_challenges(values: Sequence[str]) -> list[Challenge]:
    """Return all challenges of the `WWW-Authenticate` headers.

    Raises:
        BadAnswerError: a header is not what RFC 9110 allows.
    """
    return [one for value in values for one in _challenges(_short(value, "WWW-Authenticate"))]


def _challenges(value: str) -> list[Challenge]:
    challenges: list[Challenge] = []
    place = _GAP.match(value).end()  # type: ignore[union-attr]  # matches the empty text too
    while place < len(value):
        place = _challenge_part(value, place, challenges)
        place = _GAP.match(value, place).end()  # type: ignore[union-attr]
    return challenges


def _challenge_part(value: str, place: int, challenges: list[Challenge]) -> int:
    if parameter := _PARAMETER.match(value, place):
        _add_parameter(parameter[1].lower(), _unquote(parameter[2]), challenges)
        return parameter.end()
    if scheme := _SCHEME.match(value, place):
        challenges.append(Challenge(scheme[1].lower()))
        return scheme.end()
    raise BadAnswerError(f"The WWW-Authenticate header {value[:80]!r} is unreadable.")


def _add_parameter(name: str, text: str, challenges: list[Challenge]) -> None:
    if not challenges or name in challenges[-1].parameters:
        raise BadAnswerError(f"The WWW-Authenticate header has a stray or doubled {name!r}.")
    challenges[-1].parameters[name] = text


def _unquote(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text


def _short(value: str, name: str) -> str:
    if len(value) > MAX_LENGTH:
        raise BadAnswerError(f"The {name} header has more than {MAX_LENGTH} characters.")
    return value.strip(" \t")
