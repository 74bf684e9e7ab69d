"""What decisions depend on, read from the database: people, approvals, authors. A fixed number of queries."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import F

from approvals import permissions
from approvals.models import Decision, Promotion
from approvals.policy.document import Document
from approvals.policy.effective import EMERGENCY, NORMAL, ROLLBACK
from approvals.policy.evaluation import Approval, Author, Authors, Facts
from approvals.policy.people import People
from approvals.policy.rules import Rules
from updater.models import ImageManifest

MAX_AUTHORS = 100
_ADDRESS = re.compile(r"[^\s<>,;\"'()]{1,120}@[^\s<>,;\"'()]{1,120}")


def standing_approvals(promotion: Promotion) -> tuple[Decision, ...]:
    """Return the approvals that count: of this revision, not voided. Uses a prefetch if there is one."""
    return tuple(
        decision
        for decision in promotion.decisions.all()
        if decision.verb == Decision.Verb.APPROVE
        and decision.revision == promotion.revision
        and decision.voided_at is None
    )


def mode_of(promotion: Promotion) -> str:
    """Return which quorum a promotion needs: the normal one, or that of a way out."""
    return promotion.kind if promotion.kind in (ROLLBACK, EMERGENCY) else NORMAL


def gather(
    promotions: Sequence[Promotion],
    rules: Rules,
    *,
    viewer: User | None,
    at: datetime,
    as_read: bool = False,
) -> dict[UUID, Facts]:
    """Return the facts of each promotion; `as_read` takes the decisions that came with it, which is for pages only."""
    decisions = _decisions_read(promotions) if as_read else _decisions(promotions)
    approvals, automatic = _approvals(decisions)
    document = rules.policy.document
    here = People(document, viewer)
    builders = _builders(promotions, rules)
    authors = _commit_authors(promotions, rules)
    found = {}
    for promotion in promotions:
        people, viewing = here.at(promotion.application)
        found[promotion.pk] = Facts(
            at=at,
            expires_at=promotion.expires_at,
            status=promotion.status,
            is_what=promotion.is_what,
            status_sentence=promotion.status_reason,
            mode=mode_of(promotion),
            requested_by=promotion.requested_by,
            plan_error=str(promotion.plan.get("error") or ""),
            closed=rules.policy.closed,
            approvals=approvals.get(promotion.pk, ()),
            automatic=automatic.get(promotion.pk),
            people=people,
            viewer=viewing,
            builder=builders.get(promotion.pk, Authors()),
            commit_authors=authors.get(promotion.pk, Authors()),
            identities=document.identities,
        )
    return found


def after_deciding(facts: Facts, promotion: Promotion) -> Facts:
    """Return facts gathered in this transaction, with the approvals as they stand now and the kind it has now."""
    approvals, automatic = _approvals(_decisions([promotion]))
    return replace(
        facts,
        mode=mode_of(promotion),
        approvals=approvals.get(promotion.pk, ()),
        automatic=automatic.get(promotion.pk),
    )


def addresses(text: str) -> list[str]:
    """Return the e-mail addresses in a label, or its comma separated names when it has none."""
    text = text[:4000]
    found = _ADDRESS.findall(text) or [name.strip() for name in text.split(",")]
    return [name[:250] for name in dict.fromkeys(found) if name][:MAX_AUTHORS]


def _decisions(promotions: Sequence[Promotion]) -> Iterable[Decision]:
    # Read anew, never from a prefetch: the question may be whether the one just written completes it.
    rows = Decision.objects.filter(
        promotion__in=[row.pk for row in promotions],
        revision=F("promotion__revision"),
        verb=Decision.Verb.APPROVE,
        voided_at=None,
    )
    return rows.select_related("by").order_by("at")


def _decisions_read(promotions: Sequence[Promotion]) -> Iterable[Decision]:
    several = (standing_approvals(promotion) for promotion in promotions)
    return sorted(chain.from_iterable(several), key=lambda row: row.at)


def _approvals(
    decisions: Iterable[Decision],
) -> tuple[dict[UUID, tuple[Approval, ...]], dict[UUID, Decision]]:
    """Return what people approved, and what the policy did."""
    found: dict[UUID, tuple[Approval, ...]] = {}
    automatic: dict[UUID, Decision] = {}
    for row in decisions:
        if row.by is None:
            automatic[row.promotion_id] = row
            continue
        before = found.get(row.promotion_id, ())
        found[row.promotion_id] = (*before, Approval(row.by.get_username(), row))
    return found, automatic


def _builders(promotions: Sequence[Promotion], rules: Rules) -> dict[UUID, Authors]:
    wanted = [row.pk for row in promotions if "builder" in rules.of(row).exclude]
    document = rules.policy.document
    if not wanted:
        return {}
    rows = ImageManifest.objects.filter(candidates__promotions__in=wanted).values_list(
        "candidates__promotions", "labels", "platforms"
    )
    found = {pk: _builder(labels, platforms, document) for pk, labels, platforms in rows}
    return {pk: found.get(pk, Authors(problem="the image's labels were not read")) for pk in wanted}


def _builder(labels: object, platforms: object, document: Document) -> Authors:
    images = platforms if isinstance(platforms, list) else []
    several = [labels, *(image.get("labels") for image in images if isinstance(image, dict))]
    texts = [
        str(found[name])
        for found in several
        if isinstance(found, dict)
        for name in document.builder_labels
        if found.get(name)
    ]
    people = _without_ignored([name for text in texts for name in addresses(text)], document)
    if not texts:
        return Authors(problem=f"the image has no label {' or '.join(document.builder_labels)}")
    return Authors(tuple(Author(name) for name in people))


def _commit_authors(promotions: Sequence[Promotion], rules: Rules) -> dict[UUID, Authors]:
    wanted = [row.pk for row in promotions if "commit-authors" in rules.of(row).exclude]
    document = rules.policy.document
    if not wanted:
        return {}
    rows = Promotion.objects.filter(pk__in=wanted).values_list("pk", "to_digest", "authors")
    return {pk: _authors(stored, digest, document) for pk, digest, stored in rows}


def _authors(stored: dict[str, Any], digest: str, document: Document) -> Authors:
    if stored.get("digest") != digest:  # also after the tag was pushed again
        return Authors(
            problem="the commits between the running and the proposed build were not read yet"
        )
    commits = [item for item in stored.get("commits", []) if isinstance(item, dict)]
    kept = set(_without_ignored([str(item.get("address", "")) for item in commits], document))
    at = stored.get("at")
    return Authors(
        people=tuple(
            Author(str(item["address"]), str(item.get("sha", "")))
            for item in commits
            if item.get("address") in kept
        ),
        problem=str(stored.get("problem") or ""),
        at=datetime.fromisoformat(at) if isinstance(at, str) else None,
    )


def _without_ignored(names: Iterable[str], document: Document) -> list[str]:
    ignored = [glob.lower() for glob in document.ignored_authors]
    return [name for name in names if name and not permissions.any_matches(ignored, name.lower())]
