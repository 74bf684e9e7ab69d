"""A host that gives no answer is left alone, by all workers; any answer, also a refusal, brings it back."""

import threading

import pytest
from django.db import connections

from tests import builders
from updater import breakers
from updater.audit import AuditKind
from updater.breakers import HostRestingError
from updater.errors import PermanentError, TransientError
from updater.models import AuditEvent, Breaker

HOST = "git.example.com"


class SilenceError(TransientError):
    code = "silence"


class RefusedError(PermanentError):
    code = "refused"


def call(error=None, host=HOST):
    """Make one call that ends so; return what the caller gets to see."""
    try:
        with breakers.passage(Breaker.Kind.GIT, host, (SilenceError,)):
            if error:
                raise error
    except (SilenceError, RefusedError, HostRestingError) as seen:
        return seen
    return None


def fail(times, host=HOST):
    return [call(SilenceError("no answer"), host) for _ in range(times)]


def kinds():
    return list(AuditEvent.objects.order_by("sequence").values_list("kind", flat=True))


def test_passage_of_a_host_that_answers_writes_nothing(db):
    assert call() is None

    assert not Breaker.objects.exists()


def test_passage_opens_after_three_calls_without_an_answer(db):
    first, second, third = fail(3)

    assert [type(error) for error in (first, second)] == [SilenceError, SilenceError]
    assert isinstance(third, HostRestingError)
    assert Breaker.objects.open().get().error_message == "no answer"
    assert kinds() == [AuditKind.HOST_SILENT]


def test_passage_while_open_asks_nothing_and_says_since_when(db):
    fail(3)

    seen = call(AssertionError("the host was asked"))

    row = Breaker.objects.get()
    assert isinstance(seen, HostRestingError)
    since, until = f"{row.failing_since:%H:%M}", f"{row.retry_at:%H:%M}"
    assert str(seen) == (f"Git host {HOST} does not answer since {since}, next look {until} UTC.")
    assert 25 <= seen.retry_after_seconds <= 34


def test_passage_lets_one_probe_through_when_it_is_time(db):
    fail(3)
    builders.let_breakers_probe()

    assert call(RefusedError("403")).code == "refused"
    assert call() is None
    assert kinds() == [AuditKind.HOST_SILENT, AuditKind.HOST_ANSWERS]


def test_passage_after_a_probe_in_vain_waits_again_and_tells_nobody_twice(db):
    fail(3)
    builders.let_breakers_probe()

    assert isinstance(call(SilenceError("still nothing")), HostRestingError)
    assert isinstance(call(), HostRestingError)
    assert Breaker.objects.get().failures == 4
    assert kinds() == [AuditKind.HOST_SILENT]


@pytest.mark.parametrize("answer", [None, RefusedError("declined by a hook")], ids=["yes", "no"])
def test_passage_counts_only_failures_in_a_row(db, answer):
    fail(2)
    call(answer)

    fail(2)

    assert not Breaker.objects.open().exists()


def test_passage_never_opens_for_refusals(db):
    for _ in range(10):
        call(RefusedError("403 for one repository"))

    assert not Breaker.objects.exists()


def test_passage_of_other_hosts_goes_on(db):
    fail(3)

    assert call(host="git.example.org") is None


def test_way_to_a_host_that_has_just_answered_reads_nothing(db, django_assert_num_queries):
    way = breakers.Way(Breaker.Kind.GIT, HOST, (SilenceError,))
    with way():
        pass

    with django_assert_num_queries(0), way():
        pass


def test_way_to_a_host_that_fell_silent_reads_again_and_opens_after_three(db):
    way = breakers.Way(Breaker.Kind.GIT, HOST, (SilenceError,))
    with way():
        pass

    for _ in range(3):
        with pytest.raises((SilenceError, HostRestingError)), way():
            raise SilenceError("no answer")

    with pytest.raises(HostRestingError), way():
        raise AssertionError("the host was asked")


def test_passage_of_many_workers_at_once_probes_once(transactional_db):
    fail(3)
    builders.let_breakers_probe()
    asked, together = [], threading.Barrier(8)

    def worker():
        together.wait()
        try:
            with breakers.passage(Breaker.Kind.GIT, HOST, (SilenceError,)):
                asked.append(1)
                raise SilenceError("no answer")
        except HostRestingError:
            pass
        finally:
            connections.close_all()

    threads = [threading.Thread(target=worker) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(asked) == 1
