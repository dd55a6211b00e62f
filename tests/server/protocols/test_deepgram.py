import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.results import Segment, Transcript, Word
from parakeet_streaming.server.protocols import deepgram
from parakeet_streaming.server.protocols.deepgram import About, command_of
from parakeet_streaming.server.protocols.deepgram_results import (
    Result,
    SpeechBegan,
    UtteranceOver,
)
from parakeet_streaming.server.replies import AccessError, WrongRequestError, answer_to

ABOUT = About("id", "tiny-en", "2026-01-01T00:00:00.000Z", 2)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ('{"type":"KeepAlive"}', deepgram.KeepAlive()),
        ('{"type":"Finalize","channel":0}', deepgram.Finalize()),
        ('{"type": "CloseStream"}', deepgram.CloseStream()),
    ],
)
def test_what_a_client_asks_for(text, command):
    assert command_of(text) == command


@given(st.text() | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
def test_anything_else_is_a_wrong_request(text):
    with pytest.raises(WrongRequestError):
        command_of(text)


def test_a_type_that_is_not_known_is_named():
    with pytest.raises(WrongRequestError, match="'Dance' is not supported") as wrong:
        command_of('{"type":"Dance"}')
    assert wrong.value.field == "type"


def test_results_have_words_in_both_forms():
    words = (Word("“Hi,", 0.1, 0.25, 0.9), Word("Mr.", 0.3, 0.4, 0.5), Word("…", 0.5, 0.6, 0.7))
    result = Result(0.0, 1.00049, words, is_final=True, speech_final=True)
    told = json.loads(deepgram.message_of(result, 1, ABOUT))
    assert (told["type"], told["channel_index"], told["duration"]) == ("Results", [1, 2], 1.0)
    assert (told["is_final"], told["speech_final"], told["from_finalize"]) == (True, True, False)
    (alternative,) = told["channel"]["alternatives"]
    assert alternative["transcript"] == "“Hi, Mr. …"
    assert alternative["confidence"] == 0.7
    assert [word["word"] for word in alternative["words"]] == ["hi", "mr", "…"]
    assert [word["punctuated_word"] for word in alternative["words"]] == ["“Hi,", "Mr.", "…"]
    assert told["metadata"]["request_id"] == "id"


def test_nothing_said_has_no_confidence():
    told = json.loads(deepgram.message_of(Result(0.0, 1.0, (), is_final=True), 0, ABOUT))
    assert told["channel"]["alternatives"] == [{"transcript": "", "confidence": 0.0, "words": []}]


def test_other_events():
    said = SpeechBegan(1.23456)
    assert json.loads(deepgram.message_of(said, 0, ABOUT)) == {
        **{"type": "SpeechStarted", "channel": [0, 2], "timestamp": 1.235}
    }
    said = UtteranceOver(3.1)
    assert json.loads(deepgram.message_of(said, 1, ABOUT)) == {
        **{"type": "UtteranceEnd", "channel": [1, 2], "last_word_end": 3.1}
    }
    told = json.loads(deepgram.metadata(ABOUT, "f00", 2.5))
    assert (told["type"], told["sha256"], told["duration"], told["channels"]) == (
        *("Metadata", "f00", 2.5, 2),
    )


def test_errors_and_refusals():
    answer = answer_to(WrongRequestError("a\nb ü"))
    assert json.loads(deepgram.error(answer))["variant"] == "invalid_value"
    told = json.loads(deepgram.error(answer, "x" * 999))
    assert (told["variant"], len(told["message"])) == ("SchemaError", 200)
    body, headers = deepgram.refusal(answer, "id")
    assert body == {"err_code": "INVALID_VALUE", "err_msg": "a\nb ü", "request_id": "id"}
    assert headers["dg-error"] == "a b ?"
    body, headers = deepgram.refusal(answer_to(AccessError("no")), "id")
    assert (body["err_code"], headers["WWW-Authenticate"]) == ("INVALID_AUTH", "Bearer")


def test_a_file_has_its_channels_and_by_wish_its_sentences():
    words = (Word("Hi.", 0.1, 0.25, 0.9), Word("Yes.", 0.5, 0.6, 0.5))
    sentences = tuple(Segment(each.text, each.start, each.end, (each,)) for each in words)
    heard = [Transcript("Hi. Yes.", (), words, sentences, 1.0), Transcript("", (), (), (), 1.0)]
    body = deepgram.file_body(ABOUT, "f00", 1.0, heard, utterances=False)
    assert (body["metadata"]["sha256"], body["metadata"]["channels"]) == ("f00", 2)
    said = [each["alternatives"][0]["transcript"] for each in body["results"]["channels"]]
    assert said == ["Hi. Yes.", ""]
    assert "utterances" not in body["results"]
    assert "warnings" not in body["metadata"]
    body = deepgram.file_body(ABOUT, "f00", 1.0, heard, utterances=True, warnings=["cut"])
    told = [
        (each["id"], each["start"], each["transcript"]) for each in body["results"]["utterances"]
    ]
    assert told == [("id-0-0", 0.1, "Hi."), ("id-0-1", 0.5, "Yes.")]
    assert body["metadata"]["warnings"] == [{"type": "audio", "message": "cut"}]


@pytest.mark.parametrize(
    ("text", "terms"),
    [('{"type":"Configure"}', None), ('{"type":"Configure","keyterms":["a"]}', ("a",))],
)
def test_terms_that_change_meanwhile(text, terms):
    command = command_of(text)
    assert command == deepgram.Configure(terms)
    told = json.loads(deepgram.configure_success(ABOUT, command.keyterms))
    assert told["type"] == "ConfigureSuccess"
    assert told.get("keyterms") == (None if terms is None else list(terms))


@pytest.mark.parametrize("terms", ['"a"', "[1]", "{}"])
def test_terms_that_are_no_texts(terms):
    with pytest.raises(WrongRequestError, match="array of texts"):
        command_of(f'{{"type":"Configure","keyterms":{terms}}}')


def test_a_change_that_fails_says_why():
    told = json.loads(deepgram.configure_failure(ABOUT, ValueError("too many")))
    assert told["type"] == "ConfigureFailure"
    assert "too many" in json.dumps(told)
