"""W16: the same request sent twice at the same instant, with one Idempotency-Key, has one effect and one answer."""

import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from approvals import doorbell
from approvals.models import Decision, IdempotencyRecord
from tests import builders
from updater.audit import AuditKind
from updater.models import AuditEvent

CALLERS = 4


@pytest.mark.django_db(transaction=True)
def test_w16_retry_that_overtakes_the_first_try_gets_the_same_answer(monkeypatch):
    monkeypatch.setattr(doorbell, "ring_execution", lambda: None)
    sre, promotion = builders.make_person("mei", role="approver"), builders.make_promotion()
    start, answers = threading.Barrier(CALLERS), list[tuple[int, Any]]()

    def call() -> None:
        client = Client()
        client.force_login(sre)
        start.wait(20)
        answer = client.post(
            f"/api/v1/promotions/{promotion.pk}/approve",
            {"seal": promotion.seal},
            content_type="application/json",
            headers={"Idempotency-Key": "one"},
        )
        answers.append((answer.status_code, answer.json()))
        connection.close()

    threads = [threading.Thread(target=call) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert [status for status, _ in answers] == [200] * CALLERS
    assert all(body == answers[0][1] for _, body in answers)
    assert (Decision.objects.count(), IdempotencyRecord.objects.count()) == (1, 1)
    kinds = list(AuditEvent.objects.values_list("kind", flat=True))
    assert kinds.count(AuditKind.PROMOTION_APPROVED) == 1
    assert AuditKind.DECISION_REFUSED not in kinds
