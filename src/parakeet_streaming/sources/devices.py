"""Devices that record, and a number or name that a user gave, go in; the device comes out.

Rules of this file:

1. Nothing asked for means the system's default, or the first device where there is no default.
2. An index means exactly that device. A name may be given in part, in any case; a name given in
   full is preferred to one that contains it.
3. Several systems list one microphone once for each of their host APIs. Where devices differ
   only in the host API, the default device's is taken; `name, host API` names any of them.
4. Nothing is guessed beyond that: none and several are errors that list what there is.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from parakeet_streaming.errors import DeviceNotFoundError, OptionError

_MOST_DIGITS: Final = 9
_ADVICE: Final = {
    "darwin": "plug one in, and allow this terminal or program to use it: System Settings, "
    "Privacy & Security, Microphone",
    "win32": "plug one in, and allow desktop apps to use it: Settings, Privacy & security, "
    "Microphone; close programs that hold it alone",
}
_ADVICE_ELSEWHERE: Final = (
    "plug one in and see whether `arecord -l` lists it; this user must be in the group audio, "
    "and a container needs --device /dev/snd"
)


@dataclass(frozen=True, slots=True)
class InputDevice:
    """A device that records."""

    index: int
    """Its number in the system's list, until devices come or go."""
    name: str
    channels: int
    """The most it records at once."""
    rate_hz: int
    """Its own sample rate."""
    host_api: str
    """The system's interface it is reached by, such as ALSA or Core Audio."""
    is_default: bool

    def __str__(self) -> str:
        return f"{self.index}: {self.name}, {self.host_api}"


def choose_device(devices: Sequence[InputDevice], wanted: int | str | None = None) -> InputDevice:
    """The device that `wanted` means: an index, a name or part of one, or None for the default.

    Digits are an index where there is such a device, and else a name; `"name, host api"` is always
    a name.

    Raises:
        DeviceNotFoundError: there is no such device, or none at all.
        OptionError: several devices match.
    """
    if not devices:
        raise DeviceNotFoundError(f"no microphone was found; {microphone_advice()}")
    if wanted is None:
        return next((device for device in devices if device.is_default), devices[0])
    if isinstance(wanted, str) and not _is_number(wanted.strip()):
        return _by_name(devices, wanted)
    index = int(wanted)
    for device in devices:
        if device.index == index:
            return device
    if isinstance(wanted, str) and any(wanted.strip() in device.name for device in devices):
        return _by_name(devices, wanted)
    raise DeviceNotFoundError(f"no microphone has the number {index}; there are {_listed(devices)}")


def microphone_advice(platform: str = sys.platform) -> str:
    """What to look at when no microphone is found or one does not open, for people."""
    return _ADVICE.get(platform, _ADVICE_ELSEWHERE)


def _is_number(wanted: str) -> bool:
    return wanted.isdecimal() and len(wanted) <= _MOST_DIGITS


def _by_name(devices: Sequence[InputDevice], wanted: str) -> InputDevice:
    called = wanted.strip().casefold()

    def full(device: InputDevice) -> str:
        return f"{device.name}, {device.host_api}".casefold()

    matching = [device for device in devices if called in full(device)]
    exact = [device for device in matching if called in (device.name.casefold(), full(device))]
    found = exact or matching
    if not found:
        raise DeviceNotFoundError(
            f"no microphone is called {wanted!r}; there are {_listed(devices)}"
        )
    if len(found) > 1 and len({device.name for device in found}) == 1:
        found = _of_default_host_api(devices, found)
    if len(found) > 1:
        raise OptionError(f"{wanted!r} fits {_listed(found)}; use more of the name, or the number")
    return found[0]


def _of_default_host_api(
    devices: Sequence[InputDevice], found: list[InputDevice]
) -> list[InputDevice]:
    apis = {device.host_api for device in devices if device.is_default}
    return [device for device in found if device.host_api in apis] or found


def _listed(devices: Sequence[InputDevice]) -> str:
    return "; ".join(str(device) for device in devices)
