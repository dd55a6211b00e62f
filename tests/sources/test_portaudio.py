"""What is missing is named, and a program may end while a driver hangs."""

import atexit
import sys
from types import SimpleNamespace

from parakeet_streaming.sources.portaudio import leave_running, portaudio


def test_portaudio_is_not_waited_for_at_the_end(monkeypatch):
    gone = []
    fake = SimpleNamespace(_exit_handler=lambda: None)
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    monkeypatch.setattr(atexit, "unregister", gone.append)
    assert portaudio() is fake
    leave_running()
    assert gone == [fake._exit_handler]
    del fake._exit_handler
    leave_running()
    assert len(gone) == 1
