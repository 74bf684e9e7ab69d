"""What people and addresses may send to a page: every field with its limits, hostile input refused here."""

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError

from approvals.models import Finding, Hold, Review
from updater.audit import AuditKind
from updater.models import Refusal

MAX_SELECTED = 100
MAX_REASON = 2000
HOLD_LASTS = [  # minutes
    ("", "until somebody releases it"),
    ("30", "30 minutes"),
    ("60", "1 hour"),
    ("240", "4 hours"),
    ("1440", "1 day"),
    ("10080", "1 week"),
]
_SEAL = r"[0-9a-f]{64}"
_CHOSEN = re.compile(rf"([0-9a-f-]{{36}})\.({_SEAL})")


@dataclass(frozen=True, slots=True)
class Chosen:
    """A promotion with the seal under which it was shown."""

    promotion_id: UUID
    seal: str


class ListField(forms.Field):
    """A field that may come many times; each value is parsed by `to_item`."""

    widget = forms.MultipleHiddenInput

    def clean(self, value: Any) -> list[Any]:  # noqa: ANN401  Django's signature
        """Return the parsed values, at least one and not too many."""
        texts = list(value or [])
        if not texts:
            raise ValidationError("Nothing is selected.")
        if len(texts) > MAX_SELECTED:
            raise ValidationError(f"At most {MAX_SELECTED} at once.")
        return [self.to_item(str(text)) for text in dict.fromkeys(texts)]

    def to_item(self, text: str) -> object:
        """Return one value, or raise ValidationError."""
        try:
            return UUID(text)
        except ValueError as error:
            raise ValidationError("One of the selected is not a promotion.") from error


class ChosenField(ListField):
    """Promotions with their seals, as the confirmation page sends them."""

    def to_item(self, text: str) -> object:
        """Return id and seal."""
        match = _CHOSEN.fullmatch(text)
        if match is None:
            raise ValidationError("One of the selected is not a promotion with its seal.")
        return Chosen(super().to_item(match[1]), match[2])  # type: ignore[arg-type]  # a UUID


class FindingForm(forms.Form):
    """What a person found out about an unknown effect, and how."""

    verdict = forms.ChoiceField(choices=Finding.Verdict.choices)
    evidence = forms.CharField(max_length=MAX_REASON)


class SignInForm(forms.Form):
    """A local account and its password."""

    username = forms.CharField(max_length=150)
    password = forms.CharField(max_length=1024, strip=False)


class PendingFilterForm(forms.Form):
    """What part of the inbox is wanted."""

    show = forms.SlugField(max_length=20, required=False)
    project = forms.CharField(max_length=253, required=False)
    q = forms.CharField(max_length=200, required=False)
    after = forms.CharField(max_length=2000, required=False)


class ApplicationFilterForm(PendingFilterForm):
    """Which Applications are wanted."""


class TagFilterForm(forms.Form):
    """Of which image the tags are wanted, and from which one on."""

    image = forms.CharField(max_length=253, required=False)
    tags_from = forms.IntegerField(min_value=0, max_value=1_000_000, required=False)
    strategy = forms.CharField(max_length=40, required=False)
    constraint = forms.CharField(max_length=300, required=False)
    allow_tags = forms.CharField(max_length=1024, required=False)
    ignore_tags = forms.CharField(max_length=1024, required=False)


class ReleaseFilterForm(forms.Form):
    """Which releases are wanted."""

    status = forms.SlugField(max_length=20, required=False)
    application = forms.CharField(max_length=510, required=False)
    image = forms.CharField(max_length=253, required=False)
    tag = forms.CharField(max_length=300, required=False)
    after = forms.CharField(max_length=2000, required=False)


class PolicyFilterForm(forms.Form):
    """For which Application the policy is wanted, and which two versions to compare."""

    application = forms.CharField(max_length=510, required=False)
    old = forms.IntegerField(min_value=1, max_value=2**62, required=False)
    new = forms.IntegerField(min_value=1, max_value=2**62, required=False)


class AuditFilterForm(forms.Form):
    """Which part of the audit trail is wanted."""

    when = forms.ChoiceField(
        choices=[
            ("", "Any time"),
            ("hour", "Last hour"),
            ("day", "Last 24 hours"),
            ("week", "Last 7 days"),
            ("month", "Last 30 days"),
        ],
        required=False,
    )
    since = forms.DateTimeField(required=False)
    until = forms.DateTimeField(required=False)
    kind = forms.ChoiceField(
        choices=[("", "All kinds"), *((kind.value, kind.value) for kind in AuditKind)],
        required=False,
    )
    actor = forms.CharField(max_length=150, required=False)
    application = forms.CharField(max_length=510, required=False)
    promotion = forms.UUIDField(required=False)
    before = forms.IntegerField(min_value=1, max_value=2**62, required=False)
    after = forms.IntegerField(min_value=0, max_value=2**62, required=False)
    open = forms.IntegerField(min_value=1, max_value=2**62, required=False)


class DecisionForm(forms.Form):
    """A decision on exactly one seal."""

    seal = forms.RegexField(rf"\A{_SEAL}\Z")
    reason = forms.CharField(max_length=MAX_REASON, required=False)


class RejectionForm(DecisionForm):
    """A rejection: why, and for how long the digest is not to be offered again."""

    scope = forms.ChoiceField(choices=Refusal.Scope.choices)


class ReasonForm(forms.Form):
    """Why a promotion is taken off the table."""

    reason = forms.CharField(max_length=MAX_REASON, required=False)


class TagRequestForm(ReasonForm):
    """Which tag of which image is wanted, and why."""

    image = forms.CharField(max_length=253)
    tag = forms.CharField(max_length=128)


class EmergencyForm(forms.Form):
    """What an emergency is declared with; the rule's own limits are the domain's."""

    seal = forms.RegexField(rf"\A{_SEAL}\Z")
    reason = forms.CharField(max_length=MAX_REASON, required=False)
    incident = forms.CharField(max_length=MAX_REASON, required=False)


class ReviewForm(forms.Form):
    """What somebody found of an emergency afterwards."""

    verdict = forms.ChoiceField(choices=Review.Verdict.choices)
    notes = forms.CharField(max_length=MAX_REASON, required=False)


class SelectionForm(forms.Form):
    """Some promotions of the inbox, chosen for one verb."""

    verb = forms.ChoiceField(choices=[("approve", "Approve"), ("reject", "Reject")])
    promotion = ListField()


class BulkDecisionForm(forms.Form):
    """One decision on some promotions, each with the seal it was shown under."""

    verb = forms.ChoiceField(choices=[("approve", "Approve"), ("reject", "Reject")])
    chosen = ChosenField()
    reason = forms.CharField(max_length=MAX_REASON, required=False)
    scope = forms.ChoiceField(choices=Refusal.Scope.choices, required=False)


class HoldForm(forms.Form):
    """What to hold, why, and for how long; `until` is a UTC time and wins over `lasts`."""

    scope = forms.ChoiceField(choices=Hold.Scope.choices)
    application = forms.CharField(max_length=510, required=False)
    image = forms.CharField(max_length=253, required=False)
    reason = forms.CharField(max_length=MAX_REASON, required=False)
    lasts = forms.ChoiceField(choices=HOLD_LASTS, required=False)
    until = forms.DateTimeField(required=False)
    next = forms.CharField(max_length=1000, required=False)


class HoldListForm(forms.Form):
    """Which page of the past holds is wanted."""

    after = forms.CharField(max_length=2000, required=False)


class CommentForm(forms.Form):
    """What somebody says; how long it may be, the domain says."""

    text = forms.CharField(max_length=20_000, required=False, strip=False)
