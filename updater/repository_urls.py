"""Git repository addresses as Argo CD compares them (argo-cd.md 6.3); pure."""

import re
from urllib.parse import urlsplit

_SCP = re.compile(r"(?:[^/@]*@)?[a-z0-9][a-z0-9._-]*:(?!//).+")


def normalize(url: str) -> str:
    """Return the form in which two addresses of one repository are the same text."""
    text = url.strip().lower()
    if "://" not in text and _SCP.fullmatch(text):
        user_and_host, _, path = text.partition(":")
        text = f"ssh://{user_and_host}/{path.removeprefix('/')}"
    return text.removesuffix(".git").removeprefix("ssh://")


def host(url: str) -> str:
    """Return the host of an address, with its port and without its user."""
    if "://" in url:
        return urlsplit(url).netloc.rpartition("@")[2]
    return url.partition(":")[0].rpartition("@")[2]
