"""Git repository addresses as Argo CD compares them (argo-cd.md 6.3); pure."""

import re

_SCP = re.compile(r"(?:[^/@]*@)?[a-z0-9][a-z0-9._-]*:(?!//).+")


def normalize(url: str) -> str:
    """Return the form in which two addresses of one repository are the same text."""
    text = url.strip().lower()
    if "://" not in text and _SCP.fullmatch(text):
        user_and_host, _, path = text.partition(":")
        text = f"ssh://{user_and_host}/{path.removeprefix('/')}"
    return text.removesuffix(".git").removeprefix("ssh://")
