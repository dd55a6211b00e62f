import io
import os
import threading
from functools import partial

import pytest

from parakeet_streaming.errors import OptionError
from parakeet_streaming.sources.one_way import LibraryStream, OneWayStream


class Trickle:
    """A stream of one byte at a time, or of as many as are said."""

    def __init__(self, content, step=1):
        self.content = io.BytesIO(content)
        self.step = step
        self.reads = 0

    def read(self, most_bytes):
        self.reads += 1
        return self.content.read(min(self.step, most_bytes))


def test_bytes_are_looked_at_ahead_and_read_from_the_start():
    stream = OneWayStream(Trickle(b"abcdef"))
    assert stream.peek(3) == b"abc"
    assert stream.peek(2) == b"ab"
    assert stream.take(4) == b"abcd"
    stream.rewind()
    assert [stream.read(3), stream.read(3), stream.read(3)] == [b"abc", b"d", b"e"]
    assert [stream.read(3), stream.read(3)] == [b"f", b""]


def test_what_was_taken_may_be_left_out():
    stream = OneWayStream(Trickle(b"abcdef", 6))
    assert stream.peek(5) == b"abcde"
    assert stream.take(2) == b"ab"
    stream.skip_taken()
    assert [stream.read(9), stream.read(9)] == [b"cdef", b""]


def test_looking_further_than_the_end_gives_what_is_there():
    stream = OneWayStream(Trickle(b"ab"))
    assert (stream.peek(9), stream.take(9), stream.take(9)) == (b"ab", b"ab", b"")


@pytest.mark.parametrize("step", [1, 7, 1 << 16])
def test_no_byte_is_asked_for_twice(step):
    source = Trickle(bytes(50_000), step)
    stream = OneWayStream(source)
    assert sum(len(stream.take(8)) for _ in range(5_000)) == 40_000
    assert source.reads <= 40_000
    stream.skip_taken()
    while stream.read(8):
        pass
    assert source.reads <= 50_001


def test_a_pipe_that_does_not_wait_is_waited_for():
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    with io.FileIO(reading) as file:
        stream = OneWayStream(file)
        threading.Timer(0.05, lambda: (os.write(writing, b"ab"), os.close(writing))).start()
        assert [stream.read(9), stream.read(9)] == [b"ab", b""]


def test_a_stream_that_cannot_be_waited_for_is_refused():
    class Nothing:
        def read(self, most_bytes):
            return None

    with pytest.raises(OptionError, match="set it to wait"):
        OneWayStream(Nothing()).read(1)


@pytest.mark.parametrize("failure", [OSError(5, "gone"), RuntimeError()])
def test_a_failure_that_a_library_hides_is_found_again(failure):
    class Broken:
        def read(self, most_bytes):
            raise failure

    stream = LibraryStream(OneWayStream(Broken()))
    stream.check()
    stream.check_interrupted()
    for ask in (partial(stream.read, 9), stream.check):
        with pytest.raises(type(failure)):
            ask()


def test_ctrl_c_passes_by_a_library():
    class Interrupted:
        def read(self, most_bytes):
            raise KeyboardInterrupt

    stream = LibraryStream(OneWayStream(Interrupted()))
    assert [stream.read(9), stream.read(9)] == [b"", b""]
    for check in (stream.check, stream.check_interrupted):
        with pytest.raises(KeyboardInterrupt):
            check()


def test_what_arrives_soon_is_waited_for_and_nothing_else():
    out, into = os.pipe()
    with os.fdopen(out, "rb", buffering=0) as source, os.fdopen(into, "wb", buffering=0) as sink:
        stream = OneWayStream(source)
        sink.write(b"ab")
        assert stream.peek_arriving(4, 0.01) == b"ab"
        sink.write(b"cdef")
        assert stream.peek_arriving(4, 60.0) == b"abcd"
        stream.drop(1)
        stream.rewind()
        assert stream.read(9) == b"bcd"
        assert stream.read(9) == b"ef"


def test_a_stream_that_cannot_be_waited_for_is_not():
    stream = OneWayStream(Trickle(b"abcdef", 3))
    assert stream.peek(1) == b"a"
    assert stream.peek_arriving(6, 60.0) == b"abc"
