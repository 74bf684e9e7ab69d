"""Crash points do nothing without an order, exactly what is ordered with one, and are refused in production."""

import os
import subprocess
import sys

import pytest
from django.core.checks import run_checks
from django.db import OperationalError

from updater import crashpoints
from updater.crashpoints import AnswerLostError, OrderedCrashError, crashpoint
from updater.errors import TransientError


@pytest.fixture
def order(settings, tmp_path):
    """Order faults for this test; they are forgotten afterwards."""

    def give(text: str):
        settings.FAULTS, settings.FAULTS_LOG = text, str(tmp_path / "fired")
        crashpoints._orders.cache_clear()
        return tmp_path / "fired"

    yield give
    crashpoints._orders.cache_clear()


def test_crashpoint_without_an_order_does_nothing(order):
    fired = order("")

    for name in crashpoints.POINTS:
        crashpoint(name)

    assert not fired.exists()


def test_crashpoint_ordered_to_raise_does_so_once_and_notes_it(order):
    fired = order("push.before=raise")

    with pytest.raises(OrderedCrashError):
        crashpoint("push.before")
    crashpoint("push.before")
    crashpoint("push.after")

    assert fired.read_text().split()[:2] == ["push.before", "raise"]


def test_crashpoint_ordered_for_the_third_time_waits_for_it(order):
    order("fetch.before#3=raise")
    crashpoint("fetch.before")
    crashpoint("fetch.before")

    with pytest.raises(OrderedCrashError):
        crashpoint("fetch.before")


def test_crashpoint_ordered_to_lose_an_answer_of_the_database_is_an_operational_error(order):
    order("record.after=lose")

    with pytest.raises(OperationalError):
        crashpoint("record.after")


def test_crashpoint_ordered_to_lose_an_answer_from_outside_is_a_cut_connection(order):
    order("push.after=lose")

    with pytest.raises(AnswerLostError) as lost:
        crashpoint("push.after")

    assert isinstance(lost.value, TransientError)
    assert isinstance(lost.value, OSError)


@pytest.mark.parametrize("text", ["push.never=kill", "push.after=explode", "push.after"])
def test_parse_of_an_order_that_there_is_not_is_refused(text):
    with pytest.raises(crashpoints.OrderUnknownError):
        crashpoints.parse(text)


def import_settings(**env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", "import updater.settings"],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )


def test_settings_with_faults_and_nothing_else_do_not_start():
    done = import_settings(FAULTS="push.before=kill")

    assert done.returncode != 0
    assert "FAULTS makes processes die on purpose" in done.stderr


def test_settings_with_faults_that_a_test_wants_start():
    assert import_settings(FAULTS="push.before=kill", FAULTS_ARE_WANTED="true").returncode == 0


def test_check_of_a_deployment_with_faults_fails(settings):
    settings.FAULTS = "push.before=kill"

    found = [message.id for message in run_checks(include_deployment_checks=True)]

    assert "updater.E002" in found
