"""Deadlocks run again without a double effect; roles that could disarm the trail are refused by the check."""

import threading

import pytest
from django.db import OperationalError, connection, connections, transaction

from tests import builders
from updater import transactions
from updater.models import Application


def test_d09_deadlock_of_two_transactions_runs_the_loser_again_and_once(transactional_db):
    rows = [builders.make_application(name).pk for name in ("one", "two")]
    met, runs = threading.Barrier(2, timeout=20), []

    @transactions.repeated
    def move(first, second):
        runs.append(first)
        with transaction.atomic():
            Application.objects.filter(pk=first).update(revision=f"{first}")
            if len(runs) <= 2:
                met.wait()
            row = Application.objects.select_for_update().get(pk=second)
            row.project += "+"
            row.save(update_fields=["project"])

    def worker(pair):
        try:
            move(*pair)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=worker, args=(pair,)) for pair in (rows, rows[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(runs) == 3
    assert set(Application.objects.values_list("project", flat=True)) == {"storefront+"}


def test_d09_other_errors_are_not_run_again(transactional_db):
    runs = []

    @transactions.repeated
    def fail():
        runs.append(1)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 10")
            cursor.execute("SELECT pg_sleep(1)")

    with pytest.raises(OperationalError):
        fail()

    assert len(runs) == 1


def test_d09_serialisation_failure_that_lasts_ends_after_three_runs(transactional_db):
    runs = []

    @transactions.repeated
    def fail():
        runs.append(1)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$")

    with pytest.raises(OperationalError):
        fail()

    assert len(runs) == 3
