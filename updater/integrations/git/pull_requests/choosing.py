"""Which host serves the pull requests of a repository, and where its API is. Pure until it is asked something."""

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from updater.integrations.git import urls
from updater.integrations.git.pull_requests import errors, gitea, github, gitlab
from updater.integrations.git.pull_requests.model import PullRequestHost
from updater.integrations.git.pull_requests.wire import Entry, Wire
from updater.integrations.git.remotes import Remote
from updater.integrations.git.transport import Passage
from updater.integrations.git.urls import Address

GITHUB: Final = "github"
GITLAB: Final = "gitlab"
GITEA: Final = "gitea"
_GITHUB_HOSTS: Final = ("github.com", "www.github.com")
_GITHUB_CLOUD: Final = ".ghe.com"  # Enterprise with data residency: its API has a host of its own


@dataclass(frozen=True, slots=True)
class _Place:
    """A repository's address taken apart: what stands before its owner, and its own segments."""

    name: str
    address: Address
    segments: tuple[str, ...]

    def api(self, path: str) -> str:
        return self.address.origin + path

    def refuse(self, why: str) -> errors.AddressUnsuitableError:
        return errors.AddressUnsuitableError.of(self.name, why)


def choose(kind: str, remote: Remote, passage: Passage = nullcontext) -> PullRequestHost:
    """Return the pull requests of the repository at `remote` on a host of this kind.

    Raises:
        AddressUnsuitableError, TokenMissingError: the address or the credentials do not serve.
    """
    place = _place(remote)
    if kind == GITHUB:
        owner, repository = _pair(place)
        entry = Entry(_github_api(place), _bearer(remote), github.ACCEPT, remote)
        return github.GitHub(Wire(entry, passage), owner, repository)
    if kind == GITLAB:
        entry = Entry(place.api("/api/v4"), _bearer(remote), gitlab.ACCEPT, remote)
        return gitlab.GitLab(Wire(entry, passage), "/".join(place.segments))
    if kind == GITEA:
        return _gitea(place, remote, passage)
    raise place.refuse(f"{kind!r} is not one of {GITHUB}, {GITLAB}, {GITEA}")


def _place(remote: Remote) -> _Place:
    name = urls.redact(remote.url)
    address = urls.parse(remote.url, allow_http=remote.allow_http)
    if address.scheme == "ssh":
        why = "an SSH key opens no API: use the repository's https address"
        raise errors.TokenMissingError.of(name, why)
    path = address.path.strip("/").removesuffix(".git")
    segments = tuple(unquote(part) for part in path.split("/") if part)
    place = _Place(name, address, segments)
    if address.scheme not in ("https", "http"):
        raise place.refuse(f"{address.scheme}:// leads to git alone")
    if len(segments) < 2:
        raise place.refuse("write https://host/owner/repository")
    if not remote.credentials.authorization:
        raise errors.TokenMissingError.of(name)
    return place


def _pair(place: _Place) -> tuple[str, str]:
    if len(place.segments) != 2:
        raise place.refuse("on GitHub it is https://host/owner/repository")
    return place.segments[0], place.segments[1]


def _github_api(place: _Place) -> str:
    host = place.address.host.lower()
    if host in _GITHUB_HOSTS:
        return "https://api.github.com"
    if host.endswith(_GITHUB_CLOUD):
        return f"https://api.{host}"
    return place.api("/api/v3")


def _gitea(place: _Place, remote: Remote, passage: Passage) -> PullRequestHost:
    *prefix, owner, repository = place.segments
    # Gitea may live under a path of its host, and takes a password as well as a token.
    below = "".join(f"/{part}" for part in prefix)
    entry = Entry(
        place.api(f"{below}/api/v1"), remote.credentials.authorization, gitea.ACCEPT, remote
    )
    return gitea.Gitea(Wire(entry, passage), owner, repository)


def _bearer(remote: Remote) -> str:
    credentials = remote.credentials
    return f"Bearer {credentials.bearer_token or credentials.password}"
