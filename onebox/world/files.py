"""Which files each git repository of an Application holds in the beginning; pure."""

from collections.abc import Mapping

from onebox.world import charts, kustomizations
from onebox.world.content import DemoApplication, Layout

Files = dict[str, bytes]  # by path


def by_repository(
    application: DemoApplication, *, registry: str, tags: Mapping[str, str]
) -> dict[str, Files]:
    """Return the files of all its repositories; `tags` has the first build of each image."""
    match application.layout:
        case Layout.CHART:
            chart = charts.with_own_values(application, registry=registry, tags=tags)
            return {application.repository: chart}
        case Layout.KUSTOMIZATION:
            found = kustomizations.files(application, registry=registry, tags=tags)
            return {application.repository: found}
    chart = charts.with_defaults(application)
    values = charts.production_values(application, registry=registry, tags=tags)
    if application.layout is Layout.VALUES_FILE:
        return {application.repository: chart | values}
    return {application.repository: chart, application.values_repository: values}
