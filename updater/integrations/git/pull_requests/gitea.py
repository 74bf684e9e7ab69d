"""Pull requests of Gitea and Forgejo (API v1)."""

from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import quote

from updater.integrations.git.pull_requests import answers, errors
from updater.integrations.git.pull_requests.model import MergeMethod, Proposal, PullRequest, State
from updater.integrations.git.pull_requests.wire import Wire

ACCEPT: Final = "application/json"
_PAGE: Final = "50"  # the most that Gitea gives by default
_METHODS: Final = {
    MergeMethod.MERGE: "allow_merge_commits",
    MergeMethod.SQUASH: "allow_squash_merge",
    MergeMethod.REBASE: "allow_rebase",
}
_EXISTS: Final = {409: errors.ProposalExistsError}
_NOT_NOW: Final = dict.fromkeys((405, 409), errors.MergeRefusedError)


class Gitea:
    """The pull requests of one repository."""

    def __init__(self, wire: Wire, owner: str, repository: str) -> None:
        self._wire = wire
        self._place = f"/repos/{quote(owner, safe='')}/{quote(repository, safe='')}"

    def find(self, head: str, base: str, *, only_open: bool) -> tuple[PullRequest, ...]:
        """Return those from branch `head` to branch `base`, newest first; Gitea cannot look for a head."""
        query = {"state": "open" if only_open else "all", "limit": _PAGE}
        for page in self._wire.pages(f"{self._place}/pulls", query):
            found = tuple(_read(item) for item in page if _is_between(item, head, base))
            if found:
                return tuple(each for each in found if each.number)
        return ()

    def get(self, number: int) -> PullRequest:
        """Return one with all that is known of it; who closed it stands in its timeline only."""
        found = _read(document := self._wire.ask("GET", f"{self._place}/pulls/{number}"))
        if found.state is not State.CLOSED:
            return found
        return _read(document, closed_by=self._closed_by(number))

    def _closed_by(self, number: int) -> str:
        path = f"{self._place}/issues/{number}/timeline"
        try:
            events = [event for page in self._wire.pages(path, {"limit": _PAGE}) for event in page]
        except errors.PullRequestError:
            return ""  # older hosts have no timeline, and nothing depends on the name
        closings = [event for event in events if answers.find(event, "type") == "close"]
        return answers.name(closings[-1], "user", "login") if closings else ""

    def open(self, proposal: Proposal) -> PullRequest:
        """Open one."""
        content = {
            "title": proposal.title,
            "body": proposal.body,
            "head": proposal.head,
            "base": proposal.base,
        }
        path = f"{self._place}/pulls"
        return _read(self._wire.ask("POST", path, content=content, meaning=_EXISTS))

    def label(self, number: int, labels: tuple[str, ...]) -> None:
        """Add the repository's labels of these names; Gitea makes none.

        Raises:
            ProposalRefusedError: the repository has no such label.
        """
        known = dict(self._labels())
        numbers = [known[label] for label in labels if label in known]
        if numbers:
            path = f"{self._place}/issues/{number}/labels"
            self._wire.ask("POST", path, content={"labels": numbers})
        if missing := [label for label in labels if label not in known]:
            raise errors.ProposalRefusedError(
                f"The repository has no label {', '.join(missing)}; make it there."
            )

    def _labels(self) -> Iterator[tuple[str, int]]:
        for page in self._wire.pages(f"{self._place}/labels", {"limit": _PAGE}):
            for item in page:
                name, number = answers.find(item, "name"), answers.number(item, "id")
                if isinstance(name, str) and number:
                    yield name, number

    def comment(self, number: int, text: str) -> None:
        """Say something under it."""
        path = f"{self._place}/issues/{number}/comments"
        self._wire.ask("POST", path, content={"body": text})

    def close(self, number: int) -> None:
        """Close it without a merge."""
        self._wire.ask("PATCH", f"{self._place}/pulls/{number}", content={"state": "closed"})

    def merge(self, pull_request: PullRequest, *, message: str) -> None:
        """Merge exactly its head."""
        method = pull_request.methods[0]
        content = {"Do": method, "head_commit_id": pull_request.head_sha}
        if method is MergeMethod.SQUASH:
            title, _, rest = message.partition("\n")
            content |= {"MergeTitleField": title, "MergeMessageField": rest.strip()}
        path = f"{self._place}/pulls/{pull_request.number}/merge"
        self._wire.ask("POST", path, content=content, meaning=_NOT_NOW)


def _is_between(document: object, head: str, base: str) -> bool:
    branches = (answers.find(document, "head", "ref"), answers.find(document, "base", "ref"))
    # A fork's branch may have the same name.
    homes = [answers.find(document, side, "repo", "full_name") for side in ("head", "base")]
    return branches == (head, base) and homes[0] == homes[1]


def _read(document: object, *, closed_by: str = "") -> PullRequest:
    number = answers.number(document, "number")
    merge_sha = answers.sha(document, "merge_commit_sha")
    state = _state(document)
    return PullRequest(
        number=number,
        name=f"Pull request #{number}",
        url=answers.link(document, "html_url"),
        state=state,
        head_sha=answers.sha(document, "head", "sha"),
        merge_shas=(merge_sha,) if state is State.MERGED and merge_sha else (),
        ended_by=answers.name(document, "merged_by", "login") or closed_by,
        obstacle=_obstacle(document, state),
        methods=_methods(answers.find(document, "base", "repo")),
    )


def _state(document: object) -> State:
    if answers.find(document, "merged") is True:
        return State.MERGED
    return State.CLOSED if answers.find(document, "state") == "closed" else State.OPEN


def _obstacle(document: object, state: State) -> str:
    if state is State.OPEN and answers.find(document, "draft") is True:
        return "it is a draft"
    if state is State.OPEN and answers.find(document, "mergeable") is False:
        return "it conflicts with the base branch, or is still being checked"
    return ""


def _methods(repository: object) -> tuple[MergeMethod, ...]:
    switches: Mapping[MergeMethod, object] = {
        method: answers.find(repository, key) for method, key in _METHODS.items()
    }
    allowed = tuple(method for method, is_on in switches.items() if is_on is True)
    return allowed or (MergeMethod.MERGE,)
