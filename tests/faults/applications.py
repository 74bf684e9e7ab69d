"""One Application of the rig: its repository, its image, and an Argo CD that rolls out what it is told."""

from dataclasses import dataclass
from subprocess import CalledProcessError

import yaml

from tests.integration.story.outside import ANNOTATION, CHART, Outside

OLD = "main-aaaaaaa"


@dataclass(frozen=True)
class Addresses:
    """Where the product finds the world: the servers themselves, or proxies in front of them."""

    git: str  # the URL of the host
    registry: str  # host:port


@dataclass
class Story:
    """Names of one Application's things."""

    name: str
    image: str  # below acme/
    repository: str
    method: str
    addresses: Addresses
    reported: tuple[str, str] = ("", "")  # revision and tag as last reported

    @classmethod
    def make(
        cls,
        outside: Outside,
        addresses: Addresses,
        number: int,
        *,
        method: str = "git",
        repository: str = "",
    ) -> "Story":
        """Create everything that it consists of, running the old build."""
        name = f"shop-{number}"
        story = cls(name, name, repository or f"acme/{name}", method, addresses)
        outside.push(OLD, story.image, created="2026-11-20T10:00:00Z")
        if not outside.git.repositories.has(story.repository):
            outside.git.create_repository(story.repository, CHART)
        outside.create("applications", story.manifest())
        story.roll_out(outside)
        return story

    @property
    def path(self) -> str:
        """The override file of its commits."""
        return f".argocd-source-{self.name}.yaml"

    def manifest(self) -> dict[str, object]:
        """Return the Application."""
        told = {
            "image-list": f"web={self.addresses.registry}/acme/{self.image}",
            "update-strategy": "latest",
            "write-back-method": self.method,
            "web.allow-tags": "regexp:^main",
            "web.helm.image-tag": "web.tag",
            "web.pull-secret": "pullsecret:argocd/registry-secret",
        }
        source = {
            "repoURL": f"{self.addresses.git}/{self.repository}.git",
            "path": ".",
            "targetRevision": "main",
        }
        return {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {
                "name": self.name,
                "annotations": {ANNOTATION + key: value for key, value in told.items()},
            },
            "spec": {
                "project": "default",
                "source": source,
                "destination": {"server": "https://kubernetes.default.svc", "namespace": "shop"},
                "syncPolicy": {"automated": {}},
            },
        }

    def wanted(self, outside: Outside) -> tuple[str, str]:
        """Return the tip of the branch, and the tag that Git or the Application asks for."""
        repositories = outside.git.repositories
        tip = repositories.tip(repositories.path(self.repository), "main") or ""
        if self.method == "git" and tip == self.reported[0]:
            return self.reported
        if self.method == "git":
            listed = yaml.safe_load(self._override(outside)) or {}
        else:
            listed = outside.application(self.name)["spec"]["source"]
        parameters = (listed.get("helm") or {}).get("parameters") or []
        tags = [item["value"] for item in parameters if item["name"] == "web.tag"]
        return tip, tags[-1] if tags else OLD

    def _override(self, outside: Outside) -> bytes:
        try:
            return outside.git.read(self.repository, "main", self.path)
        except CalledProcessError:
            return b""  # not written yet

    def roll_out(self, outside: Outside) -> bool:
        """Let Argo CD sync what is wanted, and report it; False when nothing changed."""
        wanted = self.wanted(outside)
        if wanted == self.reported:
            return False
        revision, tag = wanted
        status = {
            "sourceType": "Helm",
            "sync": {"status": "Synced", "revision": revision},
            "health": {"status": "Healthy"},
            "summary": {"images": [f"{self.addresses.registry}/acme/{self.image}:{tag}"]},
            "reconciledAt": "2026-11-23T10:00:00Z",
            "controllerNamespace": "argocd",
        }
        outside.patch(self.name, {"status": status})
        self.reported = wanted
        return True

    def remove(self, outside: Outside) -> None:
        """Delete the Application; its repository stays, for the checks."""
        outside.delete(self.name)
