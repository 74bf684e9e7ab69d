"""A key is worked on by one worker at a time, and never forgotten."""

import threading
import time

from onebox.world.argocd.work_queue import WorkQueue


def test_take_gives_a_key_once_however_often_it_was_added() -> None:
    queue = WorkQueue()
    for key in ("a", "b", "a"):
        queue.add(key)

    taken = [queue.take(), queue.take()]
    queue.add_after("c", 0.01)

    assert [*taken, queue.take()] == ["a", "b", "c"]


def test_take_holds_a_busy_key_back_until_it_is_done() -> None:
    queue = WorkQueue()
    queue.add("a")
    assert queue.take() == "a"
    queue.add("a")
    taken: list[str | None] = []
    worker = threading.Thread(target=lambda: taken.append(queue.take()))
    worker.start()

    time.sleep(0.03)
    before = list(taken)
    queue.done("a")
    worker.join(2)

    assert (before, taken) == ([], ["a"])


def test_add_after_keeps_only_the_earliest_moment() -> None:
    queue = WorkQueue()
    queue.add_after("a", 60)
    queue.add_after("a", 0.01)
    queue.add_after("a", 30)

    assert queue.take() == "a"
    queue.done("a")
    assert queue._later == {}


def test_close_lets_waiting_workers_go() -> None:
    queue = WorkQueue()
    taken: list[str | None] = []
    worker = threading.Thread(target=lambda: taken.append(queue.take()))
    worker.start()

    queue.close()
    worker.join(2)

    assert taken == [None]
