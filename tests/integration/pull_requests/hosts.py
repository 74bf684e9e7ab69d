"""The three kinds of host on one git host, and a client of each."""

from onebox.world.git_host.gitea import GiteaApi
from tests.integration.git.scene import PASSWORD, USER, plain_git
from tests.integration.pull_requests.github_fake import GitHubApi
from tests.integration.pull_requests.gitlab_fake import GitLabApi
from updater.integrations import git
from updater.integrations.git import pull_requests

KINDS = ("github", "gitlab", "gitea")
NAME = "acme/gitops"
HEAD, BASE = "countersign/shop-0123456789", "main"


def speak(host, kind, **options):
    """Let the git host speak like this kind; return its API."""
    apis = {"github": GitHubApi, "gitlab": GitLabApi}
    host.api = (
        apis[kind](host, **options) if kind in apis else GiteaApi(host.repositories, host.pulls)
    )
    return host.api


def client(host, kind, *, password=PASSWORD, name=NAME):
    """Return a client of the repository's pull requests."""
    credentials = git.Credentials(USER, password)
    remote = git.Remote(f"{host.url}/{name}.git", credentials, allow_http=True)
    return pull_requests.choose(kind, remote)


def proposal(**changes):
    """Return a pull request to be opened."""
    values = {"head": HEAD, "base": BASE, "title": "build: update shop", "body": "why\n\nhow"}
    return pull_requests.Proposal(**{**values, **changes})


def push_head(host, content=b"image:\n  tag: v2\n", head=HEAD):
    """Put one commit on the head branch, on top of main; return its SHA."""
    origin = host.repositories.path(NAME)
    if host.repositories.tip(origin, head) is None:
        sha = host.repositories.tip(origin, "main")
        plain_git(origin, "update-ref", f"refs/heads/{head}", sha)
    return host.commit(NAME, head, {"apps/shop/values.yaml": content}, "build: update shop")
