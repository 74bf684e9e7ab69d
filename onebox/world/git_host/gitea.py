"""Pull requests of the git host in the words of Gitea's API, version 1: what the product asks for."""

from datetime import UTC, datetime

from onebox.world.git_host import api
from onebox.world.git_host.api import ApiAnswer, ApiRequest
from onebox.world.git_host.merging import MERGE, REBASE, SQUASH
from onebox.world.git_host.pull_requests import (
    MERGED,
    OPEN,
    AlreadyOpenError,
    HeadMovedError,
    NothingToMergeError,
    NotMergeableError,
    Pull,
    Pulls,
)
from onebox.world.git_host.repositories import Repositories

LABELS = ("promotion", "bot")  # that every repository of the host has


class GiteaApi:
    """Answers below /api/v1."""

    def __init__(self, repositories: Repositories, pulls: Pulls) -> None:
        self._repositories = repositories
        self._pulls = pulls

    def answer(self, request: ApiRequest) -> ApiAnswer:
        """Answer one request; what the product does not ask for is not there."""
        if not request.user:
            return _no(401, "user does not exist [uid: 0, name: ]")
        match request.segments:
            case ("api", "v1", "repos", owner, name, *rest) if self._repositories.has(
                f"{owner}/{name}"
            ):
                return self._repository(request, f"{owner}/{name}", rest)
        return _no(404, "The target couldn't be found.")

    def _repository(self, request: ApiRequest, name: str, rest: list[str]) -> ApiAnswer:
        match (request.method, *rest):
            case ("GET", "pulls"):
                return self._list(request, name)
            case ("POST", "pulls"):
                return self._open(request, name)
            case ("GET", "labels"):
                numbered = enumerate(LABELS, 1)
                return ApiAnswer(200, [{"id": number, "name": each} for number, each in numbered])
            case (_, "pulls" | "issues" as kind, number, *more) if number.isdigit():
                pull = self._pulls.get(name, int(number))
                if pull is not None:
                    return self._one(request, name, pull, [kind, *more])
        return _no(404, "The target couldn't be found.")

    def _one(self, request: ApiRequest, name: str, pull: Pull, rest: list[str]) -> ApiAnswer:
        match (request.method, *rest):
            case ("GET", "pulls"):
                return ApiAnswer(200, self._told(request, name, pull))
            case ("PATCH", "pulls"):
                return self._edit(request, name, pull)
            case ("POST", "pulls", "merge"):
                return self._merge(request, name, pull)
        return self._issue(request, name, pull, rest)

    def _issue(self, request: ApiRequest, name: str, pull: Pull, rest: list[str]) -> ApiAnswer:
        match (request.method, *rest):
            case ("POST", "issues", "comments"):
                self._pulls.comment(name, pull.number, api.text(request, "body"), by=request.user)
                return ApiAnswer(201, {"body": api.text(request, "body")})
            case ("POST", "issues", "labels"):
                return self._label(request, name, pull)
            case ("GET", "issues", "timeline"):
                return ApiAnswer(200, _timeline(pull))
        return _no(405, "Method Not Allowed")

    def _list(self, request: ApiRequest, name: str) -> ApiAnswer:
        state = request.query.get("state", OPEN)
        found = [pull for pull in self._pulls.all(name) if state in ("all", _state(pull))]
        told: list[object] = [self._told(request, name, pull) for pull in found]
        shown, headers = api.page(
            request, told, size_key="limit", path=f"/api/v1/repos/{name}/pulls"
        )
        return ApiAnswer(200, shown, {**headers, "X-Total-Count": str(len(found))})

    def _open(self, request: ApiRequest, name: str) -> ApiAnswer:
        head, base, title, body = (
            api.text(request, key) for key in ("head", "base", "title", "body")
        )
        try:
            pull = self._pulls.open(
                name, head=head, base=base, title=title, body=body, by=request.user
            )
        except AlreadyOpenError as refusal:
            return _no(409, f"{refusal} [head_branch: {head}, base_branch: {base}]")
        except NothingToMergeError as refusal:
            return _no(422, f"Invalid PullRequest: {refusal}")
        return ApiAnswer(201, self._told(request, name, pull))

    def _edit(self, request: ApiRequest, name: str, pull: Pull) -> ApiAnswer:
        if api.text(request, "state") == "closed":
            if pull.state == MERGED:
                return _no(412, "cannot change state of this pull request, it was already merged")
            self._pulls.close(name, pull.number, by=request.user)
        seen = self._pulls.get(name, pull.number) or pull
        return ApiAnswer(201, self._told(request, name, seen))

    def _merge(self, request: ApiRequest, name: str, pull: Pull) -> ApiAnswer:
        title, rest = (api.text(request, key) for key in ("MergeTitleField", "MergeMessageField"))
        method = {"squash": SQUASH, "rebase": REBASE}.get(api.text(request, "Do"), MERGE)
        try:
            self._pulls.merge(
                name,
                pull.number,
                by=request.user,
                method=method,
                message="\n\n".join(filter(None, (title, rest))),
                head_sha=api.text(request, "head_commit_id"),
            )
        except HeadMovedError as refusal:
            return _no(409, str(refusal))
        except NotMergeableError as refusal:
            return _no(405, str(refusal))
        return ApiAnswer(200)

    def _label(self, request: ApiRequest, name: str, pull: Pull) -> ApiAnswer:
        numbers = request.document.get("labels")
        wanted = numbers if isinstance(numbers, list) else []
        known = dict(enumerate(LABELS, 1))
        self._pulls.label(name, pull.number, [known[each] for each in wanted if each in known])
        return ApiAnswer(200, [])

    def _told(self, request: ApiRequest, name: str, pull: Pull) -> dict[str, object]:
        repository = {
            "full_name": name,
            "allow_merge_commits": True,
            "allow_rebase": True,
            "allow_squash_merge": True,
        }
        ended_at = _time(pull.ended_at) if pull.ended_at else None
        is_merged = pull.state == MERGED
        return {
            "id": pull.number,
            "number": pull.number,
            "url": f"{request.url}/api/v1/repos/{name}/pulls/{pull.number}",
            "html_url": f"{request.url}/{name}/pulls/{pull.number}",
            "user": {"login": pull.author},
            "title": pull.title,
            "body": pull.body,
            "labels": [{"name": label} for label in pull.labels],
            "state": _state(pull),
            "draft": False,
            "mergeable": pull.state == OPEN and self._pulls.is_mergeable(name, pull),
            "merged": is_merged,
            "merged_at": ended_at if is_merged else None,
            "merge_commit_sha": pull.merge_sha or None,
            "merged_by": {"login": pull.ended_by} if is_merged else None,
            "base": {"label": pull.base, "ref": pull.base, "repo": repository},
            "head": {
                "label": pull.head,
                "ref": pull.head,
                "sha": pull.head_sha,
                "repo": {"full_name": name},
            },
            "created_at": _time(pull.created_at),
            "closed_at": ended_at,
        }


def _state(pull: Pull) -> str:
    return "open" if pull.state == OPEN else "closed"


def _timeline(pull: Pull) -> list[dict[str, object]]:
    said: list[dict[str, object]] = [
        {"type": "comment", "user": {"login": who}, "body": what} for who, what in pull.comments
    ]
    kind = {"closed": "close", MERGED: "merge_pull"}.get(pull.state)
    return [*said, {"type": kind, "user": {"login": pull.ended_by}}] if kind else said


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).isoformat().replace("+00:00", "Z")


def _no(status: int, message: str) -> ApiAnswer:
    return ApiAnswer(status, {"message": message, "url": "/api/swagger"})
