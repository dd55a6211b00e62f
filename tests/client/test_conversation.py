"""Messages in, events out, and how it ends; without any socket."""

import json

import pytest

from parakeet_streaming.client.conversation import Conversation
from parakeet_streaming.client.events import Final, Partial
from parakeet_streaming.errors import CapacityError, ServerError


def partial(text, utterance=0, tentative=""):
    return json.dumps(
        {
            "type": "partial",
            "utterance": utterance,
            "text": text,
            "tentative": tentative,
            "committed": 1.0,
            "lookahead_end": 2.0,
        }
    )


def final(text, utterance=0):
    fields = {"utterance": utterance, "text": text, "start": 0.0, "end": 1.0, "reason": "silence"}
    return json.dumps({"type": "final", **fields})


def read(conversation):
    found = []
    while (event := conversation.next()) is not None:
        found.append(event)
    return found


def test_unread_text_of_an_utterance_is_joined():
    conversation = Conversation()
    for message in (partial("a", tentative="x"), partial(" b", tentative="y"), final("a b")):
        conversation.take(message)
    conversation.take(partial("c", 1))
    first, end, second = read(conversation)
    assert (first.text, first.tentative) == ("a b", "y")
    assert isinstance(end, Final)
    assert second == Partial(1, "c", "", 1.0, 2.0, offset=0)


def test_what_came_before_an_error_is_given_before_it_and_the_error_once():
    conversation = Conversation()
    conversation.take(partial("a"))
    conversation.closed(1006, "")
    assert conversation.next().text == "a"
    with pytest.raises(ServerError, match="broke"):
        conversation.next()
    assert conversation.next() is None
    assert conversation.heard.text == "a"


def test_the_end_is_no_error_after_finish_only():
    early, late = Conversation(), Conversation()
    early.closed(1000, "")
    with pytest.raises(ServerError):
        early.next()
    late.finished = True
    late.closed(1000, "")
    late.closed(1006, "")
    assert (late.next(), late.is_over) == (None, True)


def test_why_the_server_closes_is_told_by_it():
    conversation = Conversation()
    error = {"type": "error", "code": "no_capacity", "message": "full", "fatal": True}
    conversation.take(json.dumps({**error, "retry_after_s": 7}))
    conversation.closed(1013, "")
    with pytest.raises(CapacityError, match="full") as caught:
        conversation.next()
    assert caught.value.retry_after_s == 7.0
