"""Waits double, are drawn at random, and are never shorter than the server asks."""

from parakeet_streaming.client.backoff import Backoff


def test_the_longest_wait_doubles_up_to_a_bound():
    backoff = Backoff(0.25, 1.5, lambda: 1.0)
    assert [backoff.next_s() for _ in range(5)] == [0.25, 0.5, 1.0, 1.5, 1.5]


def test_waits_are_drawn_from_zero():
    assert Backoff(1.0, 10.0, lambda: 0.0).next_s() == 0.0


def test_what_the_server_asks_for_is_waited_at_least():
    backoff = Backoff(1.0, 2.0, lambda: 0.5)
    assert [backoff.next_s(5.0), backoff.next_s(), backoff.next_s(5.0)] == [5.5, 1.0, 6.0]
