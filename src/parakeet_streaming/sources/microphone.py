"""Nothing in; the microphones of this machine out. The only file that imports sounddevice."""

from __future__ import annotations

from dataclasses import dataclass

from parakeet_streaming.errors import ExtraMissingError


@dataclass(frozen=True, slots=True)
class InputDevice:
    """A device that records."""

    name: str
    channels: int
    rate_hz: int
    """Its own sample rate."""
    is_default: bool


def input_devices() -> tuple[InputDevice, ...]:
    """Every device that records, in the system's order.

    Raises:
        ExtraMissingError: sounddevice, or the PortAudio library it needs, is not installed.
    """
    try:
        import sounddevice
    except ImportError as error:
        raise ExtraMissingError(
            "sounddevice is not installed; pip install 'parakeet-streaming[mic]'"
        ) from error
    except OSError as error:
        raise ExtraMissingError(
            "the PortAudio library is missing; install it (Debian: apt install libportaudio2)"
        ) from error
    default, _ = sounddevice.default.device
    return tuple(
        InputDevice(
            name=device["name"],
            channels=device["max_input_channels"],
            rate_hz=round(device["default_samplerate"]),
            is_default=index == default,
        )
        for index, device in enumerate(sounddevice.query_devices())
        if device["max_input_channels"] > 0
    )
