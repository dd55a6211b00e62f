"""Ctrl-C, once and twice."""

import signal
import threading

import pytest

from parakeet_streaming.cli.interruption import Interruption


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_once_is_a_wish_and_twice_an_exception(number):
    before = signal.getsignal(number)
    with Interruption() as interruption:
        assert not interruption.asked
        signal.raise_signal(number)
        assert interruption.asked
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_another_thread_has_no_signals():
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def enter():
        with Interruption() as interruption:
            seen.append((signal.getsignal(signal.SIGINT), interruption.asked))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert seen == [(before, False)]
