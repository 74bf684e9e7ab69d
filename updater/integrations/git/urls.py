"""Addresses of git repositories: which we talk to, how they are shown. Pure."""

import re
from dataclasses import dataclass

from updater.integrations.git.errors import UrlRefusedError

MAX_URL_LENGTH = 2048
MAX_SHOWN_LENGTH = 300
SAFE_SCHEMES = ("https", "ssh")
PLAIN_SCHEMES = ("http", "git")  # no encryption: only when the operator allows it

_URL = re.compile(
    r"(?P<scheme>[A-Za-z]+)://(?:(?P<user>[^/@]*)@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9._-]*)(?::(?P<port>[0-9]{1,5}))?(?P<path>/.+)"
)
_SCP = re.compile(r"(?:(?P<user>[^/@]*)@)?(?P<host>[A-Za-z0-9][A-Za-z0-9._-]*):(?P<path>(?!//).+)")
_USER = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9._~%+-]*)?")
_NEVER = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029\\\"'`]")
# A server may resolve these after we compared prefixes: the secret would then leave its place.
_DOT_SEGMENT = re.compile(r"(?:^|/)(?:\.|%2e){1,2}(?:/|$)|%2f|%5c|%00", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_USER_INFO = re.compile(r"(://)\S*@")


@dataclass(frozen=True, slots=True)
class Address:
    """A checked address in its parts; `port` is "" when the scheme's own is meant."""

    scheme: str
    user: str
    host: str
    port: str
    path: str
    location: str  # the text for git: without the user, except where SSH needs it

    @property
    def origin(self) -> str:
        """Scheme, host and port as a URL: what credentials are bound to."""
        port = f":{self.port}" if self.port else ""
        return f"{self.scheme}://{self.host}{port}"


def parse(url: str, *, allow_http: bool = False) -> Address:
    """Return the parts of an address that we may talk to."""
    match = (_URL if "://" in url else _SCP).fullmatch(url)
    if len(url) > MAX_URL_LENGTH or match is None or _NEVER.search(url):
        hint = "write https://host/path, ssh://user@host/path or user@host:path"
        raise UrlRefusedError.of(redact(url), hint)
    address = _address(url, match.groupdict(default=""))
    if why := _objection(address, allow_http=allow_http):
        raise UrlRefusedError.of(redact(url), why)
    return address


def _address(url: str, found: dict[str, str]) -> Address:
    scheme = found.get("scheme", "ssh").lower()
    address = Address(
        scheme=scheme,
        user=found["user"],
        host=found["host"],
        port=found.get("port", ""),
        path=found["path"],
        location=url,
    )
    if scheme == "ssh":
        return address
    return Address(
        scheme,
        address.user,
        address.host,
        address.port,
        address.path,
        address.origin + address.path,
    )


def _objection(address: Address, *, allow_http: bool) -> str:
    allowed = (*SAFE_SCHEMES, *PLAIN_SCHEMES) if allow_http else SAFE_SCHEMES
    if address.scheme not in allowed:
        return f"{address.scheme}:// is not one of {', '.join(allowed)}"
    if ":" in address.user:
        return "it holds a password; move it into a repository Secret"
    if not _USER.fullmatch(address.user):
        return "the user name holds characters that are not allowed"
    if _DOT_SEGMENT.search(address.path):
        return "the path holds dot segments or encoded separators"
    return ""


def redact(url: str) -> str:
    """Return an address fit to be shown: no user info, no query, no control characters, not endless."""
    match = (_URL if "://" in url else _SCP).fullmatch(url)
    if match is None or (":" in (match["user"] or "") and "@" in match["path"]):
        # A password may hold an @ or a /, and then reads as no address or as another one: show the end only.
        scheme, place = "", url.rpartition("@")[2]
    else:
        scheme, place = (
            url[: url.find("://") + 3] if "://" in url else "",
            url[match.start("host") :],
        )
    return _CONTROL.sub(" ", scheme + place.partition("?")[0])[:MAX_SHOWN_LENGTH]


def redact_all(text: str) -> str:
    """Return `text` without the user info of any address in it."""
    return _USER_INFO.sub(r"\1", text)


def is_ssh(url: str) -> bool:
    """Whether an address is entered with a key over SSH."""
    return "://" not in url or url.lower().startswith("ssh://")


def host(url: str) -> str:
    """Return the host of an address without its port, in lower case; "" when there is none."""
    match = (_URL if "://" in url else _SCP).fullmatch(url)
    return match["host"].lower() if match else ""
