import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.server.protocols.openai_realtime_commands import (
    Append,
    Clear,
    Commit,
    Update,
    read,
)
from parakeet_streaming.server.replies import WrongRequestError


def command(**fields):
    return read(json.dumps(fields)).command


@given(st.binary())
def test_audio(data):
    audio = base64.b64encode(data).decode()
    assert command(type="input_audio_buffer.append", audio=audio) == Append(data)


def test_the_others():
    assert command(type="input_audio_buffer.commit") == Commit()
    assert command(type="input_audio_buffer.clear", colour="blue") == Clear()
    new = command(type="session.update", session={"include": ["x"]})
    old = command(type="transcription_session.update", session={"include": ["x"]})
    assert isinstance(new, Update)
    assert (new.older, old.older) == (False, True)
    assert new.session.texts("include") == ("x",)


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ("", None),
        ("[]", None),
        ('{"a"', None),
        (b"\x00\x01", None),
        ("{}", "type"),
        ('{"type": 3}', "type"),
        ('{"type": "response.create"}', "type"),
        ('{"type": "session.update"}', "session"),
        ('{"type": "session.update", "session": 3}', "session"),
        ('{"type": "input_audio_buffer.append"}', "audio"),
        ('{"type": "input_audio_buffer.append", "audio": null}', "audio"),
        ('{"type": "input_audio_buffer.append", "audio": 3}', "audio"),
        ('{"type": "input_audio_buffer.append", "audio": "AAA"}', "audio"),
        ('{"type": "input_audio_buffer.append", "audio": "AA*A"}', "audio"),
        ('{"type": "input_audio_buffer.append", "audio": "ÄAAA"}', "audio"),
    ],
)
def test_mistakes(message, field):
    found = read(message).command
    assert isinstance(found, WrongRequestError)
    assert found.field == field


def test_the_event_id_is_kept():
    assert read('{"type": "input_audio_buffer.commit", "event_id": "e1"}').event_id == "e1"
    assert read('{"event_id": "e2"}').event_id == "e2"
    assert read('{"event_id": 3}').event_id is None
    assert len(read(json.dumps({"event_id": "x" * 9_999})).event_id) < 1_000


@given(st.text() | st.binary())
def test_any_message_is_read(message):
    read(message)


@given(
    st.dictionaries(
        st.sampled_from(["type", "event_id", "audio", "session"]),
        st.none() | st.integers() | st.text() | st.lists(st.none()) | st.floats(),
    )
)
def test_any_object_is_read(fields):
    assert isinstance(read(json.dumps(fields)).command, WrongRequestError)
