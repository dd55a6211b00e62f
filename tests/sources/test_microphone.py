"""Listing microphones, with a sounddevice that is not there, is broken, or has devices."""

import builtins
import sys
from types import SimpleNamespace

import pytest

from parakeet_streaming.errors import ExtraMissingError
from parakeet_streaming.sources.microphone import InputDevice, input_devices


def test_devices_that_record_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    devices = [
        {"name": "Speakers", "max_input_channels": 0, "default_samplerate": 48_000.0},
        {"name": "Webcam", "max_input_channels": 2, "default_samplerate": 44_100.0},
        {"name": "Headset", "max_input_channels": 1, "default_samplerate": 16_000.0},
    ]
    fake = SimpleNamespace(default=SimpleNamespace(device=(2, 0)), query_devices=lambda: devices)
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    assert input_devices() == (
        InputDevice("Webcam", 2, 44_100, is_default=False),
        InputDevice("Headset", 1, 16_000, is_default=True),
    )


@pytest.mark.parametrize(
    ("error", "says"),
    [(ImportError("no"), "pip install"), (OSError("PortAudio library not found"), "libportaudio2")],
)
def test_what_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, error: Exception, says: str
) -> None:
    real = builtins.__import__

    def failing(name: str, *rest: object) -> object:
        if name == "sounddevice":
            raise error
        return real(name, *rest)

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(builtins, "__import__", failing)
    with pytest.raises(ExtraMissingError, match=says):
        input_devices()
