"""The decide page: one promotion in the order in which a decision is made."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from approvals import decisions, policy, sealing, waiting
from approvals.decisions import Situation
from approvals.models import Comment, Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.permissions import Action, guarded
from approvals.policy import Automatic
from approvals.presenters import diffs, left_out, links, sentences
from approvals.presenters.sentences import Told
from approvals.presenters.texts import visible
from approvals.queries import moved, promotions
from approvals.queries.moved import Moved
from approvals.queries.promotions import Dossier
from approvals.views import actions, held, pages, sight, verdicts
from approvals.views.requests import PersonRequest
from updater import clock
from updater.audit import AuditKind
from updater.models import AuditEvent, ImageManifest

SOURCE = "org.opencontainers.image.source"
REVISION = "org.opencontainers.image.revision"


@dataclass(frozen=True, slots=True)
class Change:
    """Where both images were built from, with links that are safe to follow."""

    source: str
    source_link: str
    old_revision: str
    new_revision: str
    commit_link: str
    comparison_link: str


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the timeline; who is "" where nobody acted."""

    at: datetime
    who: str
    told: Told


@dataclass(frozen=True, slots=True)
class SealedField:
    """One field of what is sealed."""

    name: str
    value: str


@require_safe
@guarded(Action.VIEW)
def promotion(request: PersonRequest, promotion_id: UUID) -> HttpResponse:
    """Show the promotion; with `seen`, only whether it is still what the open page shows."""
    row = found(request, promotion_id)
    if pages.is_partial(request) and "seen" in request.GET:
        is_fresh = request.GET["seen"] == seen_mark(row)
        return render(
            request, "promotions/_freshness.html", {"promotion": row, "is_fresh": is_fresh}
        )
    if pages.is_partial(request) and row.is_pending:
        # It was sealed anew under an open page: show it from the start, with its own form.
        return HttpResponse(headers={"HX-Refresh": "true"})
    return pages.show(request, "promotions/promotion", page_context(request, row))


def found(request: PersonRequest, promotion_id: UUID) -> Promotion:
    """Return the promotion for a page.

    Raises:
        Http404: there is none, or it is of an Application that the person may not see.
    """
    row = promotions.find(promotion_id, visible=sight.visible_to(request))
    if row is None:
        raise Http404("There is no such promotion.")
    return row


def page_context(request: PersonRequest, row: Promotion) -> dict[str, Any]:
    """Return everything the decide page shows to this person."""
    at = clock.now()
    situation = Situation(row, request.user, at, sight.policy_of(request))
    standing = situation.standing
    around = promotions.dossier(row)
    holds = policy.standing_holds(at)
    read = policy.Read(holds, is_whole=True)
    known = waiting.Known(situation.rules, read, around.in_flight)
    gates = waiting.gates(row, at=at, visible=sight.visible_to(request), known=known)
    files = diffs.of_plan(row.plan)
    return {
        "section": "pending" if row.status in Status.alive() else "releases",
        "promotion": row,
        "around": around,
        "standing": standing,
        "verdict": verdicts.of(
            row,
            standing,
            now=at,
            closed=waiting.first_closed(gates),
            replaced_by=promotions.replacement_of(row),
        ),
        "files": files,
        "added": sum(file.added for file in files),
        "removed": sum(file.removed for file in files),
        "planned_at": planned_at(row),
        "gates": gates,
        "passing": sum(gate.is_open for gate in gates),
        "rule": policy.rule_in_words(row, effective=situation.effective),
        "moved": _moved(row),
        "left_out": left_out.of(row, standing),
        "alone": _alone(situation),
        "sealed": sealed_fields(row.subject),
        "change": _change(row, around),
        "timeline": timeline(row, around.events, around.comments),
        "tense": verdicts.tense_of(row),
        **_review(row),
        "pull_request_link": links.web(str(row.pull_request.get("url", ""))),
        "seen": seen_mark(row),
        "now": at,
        **held.context(
            held.about(row.application, holds, alias=row.tracked_image.alias),
            row.application,
            may_hold=situation.may(Action.HOLD),
            min_reason=situation.effective.min_reason_reject,
        ),
        **actions.context(situation),
    }


def _alone(situation: Situation) -> Automatic | None:
    """Return what the policy alone says of a pending one."""
    row = situation.promotion
    if not row.is_pending:
        return None
    return policy.judge_alone([row], at=situation.at, rules=situation.rules).get(row.pk)


def _review(row: Promotion) -> dict[str, Any]:
    """Return the review that an emergency owes or was given; nothing for any other promotion."""
    if row.kind != Promotion.Kind.EMERGENCY:
        return {}
    needed = decisions.min_notes([row.application])[row.application_id]
    return {"review": getattr(row, "review", None), "min_notes": needed}


def seen_mark(row: Promotion) -> str:
    """Return what an open page remembers of a promotion, to know when it shows something old."""
    return f"{row.seal}.{row.revision}.{row.status}"


def timeline(
    row: Promotion, events: Iterable[AuditEvent], comments: Iterable[Comment] = ()
) -> list[Moment]:
    """Return events, comments and the finding of the candidate as lines, newest first."""
    candidate = row.candidate
    reason = visible(candidate.reason) or "asked for by a person"
    found = Told("PENDING", "plain", "Found", f"Candidate found: {reason}", "")
    lines = [
        Moment(event.at, visible(event.actor), sentences.tell(event))
        for event in events
        if event.kind != AuditKind.COMMENT_WRITTEN  # told by the comment itself, which is not cut
    ]
    lines += [Moment(said.at, visible(said.author), _said(said)) for said in comments]
    lines.append(Moment(candidate.found_at, "", found))
    return sorted(lines, key=lambda line: line.at, reverse=True)


def _said(comment: Comment) -> Told:
    return Told("comment", "plain", "Commented", "wrote a comment", visible(comment.text))


def sealed_fields(subject: dict[str, Any]) -> list[SealedField]:
    """Return the subject in reading order: exactly what the seal is over."""
    return [
        SealedField(name, visible(sealing.readable(subject[key])))
        for key, name in sealing.FIELD_NAMES.items()
        if key in subject
    ]


def planned_at(row: Promotion) -> datetime | None:
    """Return when the plan was made from Git and the cluster."""
    text = row.plan.get("at")
    return datetime.fromisoformat(text) if isinstance(text, str) else None


def _moved(row: Promotion) -> Moved | None:
    """Return what is wrong with the tag that this release brought, while it runs."""
    brought = row.pushed_at is not None and row.tracked_image.live_tag == row.to_tag
    found = moved.of_images([row.tracked_image]) if brought else {}
    return found.get(row.tracked_image_id)


def _change(row: Promotion, around: Dossier) -> Change:
    new, old = _labels(row.candidate.manifest), _labels(around.running_manifest)
    source = new.get(SOURCE, "")
    revisions = old.get(REVISION, ""), new.get(REVISION, "")
    return Change(
        source=visible(source),
        source_link=links.source(source),
        old_revision=visible(revisions[0]),
        new_revision=visible(revisions[1]),
        commit_link=links.commit(source, revisions[1]),
        comparison_link=links.comparison(source, *revisions),
    )


def _labels(manifest: ImageManifest | None) -> dict[str, str]:
    if manifest is None or not isinstance(manifest.labels, dict):
        return {}
    return {str(key): str(value) for key, value in manifest.labels.items()}
