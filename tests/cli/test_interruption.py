"""Ctrl-C, once and twice."""

import os
import signal
import threading

import pytest

from parakeet_streaming.cli import interruption as interruption_module
from parakeet_streaming.cli.interruption import Interruption, QuitAtOnce

LONG_S = 60.0


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


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no SIGHUP here")
def test_a_terminal_that_is_closed_asks_for_the_end_however_often_it_says_so(monkeypatch):
    terminals = {2}
    closed = []
    monkeypatch.setattr(os, "isatty", lambda number: number in terminals)
    monkeypatch.setattr(os, "dup2", lambda _, number: closed.append(number))
    before = signal.getsignal(signal.SIGHUP)
    with Interruption() as interruption:
        signal.raise_signal(signal.SIGHUP)
        assert (interruption.asked, interruption.hung_up, closed) == (True, True, [])
        terminals.clear()
        signal.raise_signal(signal.SIGHUP)
        assert closed == [2]
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGHUP) is before


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no SIGHUP here")
def test_a_hangup_that_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interruption() as interruption:
            signal.raise_signal(signal.SIGHUP)
            assert not interruption.asked
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_watch_for_a_second_signal_leaves_nothing_behind():
    before = signal.getsignal(signal.SIGINT), threading.active_count()
    with pytest.raises(KeyboardInterrupt), QuitAtOnce():
        signal.raise_signal(signal.SIGINT)
    with QuitAtOnce(), Interruption() as interruption:
        signal.raise_signal(signal.SIGINT)
        assert interruption.asked
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert (signal.getsignal(signal.SIGINT), threading.active_count()) == before
    assert signal.set_wakeup_fd(-1) == -1


def test_it_ends_the_process_when_nothing_else_does(monkeypatch):
    codes = []
    monkeypatch.setattr(os, "_exit", codes.append)
    monkeypatch.setattr(interruption_module, "_UNWINDING_S", 0.0)
    shown = threading.Event()
    monkeypatch.setattr(interruption_module, "_show_cursor", shown.set)
    with QuitAtOnce(), Interruption():
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        assert shown.wait(LONG_S)
    assert set(codes) == {143}
