"""Pages on which a person reads, merges and closes the pull requests of the git host."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from http import HTTPStatus

from onebox.world.git_host.pages import article, frame
from onebox.world.git_host.pull_requests import OPEN, Pull, PullError, Pulls
from onebox.world.git_host.repositories import Repositories

PERSON = "robin"  # who presses the buttons: the demo's host asks nobody who they are

_FORM = (
    """<form method="post" action="/{name}/pulls/{number}/{verb}"><button>{word}</button></form>"""
)


@dataclass(frozen=True, slots=True)
class Page:
    """What a browser gets."""

    status: HTTPStatus
    text: str
    kind: str = "text/plain"
    location: str = ""


def show(repositories: Repositories, pulls: Pulls, path: str) -> Page | None:
    """Return the page of a repository's pull requests or of one, None for another address."""
    name, found, number = path.strip("/").partition("/pulls")
    if not found or not repositories.has(name):
        return None
    number = number.strip("/")
    if not number:
        return Page(HTTPStatus.OK, index(name, pulls.all(name)), kind="text/html")
    pull = pulls.get(name, int(number)) if number.isdigit() else None
    if pull is None:
        return Page(HTTPStatus.NOT_FOUND, "no such pull request")
    brought = repositories.show(name, pull.head_sha)
    diff = article(name, brought) if brought else ""
    return Page(HTTPStatus.OK, one(name, pull, diff), kind="text/html")


def press(repositories: Repositories, pulls: Pulls, path: str) -> Page:
    """Do what a person asked for by a button, and send them back to the page."""
    name, _, rest = path.strip("/").partition("/pulls/")
    number, _, verb = rest.partition("/")
    is_known = number.isdigit() and repositories.has(name) and pulls.get(name, int(number))
    if not is_known or verb not in ("merge", "close"):
        return Page(HTTPStatus.NOT_FOUND, "no such pull request")
    try:
        if verb == "merge":
            pulls.merge(name, int(number), by=PERSON)
        else:
            pulls.close(name, int(number), by=PERSON)
    except PullError as refusal:
        return Page(HTTPStatus.CONFLICT, str(refusal))
    return Page(HTTPStatus.SEE_OTHER, "", location=f"/{name}/pulls/{number}")


def index(repository: str, pulls: Sequence[Pull]) -> str:
    """Return the page of all pull requests of a repository, newest first."""
    items = "".join(
        f'<li><a href="/{escape(repository)}/pulls/{pull.number}">#{pull.number} '
        f"{escape(pull.title)}</a> <small>{pull.state}</small></li>"
        for pull in pulls
    )
    return frame(f"{repository}, pull requests", f"<ul>{items or '<li>none yet</li>'}</ul>")


def one(repository: str, pull: Pull, diff: str) -> str:
    """Return the page of one pull request, with its buttons while it is open."""
    verbs = (("merge", "Merge"), ("close", "Close without merging")) if pull.state == OPEN else ()
    buttons = "".join(
        _FORM.format(name=escape(repository), number=pull.number, verb=verb, word=word)
        for verb, word in verbs
    )
    ended = f" by {escape(pull.ended_by)}" if pull.ended_by else ""
    said = "".join(
        f"<article><small>{escape(who)}</small><pre>{escape(what)}</pre></article>"
        for who, what in pull.comments
    )
    labels = " ".join(f"<small>[{escape(label)}]</small>" for label in pull.labels)
    body = (
        f"<p><strong>{pull.state}{ended}</strong>: {escape(pull.head)} into {escape(pull.base)} {labels}</p>"
        f"{buttons}<article><pre>{escape(pull.body)}</pre></article>{diff}{said}"
    )
    return frame(f"{repository} #{pull.number}: {pull.title}", body)
