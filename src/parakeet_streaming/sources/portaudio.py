"""PortAudio, by way of sounddevice: whether it is there, and the devices that it knows.

This is the only file that imports sounddevice.
"""

from __future__ import annotations

import atexit
from typing import Any

from parakeet_streaming.errors import ExtraMissingError
from parakeet_streaming.sources.devices import InputDevice


def input_devices() -> tuple[InputDevice, ...]:
    """Every device that records, in the system's order, as found when first asked.

    Raises:
        ExtraMissingError: sounddevice, or the PortAudio library it needs, is not installed.
    """
    sounddevice = portaudio()
    default, _ = sounddevice.default.device
    host_apis = sounddevice.query_hostapis()
    return tuple(
        InputDevice(
            index=index,
            name=device["name"],
            channels=device["max_input_channels"],
            rate_hz=round(device["default_samplerate"]),
            host_api=host_apis[device["hostapi"]]["name"],
            is_default=index == default,
        )
        for index, device in enumerate(sounddevice.query_devices())
        if device["max_input_channels"] > 0
    )


def leave_running() -> None:
    """Does not end PortAudio with the program: it would wait for a driver that hangs."""
    ending = getattr(portaudio(), "_exit_handler", None)
    if ending is not None:
        atexit.unregister(ending)


def portaudio() -> Any:  # noqa: ANN401  it has no types
    """The module sounddevice.

    Raises:
        ExtraMissingError: it is not installed, or PortAudio itself is not.
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
    return sounddevice
