"""Which breaker stands before which outside host, and which of its errors mean that it gave no answer."""

from collections.abc import Sequence
from functools import partial

from django.conf import settings

from updater import breakers
from updater.errors import UpdaterError
from updater.integrations import git, kubernetes, registry
from updater.integrations.git import pull_requests, urls
from updater.integrations.git.transport import Passage
from updater.models import Breaker

_NO_GIT = (git.RepositoryUnreachableError, git.GitTimeoutError)
_NO_API = (pull_requests.HostUnavailableError,)
# A write without an answer is silence, too: whether it was done is found out by its own look.
_NO_CLUSTER = (kubernetes.ClusterUnreachableError, kubernetes.UnknownOutcomeError)
_NO_REGISTRY = (registry.RegistryUnavailableError,)


def to_git(remote: git.Remote) -> Passage:
    """Return the way to the host of a Git repository."""
    return breakers.Way(Breaker.Kind.GIT, git_host(remote.url), _NO_GIT)


def to_pull_requests(remote: git.Remote) -> Passage:
    """Return the way to the API of a Git repository's host."""
    return breakers.Way(Breaker.Kind.GIT_API, git_host(remote.url), _NO_API)


def to_cluster() -> Passage:
    """Return the way to the cluster."""
    return breakers.Way(Breaker.Kind.CLUSTER, settings.CLUSTER_NAME, _NO_CLUSTER)


def ask_registry(
    host: str, ask: "partial[list[str | UpdaterError]]", count: int
) -> Sequence[str | UpdaterError]:
    """Return what a registry answers to many questions; that it rests, for each of them."""
    try:
        with breakers.passage(Breaker.Kind.REGISTRY, host, _NO_REGISTRY):
            answers = ask()
            if answers and all(isinstance(answer, _NO_REGISTRY) for answer in answers):
                _fail(answers[0])
    except breakers.HostRestingError as resting:
        return [resting] * count
    except registry.RegistryUnavailableError:
        return answers
    return answers


def git_host(url: str) -> str:
    """Return the host of a repository's address, with its port if it has one of its own."""
    address = urls.parse(url, allow_http=True)
    return f"{address.host}:{address.port}" if address.port else address.host


def _fail(answer: str | UpdaterError) -> None:
    if isinstance(answer, UpdaterError):
        raise answer
