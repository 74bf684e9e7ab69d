"""Every audit kind has a sentence, and every status its shape, label and verdict."""

import re
from pathlib import Path

import pytest

from approvals.models.promotion import PromotionStatus
from approvals.policy import gating
from approvals.presenters import sentences
from approvals.views import verdicts
from tests import builders
from updater.audit import AuditKind

ICONS = Path(__file__).resolve().parents[2] / "approvals/static/approvals/icons.svg"
SHAPES = set(re.findall(r'<symbol id="([^"]+)"', ICONS.read_text()))
TONES = {"ok", "sign", "wait", "run", "bad", "odd", "plain"}


def test_sentences_are_exactly_the_audit_kinds():
    assert set(sentences.SENTENCES) == set(AuditKind)


@pytest.mark.parametrize("kind", AuditKind)
def test_sentence_has_a_shape_of_the_sprite_a_tone_and_a_result(kind: AuditKind):
    sentence = sentences.SENTENCES[kind]

    assert sentence.icon in SHAPES
    assert sentence.tone in TONES
    assert sentence.result


@pytest.mark.django_db
@pytest.mark.parametrize("kind", AuditKind)
def test_tell_without_any_detail_still_reads_as_a_sentence(kind: AuditKind):
    event = builders.make_event(kind)

    told = sentences.tell(event)

    assert re.fullmatch(r"[a-z][^{}]*[a-zA-Z]", told.text)


def test_statuses_and_gates_all_have_a_shape():
    assert set(PromotionStatus.values) <= SHAPES
    assert set(gating.WORDS) <= SHAPES


def test_statuses_but_pending_all_have_a_headline():
    assert set(verdicts._HEADLINES) == set(PromotionStatus) - {PromotionStatus.PENDING}


def test_icons_named_in_templates_are_in_the_sprite():
    templates = Path(__file__).resolve().parents[2] / "templates"

    named = {
        name
        for path in templates.rglob("*.html")
        for name in re.findall(r'{% icon "([^"]+)"|icon_name="([^"]+)"', path.read_text())
        for name in name
        if name
    }

    assert named <= SHAPES
