"""Links made from image labels: only http and https, only to commits, never with credentials in them."""

import re
from urllib.parse import urlsplit, urlunsplit

_REVISION = re.compile(r"[0-9a-f]{7,64}", re.IGNORECASE)
_SSH_FORM = re.compile(r"(?:ssh://)?git@([A-Za-z0-9.-]+)[:/](.+)")


def source(label: str) -> str:
    """Return the web address of a source repository label, or "" if it is none that is safe to follow."""
    text = label.strip()
    if match := _SSH_FORM.fullmatch(text):
        text = f"https://{match[1]}/{match[2]}"
    try:
        parts = urlsplit(text)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        return ""
    path = parts.path.rstrip("/").removesuffix(".git")
    return urlunsplit((parts.scheme, parts.hostname + port, path, "", ""))


def web(address: str) -> str:
    """Return the address if it is a web address without credentials, else ""."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    is_safe = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc
    return address if is_safe else ""


def is_revision(text: str) -> bool:
    """Whether the text is a commit hash, so it may become part of a link."""
    return _REVISION.fullmatch(text) is not None


def commit(source_label: str, revision: str) -> str:
    """Return the link to one commit, or ""."""
    base = source(source_label)
    if not base or not is_revision(revision):
        return ""
    return f"{base}{_dialect(base)}/commit/{revision}"


def comparison(source_label: str, old_revision: str, new_revision: str) -> str:
    """Return the link to what changed between two commits, or ""."""
    base = source(source_label)
    if not base or not (is_revision(old_revision) and is_revision(new_revision)):
        return ""
    return f"{base}{_dialect(base)}/compare/{old_revision}...{new_revision}"


def _dialect(base: str) -> str:
    # GitLab keeps its pages under /-/; GitHub, Gitea and Forgejo do not.
    return "/-" if "gitlab" in (urlsplit(base).hostname or "") else ""
