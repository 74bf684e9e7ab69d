"""Merge requests of GitLab, its own or self-managed (API v4)."""

from typing import Final
from urllib.parse import quote

from updater.integrations.git.pull_requests import answers, errors
from updater.integrations.git.pull_requests.model import Proposal, PullRequest, State
from updater.integrations.git.pull_requests.wire import Wire

ACCEPT: Final = "application/json"
_STATES: Final = {"merged": State.MERGED, "closed": State.CLOSED}  # "locked": being merged
_OBSTACLES: Final = {
    "blocked_status": "another merge request blocks it",
    "merge_request_blocked": "another merge request blocks it",
    "broken_status": "it conflicts with the target branch",
    "conflict": "it conflicts with the target branch",
    "ci_must_pass": "its pipeline must succeed first",
    "ci_still_running": "its pipeline still runs",
    "discussions_not_resolved": "a discussion is not resolved",
    "draft_status": "it is a draft",
    "external_status_checks": "a status check has not passed",
    "status_checks_must_pass": "a status check has not passed",
    "need_rebase": "it must be rebased first",
    "not_approved": "an approval is missing",
    "requested_changes": "a reviewer asks for changes",
    "policies_denied": "a policy forbids it",
    "security_policy_violations": "a security policy forbids it",
    "merge_time": "it may be merged later only",
    "locked_paths": "somebody locked a path of it",
}
_EXISTS: Final = {409: errors.ProposalExistsError}
_NOT_NOW: Final = dict.fromkeys((405, 406, 409, 422), errors.MergeRefusedError)


class GitLab:
    """The merge requests of one project."""

    def __init__(self, wire: Wire, project: str) -> None:
        self._wire = wire
        self._place = f"/projects/{quote(project, safe='')}/merge_requests"

    def find(self, head: str, base: str, *, only_open: bool) -> tuple[PullRequest, ...]:
        """Return those from branch `head` to branch `base`, newest first."""
        query = {
            "source_branch": head,
            "target_branch": base,
            "state": "opened" if only_open else "all",
            "order_by": "created_at",
            "sort": "desc",
        }
        page = next(self._wire.pages(self._place, query), [])
        found = (_read(item) for item in page if answers.find(item, "source_branch") == head)
        return tuple(each for each in found if each.number)

    def get(self, number: int) -> PullRequest:
        """Return one with all that is known of it."""
        return _read(self._wire.ask("GET", f"{self._place}/{number}"))

    def open(self, proposal: Proposal) -> PullRequest:
        """Open one; its branch is GitLab's to remove after the merge."""
        content = {
            "source_branch": proposal.head,
            "target_branch": proposal.base,
            "title": proposal.title,
            "description": proposal.body,
            "remove_source_branch": True,
        }
        return _read(self._wire.ask("POST", self._place, content=content, meaning=_EXISTS))

    def label(self, number: int, labels: tuple[str, ...]) -> None:
        """Add labels; GitLab makes those that are not there, and takes a comma for the end of one."""
        content = {"add_labels": ",".join(labels)}
        self._wire.ask("PUT", f"{self._place}/{number}", content=content)

    def comment(self, number: int, text: str) -> None:
        """Say something under it."""
        self._wire.ask("POST", f"{self._place}/{number}/notes", content={"body": text})

    def close(self, number: int) -> None:
        """Close it without a merge."""
        self._wire.ask("PUT", f"{self._place}/{number}", content={"state_event": "close"})

    def merge(self, pull_request: PullRequest, *, message: str) -> None:
        """Merge exactly its head; the project's settings decide how."""
        content = {"sha": pull_request.head_sha, "squash_commit_message": message}
        path = f"{self._place}/{pull_request.number}/merge"
        # 401 stands here for a token that may not merge; the look before it has shown that it is known.
        meaning = {**_NOT_NOW, 401: errors.RightsMissingError}
        self._wire.ask("PUT", path, content=content, meaning=meaning)


def _read(document: object) -> PullRequest:
    number = answers.number(document, "iid")
    state = _STATES.get(answers.text(document, "state"), State.OPEN)
    head_sha = answers.sha(document, "sha")
    # A fast-forward makes neither a merge nor a squash commit: the head itself is what arrived.
    shas = [answers.sha(document, key) for key in ("merge_commit_sha", "squash_commit_sha")]
    merge_shas = tuple(sha for sha in (*shas, head_sha) if sha)
    return PullRequest(
        number=number,
        name=f"Merge request !{number}",
        url=answers.link(document, "web_url"),
        state=state,
        head_sha=head_sha,
        merge_shas=merge_shas if state is State.MERGED else (),
        ended_by=_ended_by(document, state),
        obstacle=_OBSTACLES.get(answers.text(document, "detailed_merge_status"), ""),
    )


def _ended_by(document: object, state: State) -> str:
    if state is State.MERGED:
        merged_by = answers.name(document, "merged_by", "username")
        return answers.name(document, "merge_user", "username") or merged_by
    return answers.name(document, "closed_by", "username")
