import socket

import pytest

from onebox import ports


@pytest.fixture
def taken():
    with socket.create_server((ports.HOST, 0)) as server:
        yield server.getsockname()[1]


def test_is_free_when_somebody_listens_says_no(taken):
    assert not ports.is_free(taken)


def test_answers_only_while_somebody_listens(taken):
    assert ports.answers(taken)
    assert not ports.answers(1)


def test_first_free_skips_what_is_taken(taken):
    found = ports.first_free(2, start=taken)

    assert len(found) == 2
    assert taken not in found
    assert all(port > taken for port in found)


def test_first_free_when_the_numbers_run_out_returns_fewer():
    assert len(ports.first_free(3, start=65535)) <= 1
