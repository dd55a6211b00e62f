"""A microphone or standard input, by the options of `parakeet listen`, in; live sound out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from parakeet_streaming.cli.inputs import InputOptions, open_input
from parakeet_streaming.cli.output_paths import STDIN
from parakeet_streaming.cli.rows import print_table
from parakeet_streaming.cli.standard_streams import check_stdin
from parakeet_streaming.errors import OptionError
from parakeet_streaming.sources.devices import choose_device
from parakeet_streaming.sources.live import BlockSource, LiveSource
from parakeet_streaming.sources.microphone import Microphone, input_devices

_BLOCK_S: Final = 0.05


def list_devices() -> None:
    """Prints the microphones."""
    devices = input_devices()
    default = choose_device(devices)
    rows = [("number", "name", "host API", "channels", "rate", "")]
    for each in devices:
        mark = "default" if each == default else ""
        rate = f"{each.rate_hz} Hz"
        rows.append((str(each.index), each.name, each.host_api, str(each.channels), rate, mark))
    print_table(rows)


def checked_source(source: str | None, device: str | None) -> str:
    """What to call the source.

    Raises:
        OptionError: listen takes no such source.
    """
    if source not in (None, STDIN):
        raise OptionError(
            f"{source}: listen takes a microphone, or - for standard input; for a file, use "
            f"parakeet transcribe --realtime {source}"
        )
    if source == STDIN and device is not None:
        raise OptionError("--device does not go with standard input; give one")
    if source == STDIN:
        check_stdin()
    return "microphone" if source is None else STDIN


@contextmanager
def open_source(
    name: str, device: str | None, reading: InputOptions
) -> Iterator[tuple[LiveSource, str, Callable[[], Sequence[str]]]]:
    """The source, what to call it, and what is to be told of it; `reading`: standard input."""
    if name != STDIN:
        if reading.side is not None:
            raise OptionError(
                "--channels left and right go with standard input; of a microphone, use separate, "
                "or a number"
            )
        reading.check()
        reading.labels(reading.count)
        separate = {"separate": True} if reading.separate else {}
        with Microphone(device, channels=reading.count, **separate) as microphone:
            yield microphone, repr(microphone.device.name), tuple
        return
    with open_input(STDIN, reading) as audio:
        channels = audio.channels if reading.separate else 1
        source = BlockSource(
            audio.blocks(_BLOCK_S), audio.rate_hz, can_wait=True, channels=channels
        )
        yield source, "standard input", lambda: audio.warnings
