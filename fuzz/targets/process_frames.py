"""Messages between processes as bytes, cut anywhere: the same messages, each read or refused."""

from collections.abc import Iterator
from contextlib import suppress

from fuzz.choices import Choices, sliced
from parakeet_streaming.errors import ParakeetError
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.processes.events import packed_event, unpacked_event
from parakeet_streaming.processes.failures import error_of
from parakeet_streaming.processes.frames import Frame, FrameReader, Kind, packed
from parakeet_streaming.processes.values import plain, value_of
from parakeet_streaming.results import Gap, Partial, Token

EVENTS = (
    Gap(0.5, 1.0),
    Partial(" a", (Token(1, " a", 2, 3, 0.1, 0.2, 0.9),), "", (), 0.5, 1.0),
)


def run(data: bytes) -> None:
    choices = Choices(data)
    sizes = [choices.number(0, 40) for _ in range(4)]
    stream = choices.rest()
    whole, why = _read([stream])
    assert (_read(sliced(stream, sizes))) == (whole, why)
    for frame in whole:
        with suppress(ParakeetError):
            assert unpacked_event(frame.value, frame.blob) is not None
        with suppress(ParakeetError):
            assert plain(value_of(LiveOptions, frame.value)) is not None
        if isinstance(frame.value, list):
            assert isinstance(error_of(frame.value), Exception)


def _read(pieces: Iterator[bytes] | list[bytes]) -> tuple[list[Frame], str]:
    """The messages until the first that is none, and why it is none."""
    reader = FrameReader()
    frames: list[Frame] = []
    for piece in pieces:
        try:
            frames.extend(reader.feed(piece))
        except ParakeetError as error:
            return [], str(error)
    return frames, ""


def seeds() -> Iterator[bytes]:
    events = [Frame(Kind.EVENT, 3, *packed_event(event)) for event in EVENTS]
    asked = Frame(Kind.ASK, 7, plain(LiveOptions()), b"snapshot")
    yield bytes((3, 5, 9, 20)) + b"".join(map(packed, [*events, asked]))
    yield bytes((1, 1, 1, 1)) + packed(Frame(Kind.REFUSAL, 1, ["CapacityError", "no room"]))
