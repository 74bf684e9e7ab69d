"""GitLab's API v4 over the git host's pull requests: documented shapes, statuses and error bodies."""

from onebox.world.git_host import api
from onebox.world.git_host.api import ApiAnswer
from onebox.world.git_host.merging import FAST_FORWARD, MERGE, SQUASH
from onebox.world.git_host.pull_requests import (
    CLOSED,
    MERGED,
    OPEN,
    AlreadyOpenError,
    HeadMovedError,
    NothingToMergeError,
    NotMergeableError,
)
from tests.integration.git.scene import plain_git

STATES = {OPEN: "opened", CLOSED: "closed", MERGED: "merged"}


class GitLabApi:
    """Answers below /api/v4; the project's setting decides how it merges."""

    def __init__(self, host, *, method=MERGE):
        self._repositories = host.repositories
        self._pulls = host.pulls
        self.method = method
        self._removes = set()

    def answer(self, request):
        if not request.user:
            return ApiAnswer(401, {"message": "401 Unauthorized"})
        match request.segments:
            case ("api", "v4", "projects", name, "merge_requests", *rest):
                if self._repositories.has(name):
                    return self._project(request, name, rest)
                return ApiAnswer(404, {"message": "404 Project Not Found"})
        return ApiAnswer(404, {"error": "404 Not Found"})

    def _project(self, request, name, rest):
        match (request.method, *rest):
            case ("GET",):
                return self._list(request, name)
            case ("POST",):
                return self._open(request, name)
            case (_, number, *more):
                pull = self._pulls.get(name, int(number))
                if pull is not None:
                    return self._one(request, name, pull, more)
        return ApiAnswer(404, {"message": "404 Not found"})

    def _list(self, request, name):
        query = request.query
        found = [
            self._told(request, name, pull)
            for pull in self._pulls.all(name)
            if query.get("source_branch") == pull.head and query.get("target_branch") == pull.base
            if query.get("state") in ("all", STATES[pull.state])
        ]
        shown, headers = api.page(request, found, size_key="per_page", path="/unused")
        return ApiAnswer(200, shown, headers)

    def _open(self, request, name):
        keys = ("source_branch", "target_branch", "title", "description")
        head, base, title, body = (api.text(request, key) for key in keys)
        try:
            pull = self._pulls.open(
                name, head=head, base=base, title=title, body=body, by=request.user
            )
        except AlreadyOpenError:
            there = next(each for each in self._pulls.all(name) if each.head == head)
            words = "Another open merge request already exists for this source branch"
            return ApiAnswer(409, {"message": [f"{words}: !{there.number}"]})
        except NothingToMergeError:
            return ApiAnswer(400, {"message": {"source_branch": ["does not exist"]}})
        if request.document.get("remove_source_branch"):
            self._removes.add((name, pull.number))
        return ApiAnswer(201, self._told(request, name, pull))

    def _one(self, request, name, pull, rest):
        match (request.method, *rest):
            case ("GET",):
                return ApiAnswer(200, self._told(request, name, pull))
            case ("PUT",):
                return self._edit(request, name, pull)
            case ("PUT", "merge"):
                return self._merge(request, name, pull)
            case ("POST", "notes"):
                self._pulls.comment(name, pull.number, api.text(request, "body"), by=request.user)
                return ApiAnswer(201, {"id": 1})
        return ApiAnswer(404, {"error": "404 Not Found"})

    def _edit(self, request, name, pull):
        if labels := api.text(request, "add_labels"):
            self._pulls.label(name, pull.number, labels.split(","))
        if api.text(request, "state_event") == "close":
            self._pulls.close(name, pull.number, by=request.user)
        return ApiAnswer(200, self._told(request, name, self._pulls.get(name, pull.number)))

    def _merge(self, request, name, pull):
        squashed = api.text(request, "squash_commit_message") if self.method == SQUASH else ""
        try:
            self._pulls.merge(
                name,
                pull.number,
                by=request.user,
                method=self.method,
                message=squashed,
                head_sha=api.text(request, "sha"),
            )
        except HeadMovedError:
            return ApiAnswer(409, {"message": "SHA does not match HEAD of source branch"})
        except NotMergeableError:
            return ApiAnswer(405, {"message": "405 Method Not Allowed"})
        if (name, pull.number) in self._removes:
            origin = self._repositories.path(name)
            plain_git(origin, "update-ref", "-d", f"refs/heads/{pull.head}")
        return ApiAnswer(200, self._told(request, name, self._pulls.get(name, pull.number)))

    def _told(self, request, name, pull):
        who = {"username": pull.ended_by} if pull.ended_by else None
        is_merged = pull.state == MERGED
        sha = pull.merge_sha or None
        return {
            "iid": pull.number,
            "web_url": f"{request.url}/{name}/-/merge_requests/{pull.number}",
            "state": STATES[pull.state],
            "title": pull.title,
            "description": pull.body,
            "source_branch": pull.head,
            "target_branch": pull.base,
            "sha": pull.head_sha,
            "merge_commit_sha": sha if pull.method == MERGE else None,
            "squash_commit_sha": sha if pull.method == SQUASH else None,
            "merge_user": who if is_merged else None,
            "merged_by": who if is_merged else None,
            "closed_by": who if pull.state == CLOSED else None,
            "detailed_merge_status": self._status(name, pull),
            "labels": pull.labels,
        }

    def _status(self, name, pull):
        if pull.state != OPEN:
            return "not_open"
        if pull.blocked:
            return "not_approved"
        can = self.method == FAST_FORWARD or self._pulls.is_mergeable(name, pull)
        return "mergeable" if can else "conflict"
