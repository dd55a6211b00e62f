"""Wyoming's events as bytes, cut anywhere: the same events, and each is read or refused."""

import json
from collections.abc import Iterator
from contextlib import suppress

from fuzz.choices import Choices, sliced
from parakeet_streaming.errors import ParakeetError
from parakeet_streaming.server.protocols.wyoming import command_of
from parakeet_streaming.server.protocols.wyoming_frames import Frame, FrameReader

MOST_PAYLOAD_BYTES = 4_096


def run(data: bytes) -> None:
    choices = Choices(data)
    sizes = [choices.number(0, 40) for _ in range(4)]
    stream = choices.rest()
    whole, why = _read([stream])
    pieces, why_in_pieces = _read(sliced(stream, sizes))
    assert (pieces, why_in_pieces) == (whole, why)
    for frame in whole:
        with suppress(ParakeetError):
            command_of(frame)


def _read(pieces: Iterator[bytes] | list[bytes]) -> tuple[list[Frame], str]:
    """The events until the first that is none, and why it is none."""
    reader = FrameReader(MOST_PAYLOAD_BYTES)
    frames: list[Frame] = []
    try:
        for piece in pieces:
            reader.feed(piece)
            frames.extend(reader.frames())
    except ParakeetError as error:
        return frames, str(error)
    return frames, ""


def seeds() -> Iterator[bytes]:
    format_ = {"rate": 16_000, "width": 2, "channels": 1}
    head = bytes((1, 7, 0, 3))
    for events in (
        ({"type": "describe"}, {"type": "ping", "data": {"text": "x"}}),
        ({"type": "transcribe", "data": {"language": "en"}}, {"type": "audio-stop"}),
        ({"type": "audio-start", "data": format_}, {"type": "audio-stop"}),
        ({"type": "audio-start", "data": {**format_, "rate": 1e400}},),
        ({"type": "x", "data_length": -1}, {"type": "x", "payload_length": 5_000}),
    ):
        yield head + b"".join(json.dumps(each).encode() + b"\n" for each in events)
    told = json.dumps(format_).encode()
    line = {"type": "audio-chunk", "data_length": len(told), "payload_length": 4}
    yield head + json.dumps(line).encode() + b"\n" + told + b"\1\2\3\4" + b"no event\n"
