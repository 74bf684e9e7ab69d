"""The pretend CI: a commit to an image's source, then a build of it pushed with labels that point back."""

from collections.abc import Mapping

import httpx

from onebox.world.argocd.image_facts import DEGRADED_LABEL
from onebox.world.content import Image, Tagging
from onebox.world.git_host import Repositories

CHANGES = "CHANGES.md"
PLATFORMS = ("linux/amd64", "linux/arm64")
AUTHORS = (
    "Jonas Weber <jonas@acme.example>",
    "Amara Okafor <amara@acme.example>",
    "Noor Haddad <noor@acme.example>",
    "Tomas Silva <tomas@acme.example>",
)
SENTENCES = (
    "Keep the price list for a minute",
    "Answer 404 instead of an empty list",
    "Log the order number with every refusal",
    "Close idle connections after a minute",
    "Round amounts to the cent, half to even",
    "Ask the stock before the price",
    "Show the delivery date in the reader's zone",
    "Retry a refused write once",
    "Sort search results by score, then name",
    "Drop the field that nobody read",
    "Wait for the database before saying ready",
)


class PretendCI:
    """Builds images as a team's CI does; what comes next is read from the git repository."""

    def __init__(self, repositories: Repositories, *, git_url: str, registry_url: str) -> None:
        self._repositories = repositories
        self._git_url = git_url
        self._push_url = f"{registry_url}/_push"

    def begin(self, image: Image) -> None:
        """Make the git repository of an image's source."""
        readme = f"# {image.repository}\n\nSource of an image of the demo.\n"
        files = {"README.md": readme.encode(), CHANGES: b""}
        self._repositories.create(image.repository, files)

    def build(self, image: Image, *, crashes: bool = False) -> str:
        """Commit to main, push the build, and return its tag; one that crashes says so in a label."""
        number, sha = self._commit(image, branch="main")
        tag = {
            Tagging.COMMIT: f"main-{sha[:7]}",
            Tagging.VERSION: f"v1.2.{number}",
            Tagging.STABLE: "stable",
        }[image.tagging]
        return self._push(image, tag, sha, {DEGRADED_LABEL: "true"} if crashes else {})

    def build_branch(self, image: Image) -> str:
        """Commit to a branch that is not for release, push the build, and return its tag."""
        _, sha = self._commit(image, branch="feature/trial")
        return self._push(image, f"feature-{sha[:7]}", sha, {})

    def _commit(self, image: Image, *, branch: str) -> tuple[int, str]:
        before = self._repositories.read(image.repository, "main", CHANGES).decode()
        number = before.count("\n")
        sentence = SENTENCES[number % len(SENTENCES)]
        sha = self._repositories.commit(
            image.repository,
            branch,
            {CHANGES: f"{before}- {sentence}\n".encode()},
            f"{sentence}\n",
            AUTHORS[number % len(AUTHORS)],
        )
        return number, sha

    def _push(self, image: Image, tag: str, sha: str, labels: Mapping[str, str]) -> str:
        order = {
            "repository": image.repository,
            "tag": tag,
            "labels": {**self._labels(image, sha), **labels},
            "platforms": PLATFORMS,
        }
        httpx.post(self._push_url, json=order, trust_env=False).raise_for_status()
        return tag

    def _labels(self, image: Image, sha: str) -> Mapping[str, str]:
        return {
            "org.opencontainers.image.source": f"{self._git_url}/{image.repository}",
            "org.opencontainers.image.revision": sha,
        }
