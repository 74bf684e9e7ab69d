"""Reads what is configured for one Application, whichever generation it is written in. Total: never raises.

Annotations hold unless an ImageUpdater resource selects the Application; then that resource holds, or
the annotations if it says so. `exact` follows upstream v1.3 to the letter where our default is safer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from updater.configuration import judging, matching
from updater.configuration.findings import Findings
from updater.configuration.judging import Rules
from updater.configuration.manifest import Manifest
from updater.configuration.matching import Reference, SelectionError
from updater.configuration.model import ApplicationConfiguration, Problem
from updater.configuration.project_sources import SourceRepositories
from updater.configuration.written import Setting


def read(
    manifest: Mapping[str, Any],
    *,
    image_updaters: Sequence[Mapping[str, Any]] = (),
    argocd_namespace: str = "argocd",
    exact: bool = False,
    allow_http: bool = False,
    source_repositories: SourceRepositories = None,
) -> ApplicationConfiguration:
    """Return the configuration of an Application and everything that is wrong with it."""
    application = Manifest(manifest, argocd_namespace)
    rules = Rules(exact, allow_http, source_repositories)
    selecting, findings = _selecting(application, image_updaters, exact=exact)
    if findings.disables_application and not (exact and selecting):
        return judging.result(application, findings, managed=True)
    if not selecting:
        return judging.judge(application, None, rules)
    return _first_usable(application, selecting, rules)


def _selecting(
    application: Manifest, image_updaters: Sequence[object], *, exact: bool
) -> tuple[list[Reference], Findings]:
    """Return the references of the one resource that selects the Application."""
    findings = Findings()
    found: list[list[Reference]] = []
    for resource in image_updaters:
        try:
            found += (
                [references] if (references := matching.matching(resource, application)) else []
            )
        except SelectionError as error:
            setting = Setting("ImageUpdater", matching.name_of(resource))
            findings.refuse(setting, code=error.code, message=str(error))
    if len(found) > 1 and not exact:
        # Upstream lets both act, and undo each other.
        names = ", ".join(references[0].resource for references in found)
        message = "Two resources select this Application: let only one of them do so."
        findings.refuse(Setting("ImageUpdater", names), code="TWO_RESOURCES", message=message)
    return (found[0] if found else []), findings


def _first_usable(
    application: Manifest, references: Sequence[Reference], rules: Rules
) -> ApplicationConfiguration:
    """Return what the most specific reference says; one that cannot be used passes on to the next."""
    attempts = []
    for reference in references:
        attempts.append(judging.judge(application, reference, rules))
        if not any(problem.fatal and problem.alias is None for problem in attempts[-1].problems):
            passed_over = _passed_over(references[: len(attempts) - 1])
            return replace(attempts[-1], problems=attempts[-1].problems + passed_over)
    return attempts[0]


def _passed_over(references: Sequence[Reference]) -> tuple[Problem, ...]:
    findings = Findings()
    for reference in references:
        message = "This more specific reference cannot be used, so another one holds: mend it."
        setting = Setting(f"{reference.place}.namePattern", reference.pattern)
        findings.warn(setting, code="PASSED_OVER", message=message)
    return findings.problems
