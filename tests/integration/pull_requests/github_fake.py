"""GitHub's REST API over the git host's pull requests: documented shapes, statuses and error bodies."""

from onebox.world.git_host import api
from onebox.world.git_host.api import ApiAnswer
from onebox.world.git_host.pull_requests import (
    MERGED,
    OPEN,
    AlreadyOpenError,
    HeadMovedError,
    NothingToMergeError,
    NotMergeableError,
)

DOCUMENTATION = "https://docs.github.com/rest/pulls/pulls"


class GitHubApi:
    """Answers below /api/v3, as an Enterprise server does."""

    def __init__(self, host, *, methods=("merge", "squash", "rebase")):
        self._repositories = host.repositories
        self._pulls = host.pulls
        self.methods = methods

    def answer(self, request):
        if not request.user:
            return no(401, "Bad credentials")
        match request.segments:
            case ("api", "v3", "repos", owner, name, *rest) if self._repositories.has(
                f"{owner}/{name}"
            ):
                return self._repository(request, f"{owner}/{name}", rest)
        return no(404, "Not Found")

    def _repository(self, request, name, rest):
        match (request.method, *rest):
            case ("GET", "pulls"):
                return self._list(request, name)
            case ("POST", "pulls"):
                return self._open(request, name)
            case (_, "pulls" | "issues" as kind, number, *more):
                pull = self._pulls.get(name, int(number))
                if pull is not None:
                    return self._one(request, name, pull, (kind, *more))
        return no(404, "Not Found")

    def _list(self, request, name):
        state, query = request.query.get("state", "open"), request.query
        owner = name.partition("/")[0]
        found = [
            told
            for pull in self._pulls.all(name)
            if query.get("head") == f"{owner}:{pull.head}" and query.get("base") == pull.base
            if state in ("all", (told := self._told(request, name, pull))["state"])
        ]
        for told in found:  # only one alone has these
            for key in ("merged", "merged_by", "mergeable", "mergeable_state"):
                del told[key]
        shown, headers = api.page(
            request, found, size_key="per_page", path=f"/api/v3/repos/{name}/pulls"
        )
        return ApiAnswer(200, shown, headers)

    def _open(self, request, name):
        head, base, title, body = (
            api.text(request, key) for key in ("head", "base", "title", "body")
        )
        try:
            pull = self._pulls.open(
                name, head=head, base=base, title=title, body=body, by=request.user
            )
        except AlreadyOpenError:
            owner = name.partition("/")[0]
            return invalid(message=f"A pull request already exists for {owner}:{head}.")
        except NothingToMergeError:
            return invalid(message=f"No commits between {base} and {head}")
        return ApiAnswer(201, self._told(request, name, pull))

    def _one(self, request, name, pull, rest):
        match (request.method, *rest):
            case ("GET", "pulls"):
                return ApiAnswer(200, self._told(request, name, pull))
            case ("GET", "issues"):
                closer = {"login": pull.ended_by} if pull.ended_by else None
                return ApiAnswer(200, {"number": pull.number, "closed_by": closer})
            case ("PATCH", "pulls"):
                if pull.state != MERGED:
                    self._pulls.close(name, pull.number, by=request.user)
                seen = self._pulls.get(name, pull.number)
                return ApiAnswer(200, self._told(request, name, seen))
            case ("PUT", "pulls", "merge"):
                return self._merge(request, name, pull)
        return self._talk(request, name, pull, rest)

    def _talk(self, request, name, pull, rest):
        match (request.method, *rest):
            case ("POST", "issues", "comments"):
                self._pulls.comment(name, pull.number, api.text(request, "body"), by=request.user)
                return ApiAnswer(201, {"id": 1})
            case ("POST", "issues", "labels"):
                self._pulls.label(name, pull.number, list(request.document["labels"]))
                return ApiAnswer(200, [])
        return no(404, "Not Found")

    def _merge(self, request, name, pull):
        title, message = (api.text(request, key) for key in ("commit_title", "commit_message"))
        method = api.text(request, "merge_method")
        if method not in self.methods:
            return no(405, f"{method.capitalize()} commits are not allowed on this repository.")
        try:
            sha = self._pulls.merge(
                name,
                pull.number,
                by=request.user,
                method=method,
                message="\n\n".join(filter(None, (title, message))),
                head_sha=api.text(request, "sha"),
            )
        except HeadMovedError:
            return no(409, "Head branch was modified. Review and try the merge again.")
        except NotMergeableError as refusal:
            return no(405, str(refusal))
        document = {"sha": sha, "merged": True, "message": "Pull Request successfully merged"}
        return ApiAnswer(200, document)

    def _told(self, request, name, pull):
        owner = name.partition("/")[0]
        is_merged = pull.state == MERGED
        state = "dirty" if not self._pulls.is_mergeable(name, pull) else "clean"
        repository = {
            "full_name": name,
            "allow_merge_commit": "merge" in self.methods,
            "allow_squash_merge": "squash" in self.methods,
            "allow_rebase_merge": "rebase" in self.methods,
        }
        return {
            "number": pull.number,
            "html_url": f"{request.url}/{name}/pull/{pull.number}",
            "state": "open" if pull.state == OPEN else "closed",
            "title": pull.title,
            "body": pull.body,
            "draft": False,
            "merged": is_merged,
            "merged_at": "2026-11-23T12:00:00Z" if is_merged else None,
            "closed_at": None if pull.state == OPEN else "2026-11-23T12:00:00Z",
            # While it is open, GitHub names its trial merge here.
            "merge_commit_sha": pull.merge_sha or "0" * 40,
            "merged_by": {"login": pull.ended_by} if is_merged else None,
            "mergeable": state == "clean",
            "mergeable_state": "blocked" if pull.blocked else state,
            "head": {"label": f"{owner}:{pull.head}", "ref": pull.head, "sha": pull.head_sha},
            "base": {"label": f"{owner}:{pull.base}", "ref": pull.base, "repo": repository},
        }


def no(status, message):
    """Return an error as GitHub says it."""
    return ApiAnswer(
        status, {"message": message, "documentation_url": DOCUMENTATION, "status": str(status)}
    )


def invalid(**error):
    """Return a 422 with one error in it."""
    document = {
        "message": "Validation Failed",
        "errors": [{"resource": "PullRequest", "code": "custom", **error}],
        "documentation_url": DOCUMENTATION,
    }
    return ApiAnswer(422, document)
