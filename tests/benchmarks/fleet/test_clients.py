import pytest

from benchmarks.fleet.clients import Backoff, Clients


def test_waits_double_up_to_the_most():
    backoff = Backoff(1, 10, jitter="none")
    assert [backoff.wait_s(tries, 0, 0.5) for tries in range(6)] == [1, 2, 4, 8, 10, 10]
    assert backoff.wait_s(10_000, 0, 0.5) == 10


@pytest.mark.parametrize(
    ("jitter", "least", "most"), [("none", 4, 4), ("equal", 2, 4), ("full", 0, 4)]
)
def test_jitter(jitter, least, most):
    backoff = Backoff(1, 10, jitter=jitter)
    assert backoff.wait_s(2, 0, 0.0) == least
    assert backoff.wait_s(2, 0, 1.0) == most


def test_what_a_refusal_says_comes_before_the_backoff():
    assert Backoff(1, 10).wait_s(2, 5, 0.5) == 7


def test_lost_streams_may_be_told_another_wait():
    assert Clients().told_s(lost=True) == Clients().told_s(lost=False)
    clients = Clients(retry_after_s=5, resume_retry_after_s=1)
    assert (clients.told_s(lost=True), clients.told_s(lost=False)) == (1, 5)
