"""Judges how and where changes are written: method, source, repository, branches, target (3.1 to 3.4).

What is wrong here concerns every image, so it disables the whole Application.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from updater.configuration import branches, git_urls, methods, sources, targets
from updater.configuration.branches import BranchSetting
from updater.configuration.findings import Findings
from updater.configuration.manifest import Manifest
from updater.configuration.methods import Method
from updater.configuration.model import ImageConfiguration, PluginTarget, Target, WriteBack
from updater.configuration.sources import Layout, Source
from updater.configuration.targets import TargetSetting
from updater.configuration.written import Setting, WriteBackSettings

_FORCED_TYPES = {targets.HELM_VALUES: sources.HELM, targets.KUSTOMIZATION: sources.KUSTOMIZE}
_SUPPORTED = (sources.HELM, sources.KUSTOMIZE, sources.PLUGIN)


@dataclass(frozen=True, slots=True)
class Judged:
    """The write-back and the type of the source it is for."""

    write_back: WriteBack
    source_type: str


class WriteBackJudge:
    """Turns what was written about writing back into what will be done."""

    def __init__(
        self, manifest: Manifest, written: WriteBackSettings, findings: Findings, *, exact: bool
    ) -> None:
        self._manifest = manifest
        self._written = written
        self._findings = findings
        self._exact = exact
        self._layout: Layout = sources.layout(manifest)

    def judged(self, images: Sequence[ImageConfiguration], *, allow_http: bool) -> Judged:
        """Return the write-back for these images."""
        method = self._method()
        target = self._target_setting() if method.name == methods.GIT else None
        kind, source = self._source(target)
        self._check_type(kind)
        if method.name != methods.GIT:
            self._warn_of_git_settings()
            return Judged(WriteBack(method.name, source_index=source.index), kind)
        has_plugin = any(image.plugin != PluginTarget() for image in images)
        # Historic: under git a plugin is written like Helm, unless an image says otherwise.
        shown = sources.HELM if kind == sources.PLUGIN and not has_plugin else kind
        return Judged(self._git(method, source, target, allow_http=allow_http), shown)

    def _method(self) -> Method:
        namespace, written = self._manifest.secrets_namespace, self._written.method
        # A bad git method disables the Application, but what else is wrong about git shall be seen too.
        means_git = written is not None and written.text.strip().startswith(methods.GIT)
        return self._findings.accept(
            written,
            lambda setting: methods.parse(setting.text, namespace=namespace),
            otherwise=Method(methods.GIT if means_git else methods.ARGOCD),
        )

    def _target_setting(self) -> TargetSetting | None:
        return self._findings.accept(
            self._written.target, lambda setting: targets.parse(setting.text), otherwise=None
        )

    def _source(self, target: TargetSetting | None) -> tuple[str, Source]:
        picked = sources.picked(self._manifest, self._layout, self._findings)
        forced = _FORCED_TYPES.get(target.kind) if target else None
        if picked is not None and self._layout.is_multiple:
            return forced or self._layout.type_of(picked), picked
        kind = forced or self._layout.detected_type()
        source = self._layout.source_for(kind)
        if source is None:
            setting = Setting("spec.source", "")
            self._findings.refuse(setting, code="NO_SOURCE", message="The source is missing.")
        return kind, source or Source("spec.source", {})

    def _check_type(self, kind: str) -> None:
        if kind in _SUPPORTED:
            return
        key = "status.sourceTypes" if self._layout.is_multiple else "status.sourceType"
        value = ", ".join(self._layout.types) if self._layout.is_multiple else self._layout.type
        self._findings.refuse(
            Setting(key, value),
            code="UNSUPPORTED_SOURCE",
            message="Only Helm, Kustomize and plugin sources can be changed; "
            "Argo CD reports the type once it has read the source.",
        )

    def _warn_of_git_settings(self) -> None:
        written = self._written
        pull_request = written.pull_request.setting if written.pull_request else None
        for setting in (written.repository, written.branch, written.target, pull_request):
            if setting is not None:
                message = "It has no effect with the method argocd: set the method git."
                self._findings.warn(setting, code="IGNORED", message=message)

    def _git(
        self, method: Method, source: Source, target: TargetSetting | None, *, allow_http: bool
    ) -> WriteBack:
        repository = self._repository(source, target, allow_http=allow_http)
        branch = self._findings.accept(
            self._written.branch,
            lambda setting: branches.parse(setting.text),
            otherwise=BranchSetting(None, None),
        )
        pull_request = self._written.pull_request
        self._check_pull_request(repository, branch)
        return WriteBack(
            method=method.name,
            credentials=method.credentials,
            repository=repository,
            base_branch=self._base(branch, source, repository),
            write_branch=branch.template,
            target=self._target(source, target),
            source_index=source.index,
            pull_request=pull_request.provider if pull_request else None,
            pull_request_labels=pull_request.labels if pull_request else (),
        )

    def _repository(
        self, source: Source, target: TargetSetting | None, *, allow_http: bool
    ) -> str | None:
        if source.is_chart and not self._suits_chart(target):
            setting = self._written.target or Setting(f"{source.place}.chart", source.chart)
            self._findings.refuse(
                setting,
                code="CHART_WITHOUT_TARGET",
                message="A Helm chart has no directory in git: set git-repository and "
                "write-back-target helmvalues:/<file>.",
            )
            return None
        own = Setting(f"{source.place}.repoURL", source.repository)
        return self._findings.accept(
            self._written.repository or own,
            lambda setting: git_urls.check(setting.text, allow_http=allow_http),
            otherwise=None,
        )

    def _suits_chart(self, target: TargetSetting | None) -> bool:
        is_file = target is not None and target.kind == targets.HELM_VALUES and target.path
        return bool(is_file) and self._written.repository is not None

    def _base(self, branch: BranchSetting, source: Source, repository: str | None) -> str | None:
        if branch.base is not None:
            return branches.or_default(branch.base)
        place, revision = f"{source.place}.targetRevision", source.revision
        shared = self._layout.source_of(repository) if repository else None
        if shared is not None:
            place, revision = f"{shared.place}.targetRevision", shared.revision
        elif source.is_chart and revision:
            message = "This is the version of a chart, not a branch: set git-branch."
            self._findings.warn(Setting(place, revision), code="BAD_BRANCH", message=message)
        return self._findings.accept(
            Setting(place, revision),
            lambda setting: branches.check_revision(setting.text),
            otherwise=None,
        )

    def _target(self, source: Source, target: TargetSetting | None) -> Target | None:
        if target is None:
            own = Setting(f"{source.place}.path", source.path)
            name = self._manifest.override_file(exact=self._exact)
            return self._findings.accept(
                own, lambda setting: targets.default(name, source_path=setting.text), otherwise=None
            )
        return self._findings.accept(
            self._written.target, lambda _: target.resolve(source.path), otherwise=None
        )

    def _check_pull_request(self, repository: str | None, branch: BranchSetting) -> None:
        pull_request, written = self._written.pull_request, self._written.branch
        if pull_request is None:
            return
        if branch.template is not None and written is not None:
            message = "With pull requests the branch setting is the base branch alone."
            self._findings.refuse(written, code="BAD_BRANCH", message=message)
        if repository is not None and git_urls.is_ssh(repository):
            message = "Pull requests need an https repository: ssh credentials open none."
            self._findings.refuse(pull_request.setting, code="BAD_PULL_REQUEST", message=message)
