"""The URL of a git repository we may write to: https, ssh or the scp form, and nothing that is a command."""

import re
from urllib.parse import urlsplit

from updater.configuration.findings import SettingError

_MAX_LENGTH = 2048
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_IPV6 = re.compile(r"[0-9A-Fa-f:.]+")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.%+~-]*")
_SCP = re.compile(rf"{_USER.pattern}@({_HOST.pattern}):(?!:)(?!-)[^:@]+")
_MEND = "Use https://host/path, ssh://git@host/path or git@host:path"


class GitURLError(SettingError):
    """Not a git repository URL that is used."""

    code = "REPO_URL"


def check(text: str, *, allow_http: bool = False) -> str:
    """Return the URL, literal.

    Raises:
        GitURLError: another scheme, a password, or anything git or ssh could take for something else.
    """
    if not 0 < len(text) <= _MAX_LENGTH or not text.isascii() or not text.isprintable():
        raise GitURLError(f"{_MEND}, of at most {_MAX_LENGTH} plain characters.")
    if " " in text or "\\" in text:
        raise GitURLError(f"{_MEND}, without spaces or backslashes.")
    if "://" not in text:
        return _check_scp(text)
    return _check_url(text, ("https", "ssh", "http") if allow_http else ("https", "ssh"))


def is_ssh(url: str) -> bool:
    """Tell whether a checked URL is reached by ssh."""
    return "://" not in url or url.startswith("ssh://")


def _check_scp(text: str) -> str:
    if not _SCP.fullmatch(text):
        raise GitURLError(f"{_MEND}.")
    return text


def _check_url(text: str, schemes: tuple[str, ...]) -> str:
    try:
        url = urlsplit(text)
        _ = url.port  # a bad port raises only when it is asked for
    except ValueError as error:
        raise GitURLError(f"{_MEND}.") from error
    host = url.hostname or ""
    if not text.startswith(tuple(f"{scheme}://" for scheme in schemes)):
        raise GitURLError(f"{_MEND}; other schemes are not used.")
    if url.password is not None or (url.username and not _USER.fullmatch(url.username)):
        raise GitURLError("Leave the password out of the URL: it belongs in a secret.")
    is_host = _HOST.fullmatch(host) or (":" in host and _IPV6.fullmatch(host))
    if not is_host or url.query or url.fragment or "?" in text or "#" in text:
        raise GitURLError(f"{_MEND}, without a query or fragment.")
    if not url.path.strip("/"):
        raise GitURLError(f"{_MEND}: the path of the repository is missing.")
    return text
