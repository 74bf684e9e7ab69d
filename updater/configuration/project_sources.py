"""Whether an AppProject lets its Applications use a Git repository (argo-cd.md 5.6); pure.

Argo CD checks what it reads. What is written is checked here, so that an annotation cannot reach a repository
of another team through credentials that Countersign happens to hold.
"""

import re
from collections.abc import Mapping, Sequence

import re2

from updater import repository_urls
from updater.configuration.findings import Findings
from updater.configuration.written import Setting

DEFAULT = "default"  # the project that Argo CD makes by itself, for everything
MAX_PATTERNS, MAX_PATTERN = 1000, 2048
_WILD = {"**": ".*", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")", ",": "|"}
_PIECE = re.compile(r"\*\*|\[[^\]]+\]|.", re.DOTALL)

# By project; None: nobody asked the cluster (a manifest read from a file), so nothing is refused.
SourceRepositories = Mapping[str, Sequence[str]] | None


def check(
    project: str, repository: Setting, allowed: SourceRepositories, findings: Findings
) -> None:
    """Refuse the Application when its project does not permit the repository."""
    if allowed is None or (project == DEFAULT and project not in allowed):
        return
    if permits(allowed.get(project, ()), repository.text):
        return
    findings.refuse(
        repository,
        code="REPO_NOT_ALLOWED",
        message=f"The project {project} does not permit this repository: add it to the project's "
        "spec.sourceRepos, or move the Application to another project.",
    )


def permits(patterns: Sequence[object], repository: str) -> bool:
    """Whether one pattern matches the repository and none that begins with `!` does."""
    texts = [text for text in patterns[:MAX_PATTERNS] if isinstance(text, str)]
    if len(texts) < len(patterns):
        return False  # what cannot be read might have been a refusal
    wanted = repository_urls.normalize(repository)
    denied = [text[1:] for text in texts if text.startswith("!")]
    allowing = [text for text in texts if not text.startswith("!")]
    return any(_matches(text, wanted) for text in allowing) and not any(
        _matches(text, wanted) for text in denied
    )


def _matches(pattern: str, repository: str) -> bool:
    if pattern == "*":
        return True
    options = re2.Options()
    options.log_errors = False
    try:
        expression = _expression(repository_urls.normalize(pattern[:MAX_PATTERN]))
        return re2.fullmatch(expression, repository, options) is not None
    except re2.error:
        return False


def _expression(pattern: str) -> str:
    is_choice = "{" in pattern and "}" in pattern
    return "(?s)" + "".join(
        piece
        if piece.startswith("[") and len(piece) > 1
        else _WILD[piece]
        if piece in ("**", "*", "?") or (is_choice and piece in "{},")
        else re2.escape(piece)
        for piece in _PIECE.findall(pattern)
    )
