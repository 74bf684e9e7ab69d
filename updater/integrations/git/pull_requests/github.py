"""Pull requests of GitHub and GitHub Enterprise (REST API, "Pulls" and "Issues")."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from updater.integrations.git.pull_requests import answers, errors
from updater.integrations.git.pull_requests.model import MergeMethod, Proposal, PullRequest, State
from updater.integrations.git.pull_requests.wire import Wire

ACCEPT: Final = "application/vnd.github+json"
_METHODS: Final = {
    MergeMethod.MERGE: "allow_merge_commit",
    MergeMethod.SQUASH: "allow_squash_merge",
    MergeMethod.REBASE: "allow_rebase_merge",
}
_OBSTACLES: Final = {
    "dirty": "it conflicts with the base branch",
    "blocked": "a required check, review or rule is missing",
    "behind": "its branch must be brought up to date first",
    "draft": "it is a draft",
    "unstable": "a check failed or is pending",
}
_NOT_NOW: Final = dict.fromkeys((405, 409, 422), errors.MergeRefusedError)


class GitHub:
    """The pull requests of one repository."""

    def __init__(self, wire: Wire, owner: str, repository: str) -> None:
        self._wire = wire
        self._owner = owner
        self._place = f"/repos/{quote(owner, safe='')}/{quote(repository, safe='')}"

    def find(self, head: str, base: str, *, only_open: bool) -> tuple[PullRequest, ...]:
        """Return those from branch `head` to branch `base`, newest first."""
        query = {
            "head": f"{self._owner}:{head}",
            "base": base,
            "state": "open" if only_open else "all",
            "sort": "created",
            "direction": "desc",
        }
        page = next(self._wire.pages(f"{self._place}/pulls", query), [])
        found = (_read(item) for item in page if answers.find(item, "head", "ref") == head)
        return tuple(each for each in found if each.number)

    def get(self, number: int) -> PullRequest:
        """Return one with all that is known of it; who closed it is asked for apart."""
        document = self._wire.ask("GET", f"{self._place}/pulls/{number}")
        closed_by = ""
        if answers.find(document, "state") == "closed" and not _is_merged(document):
            issue = self._wire.ask("GET", f"{self._place}/issues/{number}")
            closed_by = answers.name(issue, "closed_by", "login")
        return _read(document, closed_by=closed_by)

    def open(self, proposal: Proposal) -> PullRequest:
        """Open one; GitHub says 422 both for one that is there and for one it does not take."""
        content = {
            "title": proposal.title,
            "body": proposal.body,
            "head": proposal.head,
            "base": proposal.base,
            "maintainer_can_modify": False,
        }
        try:
            return _read(self._wire.ask("POST", f"{self._place}/pulls", content=content))
        except errors.ProposalRefusedError as refusal:
            if "already exists" in refusal.why:
                raise errors.ProposalExistsError(str(refusal)) from refusal
            raise

    def label(self, number: int, labels: tuple[str, ...]) -> None:
        """Add labels; GitHub makes those that are not there."""
        content = {"labels": list(labels)}
        self._wire.ask("POST", f"{self._place}/issues/{number}/labels", content=content)

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
        content = {"sha": pull_request.head_sha, "merge_method": method}
        if method is MergeMethod.SQUASH:
            title, _, rest = message.partition("\n")
            content |= {"commit_title": title, "commit_message": rest.strip()}
        path = f"{self._place}/pulls/{pull_request.number}/merge"
        self._wire.ask("PUT", path, content=content, meaning=_NOT_NOW)


def _read(document: object, *, closed_by: str = "") -> PullRequest:
    number = answers.number(document, "number")
    merge_sha = answers.sha(document, "merge_commit_sha")
    is_merged = _is_merged(document)
    return PullRequest(
        number=number,
        name=f"Pull request #{number}",
        url=answers.link(document, "html_url"),
        state=_state(document, is_merged=is_merged),
        head_sha=answers.sha(document, "head", "sha"),
        # While it is open, this is GitHub's own trial merge.
        merge_shas=(merge_sha,) if is_merged and merge_sha else (),
        ended_by=answers.name(document, "merged_by", "login") or closed_by,
        obstacle=_OBSTACLES.get(answers.text(document, "mergeable_state"), ""),
        methods=_methods(answers.find(document, "base", "repo")),
    )


def _is_merged(document: object) -> bool:
    # Lists have no "merged", only the time of it.
    merged = answers.find(document, "merged")
    return merged is True or answers.text(document, "merged_at") != ""


def _state(document: object, *, is_merged: bool) -> State:
    if is_merged:
        return State.MERGED
    return State.CLOSED if answers.find(document, "state") == "closed" else State.OPEN


def _methods(repository: object) -> tuple[MergeMethod, ...]:
    switches: Mapping[MergeMethod, object] = {
        method: answers.find(repository, key) for method, key in _METHODS.items()
    }
    allowed = tuple(method for method, is_on in switches.items() if is_on is True)
    return allowed or (MergeMethod.MERGE,)
