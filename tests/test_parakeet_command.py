"""The command as it is installed; Ctrl-C while it starts is tested in `cli/test_interrupted`."""

import signal

import pytest

import parakeet_command
from parakeet_streaming import cli


def test_it_runs_the_command_line_and_ends_on_ctrl_c_meanwhile(monkeypatch):
    seen = []
    monkeypatch.setattr(cli, "main", lambda: seen.append(signal.getsignal(signal.SIGINT)))
    before = signal.getsignal(signal.SIGINT)
    try:
        parakeet_command.main()
    finally:
        signal.signal(signal.SIGINT, before)
    codes = []
    monkeypatch.setattr("os._exit", codes.append)
    seen[0](signal.SIGINT, None)
    assert codes == [130]


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="signals of POSIX")
def test_ctrl_c_that_is_ignored_stays_ignored(monkeypatch):
    monkeypatch.setattr(cli, "main", lambda: None)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        parakeet_command.main()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
