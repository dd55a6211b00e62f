import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.errors import EngineFailedError
from parakeet_streaming.results import Token, Word
from parakeet_streaming.server.protocols.openai_realtime_events import (
    Conversation,
    ItemTelling,
    as_json,
)
from parakeet_streaming.server.protocols.openai_realtime_settings import (
    LOGPROBS,
    Settings,
    TurnDetection,
)
from parakeet_streaming.server.replies import WrongRequestError
from parakeet_streaming.server.session_events import (
    Cleared,
    ContextTold,
    Ended,
    Heard,
    Lost,
    Marked,
    Started,
    Stopped,
)
from parakeet_streaming.timeline import ContextConfig
from tests.server.realtime_order import Order

SETTINGS = Settings("tiny-en")
COMMITTED = Settings("tiny-en", turns=None)


def token(text, start=1.0, confidence=0.5):
    return Token(1, text, 0, 1, start, start + 0.08, confidence)


def heard(number, text, *pieces, at=1.0):
    tokens = tuple(token(piece, at) for piece in pieces or (text,))
    return Heard(number, text, tokens, "maybe", (), at, at)


def ended(number, text, reason="silence", start=0.9, end=2.5, tokens=()):
    words = tuple(Word(each, start, end, 0.5) for each in text.split())
    return Ended(number, text, words, tokens, start, end, reason)


class Talk:
    """A telling, and what it told."""

    def __init__(self, settings=SETTINGS, begins_s=0.0, older=False):
        self.conversation = Conversation("x", older=older)
        self.telling = ItemTelling(self.conversation, settings, begins_s)
        self.order = Order()
        self.events = []

    def tell(self, *events):
        begin = len(self.events)
        for event in events:
            for message in self.telling.tell(event):
                self.order.take(message)
                self.events.append(json.loads(message))
        return self.events[begin:]

    @property
    def kinds(self):
        return [event["type"].rpartition(".")[2] for event in self.events]


def test_an_utterance():
    talk = Talk()
    talk.tell(Started(0, 1.0), heard(0, "one", " one"), heard(0, " two"))
    talk.tell(Stopped(0, 2.0), ended(0, "one two"))
    assert talk.kinds == [
        "speech_started",
        "delta",
        "delta",
        "speech_stopped",
        "committed",
        "added",
        "completed",
        "done",
    ]
    started, stopped = talk.events[0], talk.events[3]
    assert started["audio_start_ms"] == 700
    assert stopped["audio_end_ms"] == 2_500
    assert len({event["item_id"] for event in talk.events if "item_id" in event}) == 1
    assert talk.events[4]["previous_item_id"] is None
    completed = talk.events[6]
    assert completed["usage"] == {"type": "duration", "seconds": 1.6}
    assert completed["words"][0] == {"word": "one", "start": 0.9, "end": 2.5, "confidence": 0.5}
    assert "logprobs" not in completed


def test_the_next_item_follows_the_last():
    talk = Talk()
    talk.tell(Started(0, 1.0), Stopped(0, 2.0), ended(0, ""))
    talk.tell(Started(1, 2.6), Stopped(1, 3.0), ended(1, "", end=3.5))
    assert talk.order.items == [("", [], 700, 2_500), ("", [], 2_500, 3_500)]


def test_a_stream_that_begins_later_has_later_times():
    talk = Talk(begins_s=10.0)
    talk.tell(Started(0, 1.0), heard(0, "one"), Stopped(0, 2.0), ended(0, "one"))
    assert talk.order.items == [("one", [("one", 10.9, 12.5)], 10_700, 12_500)]


def test_text_without_speech_is_speech():
    talk = Talk()
    talk.tell(heard(0, "one", at=1.5), ended(0, "one", "commit", end=1.7))
    assert talk.kinds[0] == "speech_started"
    assert talk.order.items[0][2:] == (1_200, 1_700)


def test_a_client_that_commits_is_told_nothing_of_speech():
    talk = Talk(COMMITTED)
    talk.tell(Started(0, 1.0), Stopped(0, 2.0), Started(0, 2.2), heard(0, "one"))
    talk.telling.asked("client")
    talk.tell(Stopped(0, 2.4), ended(0, "one", "commit"))
    assert talk.kinds == ["delta", "committed", "added", "completed", "done"]


def test_what_nobody_asked_for_and_has_no_text_is_no_item():
    talk = Talk()
    assert talk.tell(ended(0, "", "end"), ended(1, "", "no_audio")) == []
    assert talk.tell(heard(2, "")) == []
    assert len(talk.tell(ended(2, "", "commit"))) == 4


def test_what_has_no_place_on_this_wire():
    talk = Talk()
    assert talk.tell(Lost(0, 1), Marked("x"), ContextTold(ContextConfig(), 1.0)) == []


def test_what_is_cleared_has_no_end():
    talk = Talk()
    talk.tell(Started(0, 1.0), heard(0, "one"), Cleared())
    talk.tell(Started(1, 3.0), Stopped(1, 4.0), ended(1, "", end=4.5))
    assert talk.kinds[:4] == ["speech_started", "delta", "cleared", "speech_started"]
    assert talk.order.last == "item_x_2"
    assert talk.events[5]["previous_item_id"] is None


def test_the_names_of_before():
    talk = Talk(older=True)
    talk.tell(Started(0, 1.0), heard(0, "one"), Stopped(0, 2.0), ended(0, "one"))
    assert talk.kinds[-3:] == ["committed", "created", "completed"]
    session = json.loads(talk.conversation.session("updated", SETTINGS))
    assert session["type"] == "transcription_session.updated"
    assert session["session"]["input_audio_format"] == "pcm16"


def test_log_probabilities():
    talk = Talk(replace(SETTINGS, include=(LOGPROBS,)))
    talk.tell(heard(0, "one", " o", "ne"))
    (delta,) = talk.events[1:]
    assert [each["token"] for each in delta["logprobs"]] == ["o", "ne"]
    assert delta["logprobs"][1]["bytes"] == [110, 101]
    assert delta["logprobs"][0]["logprob"] == pytest.approx(math.log(0.5))
    sure = token(" o", confidence=0.0)
    talk.tell(ended(0, "one", tokens=(sure, token("ne"))))
    completed = talk.events[-2]
    assert "".join(each["token"] for each in completed["logprobs"]) == "one"
    talk.tell(heard(1, "one", "o", "ne"))
    assert [each["token"] for each in talk.events[-1]["logprobs"]] == ["o", "ne"]


def test_idle_time():
    talk = Talk(replace(SETTINGS, turns=TurnDetection(idle_timeout_ms=5_000)))
    assert not talk.telling.is_idle(4.9)
    assert talk.telling.is_idle(5.0)
    talk.telling.asked("idle")
    assert not talk.telling.is_idle(9.0)
    talk.tell(ended(0, "", "commit", start=0.0, end=5.0))
    assert talk.kinds[:2] == ["timeout_triggered", "committed"]
    assert (talk.events[0]["audio_start_ms"], talk.events[0]["audio_end_ms"]) == (0, 5_000)
    assert not talk.telling.is_idle(9.9)
    talk.tell(Started(1, 9.0))
    assert not talk.telling.is_idle(20.0)


def test_speech_that_comes_before_the_idle_commit_is_usual_speech():
    talk = Talk(replace(SETTINGS, turns=TurnDetection(idle_timeout_ms=5_000)))
    talk.telling.asked("idle")
    talk.tell(Started(0, 4.9), Stopped(0, 5.0), ended(0, "", "commit", end=5.0))
    assert talk.kinds[:3] == ["speech_started", "speech_stopped", "committed"]
    assert not Talk(COMMITTED).telling.is_idle(99.0)
    assert not Talk().telling.is_idle(99.0)


def test_an_item_that_fails():
    talk = Talk()
    assert talk.telling.failed(EngineFailedError("secret")) == []
    talk.tell(Started(0, 1.0))
    (failed,) = talk.telling.failed(EngineFailedError("gone"))
    talk.order.take(failed)
    assert json.loads(failed)["item_id"] == "item_x_1"
    assert json.loads(failed)["error"]["type"] == "server_error"


def test_an_error_names_the_message():
    event = json.loads(Conversation("x").error(WrongRequestError("bad", "type"), "mine"))
    assert event["error"] == {
        "type": "invalid_request_error",
        "code": "invalid_value",
        "message": "bad",
        "param": "type",
        "event_id": "mine",
    }


@given(st.text(st.characters()))
def test_any_text_can_be_sent(text):
    message = as_json({"text": text})
    message.encode()
    assert json.loads(message)["text"] == text
    assert "ü" in as_json("ü")


def test_half_of_a_pair_can_be_sent():
    assert json.loads(as_json({"text": "ü\ud800"}).encode())["text"] == "ü\ud800"


UTTERANCES = st.lists(
    st.tuples(
        st.booleans(),
        st.lists(st.sampled_from(["one", " two", "n"]), max_size=3),
        st.sampled_from(["silence", "max_length", "commit", "no_audio", "end", "clear"]),
        st.floats(0, 3),
        st.floats(0, 3),
        st.booleans(),
    ),
    max_size=6,
)


@given(UTTERANCES, st.sampled_from([SETTINGS, COMMITTED]), st.booleans())
def test_whatever_is_heard_is_told_in_order(utterances, settings, older):
    talk, now_s = Talk(settings, older=older), 0.0
    for number, (started, pieces, reason, pause_s, lasts_s, idle) in enumerate(utterances):
        texts = [*(text.strip() for text in pieces[:1]), *pieces[1:]]
        begin_s, end_s = now_s + pause_s, now_s + pause_s + lasts_s
        if started:
            talk.tell(Started(number, begin_s))
        for text in texts:
            talk.tell(heard(number, text, at=begin_s))
        if reason == "clear":
            talk.tell(Cleared())
            continue
        if reason == "commit":
            talk.telling.asked("idle" if idle else "client")
        if started:
            talk.tell(Stopped(number, end_s))
        now_s = end_s + 0.01
        talk.tell(ended(number, "".join(texts), reason, begin_s, now_s))
    assert talk.order.state == "none" or utterances[-1][2] == "clear"
