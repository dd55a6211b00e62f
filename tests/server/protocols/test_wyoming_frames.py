import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.errors import ParakeetError
from parakeet_streaming.server.protocols.wyoming_frames import (
    MOST_DATA_BYTES,
    MOST_LINE_BYTES,
    Frame,
    FrameReader,
)
from parakeet_streaming.server.replies import TooLargeError, WrongRequestError

MOST = 1_000


def read(pieces):
    """Frames and the error that ends them, if one does."""
    reader, found = FrameReader(MOST), []
    for piece in pieces:
        reader.feed(piece)
        try:
            found.extend(reader.frames())
        except ParakeetError as error:
            return [*found, (type(error), str(error))]
    return found


def written(frame, inline):
    head = {"type": frame.type, "version": "1"}
    data = json.dumps(dict(frame.data)).encode() if frame.data and not inline else b""
    if inline:
        head["data"] = dict(frame.data)
    if data:
        head["data_length"] = len(data)
    if frame.payload:
        head["payload_length"] = len(frame.payload)
    return json.dumps(head).encode() + b"\n" + data + frame.payload


FRAMES = st.builds(
    Frame,
    st.sampled_from(["describe", "audio-chunk", "\n", "other"]),
    st.dictionaries(st.text(max_size=4), st.integers() | st.text(max_size=4), max_size=3),
    st.binary(max_size=50),
)
NOISE = st.binary(max_size=20) | st.sampled_from(
    [b"\n", b"{}\n", b'{"type":"x","payload_length":5}\n', b'{"type":"x","data_length":4}\n{ }\n']
)


@given(st.lists(st.tuples(FRAMES, st.booleans()), max_size=5))
def test_events_come_as_they_were_written(frames):
    assert read([b"".join(written(*each) for each in frames)]) == [frame for frame, _ in frames]


def test_what_a_line_announces_may_come_later():
    head = b'{"type":"x","data_length":8,"payload_length":2}\n'
    assert read([head, b'{"a"', b": 1}", b"p", b"q"]) == [Frame("x", {"a": 1}, b"pq")]


@given(
    st.lists(st.builds(written, FRAMES, st.booleans()) | NOISE, max_size=5).map(b"".join), st.data()
)
def test_any_slicing_of_the_bytes_gives_the_same(sent, data):
    cuts = data.draw(st.lists(st.integers(0, len(sent)), max_size=8).map(sorted))
    pieces = [sent[a:b] for a, b in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
    assert read(pieces) == read([sent]) == read([sent[i : i + 1] for i in range(len(sent))])


@pytest.mark.parametrize("length", [MOST_LINE_BYTES - 1, MOST_LINE_BYTES, 3 * MOST_LINE_BYTES])
@pytest.mark.parametrize("size", [10**6, 1_000, 65_536])
def test_a_line_has_an_end(length, size):
    line = b'{"type":"' + b"x" * (length - 11) + b'"}'
    found = read([(line + b"\n")[i : i + size] for i in range(0, len(line) + 1, size)])
    if length < MOST_LINE_BYTES:
        assert [frame.type for frame in found] == ["x" * (length - 11)]
    else:
        assert [kind for kind, _ in found] == [TooLargeError]


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (f'{{"type":"x","payload_length":{MOST + 1}}}', TooLargeError),
        (f'{{"type":"x","data_length":{MOST_DATA_BYTES + 1}}}', TooLargeError),
        ('{"type":"x","payload_length":-1}', WrongRequestError),
        ('{"type":"x","payload_length":1.0}', WrongRequestError),
        ('{"type":"x","payload_length":NaN}', WrongRequestError),
        ('{"type":"x","payload_length":true}', WrongRequestError),
        ('{"type":"x","payload_length":[]}', WrongRequestError),
        ('{"type":7}', WrongRequestError),
        ('{"type":"x","data":[]}', WrongRequestError),
        ("9" * 10_000, WrongRequestError),
        ("", WrongRequestError),
        ("\xff", WrongRequestError),
    ],
)
def test_lies_and_nonsense_are_refused_before_anything_is_kept(line, error):
    (found,) = read([line.encode("latin-1") + b"\n"])
    assert found[0] is error


def test_null_stands_for_what_is_not_there():
    line = b'{"type":"x","data":null,"data_length":null,"payload_length":null}\n'
    assert read([line]) == [Frame("x", {}, b"")]
