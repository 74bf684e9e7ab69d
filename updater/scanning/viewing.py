"""Loads the views of the images that follow some repositories: configuration, what runs, standing refusals."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from updater.models import ImageManifest, Refusal, TrackedImage
from updater.scanning.planning import Job
from updater.scanning.preparing import read_configuration
from updater.scanning.view import ImageView, StandingRefusal, live_references


def views(jobs: Collection[Job]) -> Mapping[int, list[ImageView]]:
    """Return for each repository all images that follow it, ready to be chosen for."""
    sort_modes = {job.repository_id: job.endpoint.sort_mode for job in jobs}
    rows = (
        TrackedImage.objects.present()
        .filter(image_repository__in=list(sort_modes), is_usable=True)
        .order_by("pk")
    )
    refusals = _refusals(sort_modes)
    found: defaultdict[int, list[ImageView]] = defaultdict(list)
    for row in rows:
        repository = row.image_repository_id or 0
        view = _view(row, refusals.get(row.pk, ()), sort_modes[repository])
        if view is not None:
            found[repository].append(view)
    return found


def _view(
    row: TrackedImage, refusals: Sequence[StandingRefusal], sort_mode: str
) -> ImageView | None:
    configuration = read_configuration(row)
    if configuration is None:
        return None
    live = live_references(configuration.live)
    if not live and row.is_live:
        tag, digest = row.live_tag or None, row.live_digest or None
        live = (replace(configuration.reference, tag=tag, digest=digest),)
    return ImageView(
        pk=row.pk,
        configuration=configuration,
        configuration_hash=row.configuration_hash,
        live=live,
        refusals=tuple(refusals),
        sort_mode=sort_mode,
        chosen_from=str(row.choice.get("chosen_from", "")),
    )


def _refusals(repository_ids: Collection[int]) -> Mapping[int, list[StandingRefusal]]:
    rows = list(
        Refusal.objects.filter(
            tracked_image__image_repository__in=list(repository_ids), lifted_at=None
        )
        .select_related("tracked_image")
        .order_by("pk")
    )
    if not rows:
        return {}
    built = {
        (repository, digest): created
        for repository, digest, created in ImageManifest.objects.filter(
            image_repository__in=list(repository_ids), digest__in=[row.digest for row in rows]
        ).values_list("image_repository", "digest", "created")
    }
    found: defaultdict[int, list[StandingRefusal]] = defaultdict(list)
    for row in rows:
        created = built.get((row.tracked_image.image_repository_id or 0, row.digest))
        until_newer = row.scope == Refusal.Scope.UNTIL_NEWER
        one = StandingRefusal(row.tag, row.digest, until_newer, created)
        found[row.tracked_image_id].append(one)
    return found
