"""Messages of the native protocol, without a socket."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.results import HealthHint, Word
from parakeet_streaming.server.protocols import native
from parakeet_streaming.server.protocols.native_settings import StreamSettings
from parakeet_streaming.server.replies import WrongRequestError, answer_to
from parakeet_streaming.server.session_events import (
    Cleared,
    ContextTold,
    Ended,
    Heard,
    Hinted,
    Lost,
    Marked,
    Started,
    Stopped,
)
from parakeet_streaming.timeline import ContextConfig

CONTEXT = ContextConfig.parse("5-0.48-0.48")
WORD = Word("hi", 0.1, 0.2, 0.98765)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ('{"type":"finish"}', native.Finish()),
        ('{"type":"commit","more":[]}', native.Commit()),
        ('{"type":"clear"}', native.Clear()),
        ('{"type":"stats"}', native.Stats()),
        ('{"type":"marker","id":"a"}', native.Marker("a")),
        ('{"type":"configure","words":0}', native.Configure({"type": "configure", "words": 0})),
    ],
)
def test_commands(text, command):
    assert native.command_of(text) == command


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", None),
        ("[]", None),
        ("{}", "type"),
        ('{"type":"none"}', "type"),
        ('{"type":[]}', "type"),
        ('{"type":"marker"}', "id"),
        ('{"type":"marker","id":5}', "id"),
        (json.dumps({"type": "marker", "id": "x" * 257}), "id"),
    ],
)
def test_mistakes_name_the_field(text, field):
    with pytest.raises(WrongRequestError) as wrong:
        native.command_of(text)
    assert wrong.value.field == field


@pytest.mark.parametrize(
    ("event", "wanted"),
    [
        (Started(1, 0.1234), {"type": "speech_started", "utterance": 1, "at": 0.123}),
        (Stopped(1, 2.0), {"type": "speech_ended", "utterance": 1, "at": 2.0}),
        (Lost(1.0, 2.0), {"type": "gap", "start": 1.0, "end": 2.0}),
        (Marked("m"), {"type": "marker", "id": "m"}),
        (Cleared(), {"type": "cleared"}),
        (
            Hinted(HealthHint("scale", "loud", 1.0)),
            {"type": "hint", "kind": "scale", "message": "loud", "at": 1.0},
        ),
        (
            ContextTold(CONTEXT, 3.0),
            {
                "type": "context_changed",
                "at": 3.0,
                "context": {"left": 4.96, "chunk": 0.48, "right": 0.48},
                "latency_s": 0.96,
            },
        ),
        (
            Heard(0, " a", (), " b", (), 1.0, 1.5),
            {"type": "partial", "utterance": 0, "text": " a", "tentative": " b", "committed": 1.0},
        ),
        (
            Ended(0, "hi", (WORD,), (), 0.1, 0.5, "silence"),
            {
                "type": "final",
                "utterance": 0,
                "text": "hi",
                "start": 0.1,
                "end": 0.5,
                "reason": "silence",
                "words": [{"text": "hi", "start": 0.1, "end": 0.2, "confidence": 0.9877}],
            },
        ),
    ],
)
def test_events_are_messages(event, wanted):
    assert json.loads(native.message_of(event, words=True)) == wanted
    with_channel = native.message_of(event, words=True, channel=1)
    assert json.loads(with_channel) == {**wanted, "channel": 1}


def test_words_may_be_left_out_and_silence_says_nothing():
    message = native.message_of(Ended(0, "hi", (WORD,), (), 0, 1, "end"), words=False)
    assert "words" not in json.loads(message)
    assert native.message_of(Heard(0, "", (), "", (), 1.0, 1.5), words=True) is None


def test_other_messages():
    settings = StreamSettings(channels=2, separate=True)
    ready = json.loads(native.ready("id", "model", settings, CONTEXT))
    assert (ready["type"], ready["channels"], ready["channel_count"]) == ("ready", "separate", 2)
    wrong = json.loads(native.error(answer_to(WrongRequestError("no", "type"))))
    assert wrong == {
        "type": "error",
        "code": "invalid_value",
        "message": "no",
        "field": "type",
    }
    assert json.loads(native.going_away("why", 5.0))["deadline_s"] == 5.0
    assert json.loads(native.stats([{"id": "x"}]))["channels"] == [{"id": "x"}]


@given(st.text())
def test_any_text_is_a_command_or_a_mistake(text):
    with pytest.raises(WrongRequestError):
        native.command_of(text)
