"""Programs under test hear every signal, however the tests were started."""

import signal

import pytest


@pytest.fixture(scope="package", autouse=True)
def heard_signals():
    """Under `nohup` closed terminals are ignored, and programs inherit that."""
    names = [name for name in ("SIGHUP", "SIGINT") if hasattr(signal, name)]
    usual = {"SIGHUP": signal.SIG_DFL, "SIGINT": signal.default_int_handler}
    ignored = [name for name in names if signal.getsignal(signal.Signals[name]) is signal.SIG_IGN]
    for name in ignored:
        signal.signal(signal.Signals[name], usual[name])
    yield
    for name in ignored:
        signal.signal(signal.Signals[name], signal.SIG_IGN)
