"""Forms in any slices, and what is no form."""

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.server.multipart import (
    MOST_PARTS,
    MultipartReader,
    PartBegin,
    PartData,
    PartEnd,
)
from parakeet_streaming.server.replies import WrongRequestError

KIND = 'multipart/form-data; boundary="b-1"'


def form(*parts, boundary=b"b-1"):
    """Parts are (head, body); the head's rest after `form-data`."""
    written = b"".join(
        b"--%b\r\nContent-Disposition: form-data%b\r\n\r\n%b\r\n" % (boundary, head, body)
        for head, body in parts
    )
    return written + b"--%b--\r\n" % boundary


def read(pieces, kind=KIND):
    """The parts of a form that comes in pieces: name, name of file, bytes."""
    reader, parts = MultipartReader(kind), []
    for piece in pieces:
        for event in reader.feed(piece):
            match event:
                case PartBegin(name, filename):
                    parts.append([name, filename, b""])
                case PartData(data):
                    assert data
                    parts[-1][2] += data
                case PartEnd():
                    parts[-1].append("end")
    reader.finish()
    assert all(part.pop() == "end" for part in parts)
    return [tuple(part) for part in parts]


TRICKY = b"\r\n--b-2\r\n--b-\r\n-\r\r\n\n--b-1x" + bytes(range(256))
BODY = form(
    (b'; name="model"', b"whisper-1"),
    (b'; name="file"; filename="\xc3\xa4.wav"', TRICKY),
    (b'; name="empty"', b""),
)
PARTS = [("model", None, b"whisper-1"), ("file", "ä.wav", TRICKY), ("empty", None, b"")]


@given(st.lists(st.integers(0, len(BODY)), max_size=12))
def test_any_slicing_gives_the_same(cuts):
    cuts = [0, *sorted(cuts), len(BODY)]
    pieces = [BODY[start:end] for start, end in pairwise(cuts)]
    assert read(pieces) == PARTS


@pytest.mark.parametrize(
    "before", [b"\r\n", b"Hello,\r\n", b"\n--b-\r--b-1\n", b"x" * 4_095 + b"\n"]
)
@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
def test_what_stands_before_the_first_boundary_is_ignored(before, size):
    body = before + BODY
    assert read([body[at : at + size] for at in range(0, len(body), size)]) == PARTS


@pytest.mark.parametrize("size", [1, 1_000, 100_000])
def test_a_form_begins_soon(size):
    for body in (b"x" * 4_096 + b"\n" + BODY, b"x" * 10_000):
        with pytest.raises(WrongRequestError, match="first 4096 bytes"):
            read([body[at : at + size] for at in range(0, len(body), size)])


def test_one_byte_at_a_time():
    assert read([bytes([byte]) for byte in BODY]) == PARTS


@given(st.lists(st.binary(max_size=200), max_size=5))
def test_any_bytes_come_through(bodies):
    parts = [(b'; name="n"', body) for body in bodies if b"b-1" not in body]
    if parts:
        assert [part[2] for part in read([form(*parts)])] == [body for _, body in parts]


@pytest.mark.parametrize(
    "kind",
    [None, "", "application/json", "multipart/form-data", "multipart/mixed; boundary=x", "a;b=c;="],
)
def test_what_announces_no_form_is_refused(kind):
    with pytest.raises(WrongRequestError, match="multipart/form-data") as caught:
        MultipartReader(kind)
    assert caught.value.field == "file"


def test_a_boundary_without_end_is_refused():
    with pytest.raises(WrongRequestError):
        MultipartReader("multipart/form-data; boundary=" + "x" * 5000)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no form at all",
        BODY[:-6],
        BODY[:40],
        form((b"", b"no name")),
        b"--b-1\r\nno-colon\r\n\r\n--b-1--",
        b"--b-1\r\n" + b"X: " + b"y" * 100_000 + b"\r\n\r\n--b-1--",
        b"--b-1\r\n" + b"X: y\r\n" * 100 + b"\r\n--b-1--",
        b"--b-2\r\n\r\n--b-2--",
    ],
)
def test_what_is_no_form_is_refused(body):
    with pytest.raises(WrongRequestError):
        read([body])


def test_a_hundred_thousand_fields_are_refused_early():
    reader = MultipartReader(KIND)
    part = form((b'; name="x"', b"y"))[: -len(b"--b-1--\r\n")]
    for _ in range(MOST_PARTS):
        reader.feed(part)
    with pytest.raises(WrongRequestError, match=str(MOST_PARTS)):
        reader.feed(part)


def test_what_follows_the_end_is_ignored():
    assert read([BODY, b"epilogue", BODY]) == PARTS


@given(st.binary(max_size=300))
def test_garbage_is_refused_and_nothing_else(data):
    with suppress(WrongRequestError):
        read([b"--b-1", data])
