"""What is told on `/v1/stream`."""

import json

import pytest

from parakeet_streaming.results import HealthHint, Token, Word
from parakeet_streaming.server.limits import Limits
from parakeet_streaming.server.protocols import native
from parakeet_streaming.server.protocols.native_settings import StreamSettings
from parakeet_streaming.server.replies import (
    CapacityError,
    CheckpointRefusedError,
    WrongRequestError,
    answer_to,
)
from parakeet_streaming.server.session import Session
from parakeet_streaming.server.session_events import (
    Cleared,
    ContextTold,
    Ended,
    Heard,
    Hinted,
    Kept,
    Lost,
    Marked,
    Started,
    Stopped,
)
from parakeet_streaming.timeline import ContextConfig


def test_ready_says_what_was_made_of_the_request():
    settings = StreamSettings(8_000, "mulaw", 2, separate=True)
    said = json.loads(
        native.ready("a", "m", settings, ContextConfig.balanced(), Limits(idle_s=5, session_s=60))
    )
    limits = said.pop("limits")
    assert said == {
        "type": "ready", "protocol": 1, "id": "a", "model": "m", "sample_rate": 8_000,
        "encoding": "mulaw", "channels": 2, "separate": True, "context": "5-0.5-0.5",
        "latency_s": 0.96,
    }  # fmt: skip
    assert (limits["idle_s"], limits["session_s"]) == (5, 60)


def test_what_says_nothing_is_not_sent():
    silent = Heard(0, "", (), "", (), 1.0, 2.0)
    assert native.message_of(silent, StreamSettings()) is None


def test_errors_say_whether_they_are_the_end():
    said = json.loads(native.error(answer_to(CapacityError("full")), fatal=True))
    assert said == {
        "type": "error", "code": "no_capacity", "message": "full", "fatal": True,
        "retry_after_s": 5,
    }  # fmt: skip


def test_a_refusal_of_a_checkpoint_has_its_reason():
    said = json.loads(
        native.error(answer_to(CheckpointRefusedError("expired", "old")), fatal=False)
    )
    assert said == {
        "type": "error", "code": "checkpoint_refused", "message": "old", "fatal": False,
        "field": "checkpoint", "reason": "expired",
    }  # fmt: skip


def test_text_has_its_place_where_it_may_come_twice():
    heard = Heard(0, "one", (), "", (), 1.0, 2.0, 7)
    asked = json.loads(native.message_of(heard, StreamSettings(checkpoints=5.0)))
    assert asked["offset"] == 7
    assert "offset" not in json.loads(native.message_of(heard, StreamSettings()))


TOKEN = Token(7, " one", 3, 2, 0.24, 0.4, 0.98765)
WORD = Word("one", 0.24, 0.4, 0.98765)
TOLD_WORD = {"text": "one", "start": 0.24, "end": 0.4, "confidence": 0.9877}
TOLD_TOKEN = {**TOLD_WORD, "id": 7, "text": " one", "start_frame": 3, "duration_frames": 2}
PARTIAL = {
    "type": "partial", "utterance": 2, "text": " one", "tentative": "two", "committed": 0.4,
    "lookahead_end": 0.8,
}  # fmt: skip
FINAL = {
    "type": "final", "utterance": 2, "text": "one", "start": 0.2, "end": 1.0, "reason": "silence",
}  # fmt: skip


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (Started(2, 0.12345), {"type": "speech_started", "utterance": 2, "at": 0.123}),
        (Stopped(2, 1.0), {"type": "speech_ended", "utterance": 2, "at": 1.0}),
        (Lost(1.0, 2.0), {"type": "gap", "start": 1.0, "end": 2.0}),
        (
            ContextTold(ContextConfig.balanced(), 3.0),
            {"type": "context_changed", "at": 3.0, "context": "5-0.5-0.5", "latency_s": 0.96},
        ),
        (
            Hinted(HealthHint("rate", "too fast", 1.0)),
            {"type": "hint", "kind": "rate", "message": "too fast", "at": 1.0},
        ),
        (Marked("m"), {"type": "marker", "id": "m"}),
        (Cleared(2), {"type": "cleared", "utterance": 2}),
        (Heard(2, " one", (TOKEN,), "two", (), 0.4, 0.8), PARTIAL),
        (
            Ended(2, "one", (WORD,), (TOKEN,), 0.2, 1.0, "silence"),
            {**FINAL, "words": [TOLD_WORD]},
        ),
    ],
)
def test_every_event_is_told_with_its_channel_where_channels_are_separate(event, told):
    assert json.loads(native.message_of(event, StreamSettings())) == told
    assert json.loads(native.message_of(event, StreamSettings(), 1)) == {**told, "channel": 1}


def test_words_and_tokens_are_told_to_whom_wants_them():
    settings = StreamSettings(words=False, tokens=True)
    heard = Heard(2, " one", (TOKEN,), "two", (), 0.4, 0.8)
    ended = Ended(2, "one", (WORD,), (TOKEN,), 0.2, 1.0, "silence")
    said = [json.loads(native.message_of(each, settings)) for each in (heard, ended)]
    assert said == [{**PARTIAL, "tokens": [TOLD_TOKEN]}, {**FINAL, "tokens": [TOLD_TOKEN]}]


def test_other_messages():
    assert json.loads(native.stats([{"id": "a"}])) == {"type": "stats", "channels": [{"id": "a"}]}
    assert json.loads(native.going_away("it stops", 2.5)) == {
        "type": "going_away", "reason": "it stops", "deadline_s": 2.5,
    }  # fmt: skip
    mistake = answer_to(WrongRequestError("no", "type"))
    assert json.loads(native.error(mistake, fatal=False)) == {
        "type": "error", "code": "invalid_value", "message": "no", "fatal": False, "field": "type",
    }  # fmt: skip


def test_what_was_asked_for_going_on_is_told():
    terms = native.CheckpointTerms(3.0, 136.0, 600.0, shared=True)
    context, limits = ContextConfig.balanced(), Limits()
    ready = native.ready("a", "m", StreamSettings(), context, limits, terms)
    assert json.loads(ready)["checkpoints"]["replay_s"] == 136.0
    state = Session(silence_s=0.5, most_utterance_s=20.0).state()
    assert native.message_of(Kept(1, state, bytes), StreamSettings()) is None
    told = json.loads(native.checkpoint(b"abc", 80, 1, 2))
    assert (told["sample"], told["answered"], told["number"]) == (80, 1, 2)
    settings = StreamSettings().with_fields({"phrases": ["a", "b"], "boost": 2})
    assert json.loads(native.configured(settings)) == {
        "type": "configured", "phrases": 2, "boost": 2.0,
    }  # fmt: skip
