"""The Applications of a schedule, several to a repository and some to one file, with an Argo CD that rolls them out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from onebox.world.git_host import GitHost
from tests.faults import strangers
from tests.faults.schedule import Plan
from tests.integration.story.outside import ANNOTATION, CHART, Outside

OLD = "main-0000000"
SHARED = "values.yaml"
PAIR = "pair-"  # Applications of this name need two approvals


@dataclass
class Member:
    """One Application of the fleet."""

    plan: Plan
    name: str
    image: str  # below acme/
    repository: str
    reported: tuple[str, str] = ("", "")  # revision and tag as last reported

    @property
    def path(self) -> str:
        """The file that its commits write."""
        return SHARED if self.plan.file == "shared" else f".argocd-source-{self.name}.yaml"

    @property
    def place(self) -> tuple[str, str, str]:
        """Repository, file and key of its tag."""
        return self.repository, self.path, f"{self.name}.tag"

    def manifest(self, registry: str, git_url: str) -> dict[str, Any]:
        """Return the Application."""
        told = {
            "image-list": f"web={registry}/acme/{self.image}",
            "update-strategy": "latest",
            "write-back-method": self.plan.method,
            "web.allow-tags": "regexp:^main",
            "web.helm.image-name": f"{self.name}.image",
            "web.helm.image-tag": f"{self.name}.tag",
            "web.pull-secret": "pullsecret:argocd/registry-secret",
        }
        if self.plan.file == "shared":
            told["write-back-target"] = f"helmvalues:{SHARED}"
        source = {
            "repoURL": f"{git_url}/{self.repository}.git",
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

    def tag_in(self, text: bytes) -> str:
        """Return the tag that its file says."""
        document = yaml.safe_load(text) or {}
        if self.plan.file == "shared":
            return str((document.get(self.name) or {}).get("tag") or OLD)
        return _parameter(document, self.place[2])


def _parameter(document: dict[str, Any], name: str) -> str:
    parameters = (document.get("helm") or {}).get("parameters") or []
    return next((item["value"] for item in parameters if item["name"] == name), OLD)


@dataclass
class Fleet:
    """All Applications of one run."""

    outside: Outside
    git_url: str  # as the product sees it
    members: list[Member] = field(default_factory=list)

    @classmethod
    def build(cls, outside: Outside, git_url: str, plans: Sequence[Plan], *, name: str) -> "Fleet":
        """Create repositories, first builds and Applications, all running the old build."""
        fleet = cls(outside, git_url)
        for plan in plans:
            kind = PAIR if plan.quorum == 2 else "shop-"
            member = Member(
                plan,
                name=f"{kind}{name}-{plan.number}",
                image=f"image-{name}-{plan.image}",
                repository=f"acme/fleet-{name}-{plan.repository}",
            )
            fleet.members.append(member)
        fleet._create()
        return fleet

    @property
    def names(self) -> list[str]:
        """The names of the Applications."""
        return [member.name for member in self.members]

    @property
    def images(self) -> list[str]:
        """The names of their images."""
        return sorted({member.image for member in self.members})

    @property
    def repositories(self) -> list[str]:
        """The names of their Git repositories."""
        return sorted({member.repository for member in self.members})

    def _create(self) -> None:
        host = self.outside.registry.host
        for image in self.images:
            self.outside.push(OLD, image, created="2026-11-20T10:00:00Z")
        for repository in self.repositories:
            sharing = [each for each in self.members if each.repository == repository]
            text = "".join(
                f"{each.name}:\n  image: {host}/acme/{each.image}\n  tag: {OLD}\n"
                for each in sharing
                if each.plan.file == "shared"
            )
            files = {**CHART, SHARED: b"# what runs where\n" + text.encode()}
            self.outside.git.create_repository(repository, files)
        for member in self.members:
            self.outside.create("applications", member.manifest(host, self.git_url))
        self.roll_out()

    def roll_out(self) -> int:
        """Let Argo CD sync and report what stands in Git and in the Applications; return how many changed."""
        changed = 0
        for repository in self.repositories:
            tip = _tip(self.outside.git, repository)
            files: dict[str, bytes] = {}
            for member in self._behind(repository, tip):
                wanted = tip, self._tag(member, files)
                if wanted != member.reported:
                    self._report(member, *wanted)
                    changed += 1
        return changed

    def _behind(self, repository: str, tip: str) -> Iterator[Member]:
        for member in self.members:
            is_patched = member.plan.method == "argocd"
            if member.repository == repository and (is_patched or member.reported[0] != tip):
                yield member

    def _tag(self, member: Member, files: dict[str, bytes]) -> str:
        if member.plan.method == "argocd":
            source = self.outside.application(member.name)["spec"]["source"]
            return _parameter(source, member.place[2])
        if member.path not in files:
            files[member.path] = strangers.read(self.outside.git, member.repository, member.path)
        return member.tag_in(files[member.path])

    def _report(self, member: Member, revision: str, tag: str) -> None:
        status = {
            "sourceType": "Helm",
            "sync": {"status": "Synced", "revision": revision},
            "health": {"status": "Healthy"},
            "summary": {"images": [f"{self.outside.registry.host}/acme/{member.image}:{tag}"]},
            "reconciledAt": "2026-11-23T10:00:00Z",
            "controllerNamespace": "argocd",
        }
        self.outside.patch(member.name, {"status": status})
        member.reported = revision, tag

    def remove(self) -> None:
        """Delete the Applications; repositories stay, for the checks."""
        for member in self.members:
            self.outside.delete(member.name)


def _tip(git: GitHost, repository: str) -> str:
    # A file read instead of a program: this is asked several times a second, and nothing packs these references.
    reference: Path = git.repositories.path(repository) / "refs" / "heads" / "main"
    try:
        return reference.read_text(encoding="ascii").strip()
    except OSError:
        return git.repositories.tip(git.repositories.path(repository), "main") or ""
