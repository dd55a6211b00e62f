"""Bytes of a pipe that are looked at ahead, taken and read; and a WAV header fed by them."""

import io
from collections.abc import Callable, Iterator

from fuzz.choices import Choices
from fuzz.targets.wav_header import seeds as wav_seeds
from parakeet_streaming.audio.wav import read_wav_header
from parakeet_streaming.errors import ParakeetError
from parakeet_streaming.sources.one_way import LibraryStream, OneWayStream

MOST_STEPS = 100


def run(data: bytes) -> None:
    choices = Choices(data)
    steps = choices.block(MOST_STEPS)
    sizes = [1 + size for size in choices.block(4)] or [1]
    content = choices.rest()
    if choices.left:
        raise AssertionError("bytes are left")
    _steps(content, sizes, steps)
    _header(content, sizes)


class Pipe:
    """Gives what it is asked for, or less, as pipes do."""

    def __init__(self, content: bytes, sizes: list[int]) -> None:
        self._content = io.BytesIO(content)
        self._sizes = sizes
        self._reads = 0

    def read(self, most_bytes: int, /) -> bytes:
        """At least a byte; none at the end only."""
        self._reads += 1
        return self._content.read(min(most_bytes, self._sizes[self._reads % len(self._sizes)]))


def _steps(content: bytes, sizes: list[int], steps: bytes) -> None:
    """Does what the bytes say; the last step begins the reading."""
    stream = OneWayStream(Pipe(content, sizes))
    taken = 0
    for step in steps:
        count = step >> 1
        if step & 1:
            assert stream.peek(count) == content[:count]
            if step & 2 and not taken:
                stream.drop(count)
                content = content[count:]
        else:
            assert stream.take(count) == content[taken : taken + count]
            taken = min(taken + count, len(content))
    if len(steps) % 2:
        stream.rewind()
        taken = 0
    else:
        stream.skip_taken()
    library = LibraryStream(stream)
    read = bytearray()
    while arrived := library.read(1 + len(read) % 50):
        read += arrived
    assert read == content[taken:]
    library.check()


def _header(content: bytes, sizes: list[int]) -> None:
    """What a header says does not depend on how its bytes arrive."""
    whole = io.BytesIO(content)
    stream = OneWayStream(Pipe(content, sizes))
    assert _said(stream.take) == _said(whole.read)
    stream.skip_taken()
    read = bytearray()
    while arrived := stream.read(100):
        read += arrived
    assert read == whole.read()


def _said(read: Callable[[int], bytes]) -> object:
    try:
        return read_wav_header(read, "a stream")
    except ParakeetError as error:
        return str(error)


def seeds() -> Iterator[bytes]:
    for at, wav in enumerate(wav_seeds()):
        steps = bytes((9, 16, 200, 24, 3, 40))[: 1 + at % 6]
        yield bytes([len(steps)]) + steps + bytes((4, at, 2, 40 * (at % 5), 7)) + wav
