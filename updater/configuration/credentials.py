"""Credential references (specification 1.4): where a user and password are kept, never what they are.

The namespace rule is checked on the parsed reference: upstream looks at the raw text, which a registry
prefix or capital letters slip past.
"""

import re
from dataclasses import dataclass, field

from updater.configuration.findings import SettingError

PULL_SECRET, SECRET, ENVIRONMENT, PROGRAM = "pullsecret", "secret", "env", "ext"
_DOCKER_CONFIG_KEY = ".dockerconfigjson"
_MAX_LENGTH = 1024
_NAMESPACE = r"(?P<namespace>[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)"
_NAME = r"(?P<name>[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?)"
_GRAMMARS = {
    PULL_SECRET: (re.compile(f"{_NAMESPACE}/{_NAME}"), "pullsecret:<namespace>/<name>"),
    SECRET: (
        re.compile(f"{_NAMESPACE}/{_NAME}#(?P<field>[A-Za-z0-9._-]{{1,253}})"),
        "secret:<namespace>/<name>#<field>",
    ),
    ENVIRONMENT: (re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]{0,252})"), "env:<NAME>"),
    PROGRAM: (re.compile(r"(?P<name>/[!-~]{1,512})"), "ext:/absolute/program"),
}
_FORMS = ", ".join(form for _, form in _GRAMMARS.values())


class CredentialReferenceError(SettingError):
    """Not a credential reference, or one that must not be used here."""

    code = "CREDENTIAL_REF"


class LoginError(SettingError):
    """The text of a secret is not `user:password`."""

    code = "BAD_LOGIN"


@dataclass(frozen=True, slots=True)
class CredentialReference:
    """A place: a Secret and its field, an environment variable, or a program (path in `name`)."""

    kind: str
    namespace: str
    name: str
    field: str

    @property
    def is_operator_only(self) -> bool:
        """Whether it reaches outside Kubernetes: allowed in registries.conf only, by a setting."""
        return self.kind in (ENVIRONMENT, PROGRAM)


@dataclass(frozen=True, slots=True)
class Login:
    """A user and password; the password shows in no message."""

    username: str
    password: str = field(repr=False)


def parse(text: str) -> CredentialReference:
    """Return the reference.

    Raises:
        CredentialReferenceError: the text is none of the four forms.
    """
    if len(text) > _MAX_LENGTH:
        raise CredentialReferenceError(f"Use at most {_MAX_LENGTH} characters: {_FORMS}.")
    pieces = _without_registry(text).split(":")
    kind = pieces[0].lower()
    if len(pieces) != 2 or kind not in _GRAMMARS:
        raise CredentialReferenceError(f"Not a credential reference: use {_FORMS}.")
    grammar, form = _GRAMMARS[kind]
    match = grammar.fullmatch(pieces[1])
    if match is None:
        raise CredentialReferenceError(f"Not a credential reference: use {form}.")
    return _reference(kind, match)


def parse_own(text: str, *, namespace: str) -> CredentialReference:
    """Return a reference written by an Application's owner: a secret of the own namespace only.

    Raises:
        CredentialReferenceError: another form, another namespace, or one for operators only.
    """
    reference = parse(text)
    if reference.is_operator_only:
        raise CredentialReferenceError(
            "env: and ext: are read from the operator's registries.conf only: use a secret."
        )
    if reference.namespace != namespace:
        raise CredentialReferenceError(
            f"The secret must be in the Application's own namespace, {namespace}."
        )
    return reference


def parse_login(text: str) -> Login:
    """Return the user and password of `user:password`; the password may hold colons.

    Raises:
        LoginError: one of the two is missing.
    """
    username, _, password = text.strip("\r\n").partition(":")
    if not username or not password:
        raise LoginError("The secret does not hold user:password.")
    return Login(username, password)


def _without_registry(text: str) -> str:
    before, found, after = text.partition("=")
    # A program's path may hold "=": only what is not a reference itself is a registry.
    return after if found and before.partition(":")[0].lower() not in _GRAMMARS else text


def _reference(kind: str, match: re.Match[str]) -> CredentialReference:
    parts = match.groupdict()
    field_name = _DOCKER_CONFIG_KEY if kind == PULL_SECRET else parts.get("field", "")
    return CredentialReference(kind, parts.get("namespace", ""), parts["name"], field_name)
