import json

import pytest

from parakeet_streaming.formats import to_srt
from parakeet_streaming.results import Segment, Transcript, Word
from parakeet_streaming.server.protocols.fields import Fields
from parakeet_streaming.server.protocols.page_subtitles import page_subtitles
from parakeet_streaming.server.replies import WrongRequestError

ONE = {"text": "one", "start": 1, "end": 1.5}


def made(**told):
    return page_subtitles(Fields({"format": "srt", "audio_s": 9, **told}))


def test_they_are_those_of_the_package():
    words = (Word("One.", 1.0, 1.5, 1.0), Word("two", 2.0, 2.5, 1.0))
    told = {
        "text": "One. two", "start": 1, "end": 2.5,
        "words": [{"text": each.text, "start": each.start, "end": each.end} for each in words],
    }  # fmt: skip
    segments = tuple(Segment(each.text, each.start, each.end, (each,)) for each in words)
    wanted = to_srt(Transcript("One. two", (), words, segments, 9.0))
    assert made(utterances=[told]) == (wanted.encode(), "application/x-subrip")
    assert made(utterances=[told], format="vtt")[1] == "text/vtt"


def test_text_without_words_is_shared_out_over_its_time():
    words = [Word("one", 1.0, 2.0, 1.0), Word("two", 2.0, 3.0, 1.0)]
    told = {"text": "one two", "start": 1, "end": 3, "words": []}
    segments = (Segment("one two", 1.0, 3.0, tuple(words)),)
    wanted = to_srt(Transcript("one two", (), tuple(words), segments, 9.0))
    assert made(utterances=[told])[0].decode() == wanted
    silent = {"text": "", "start": 1, "end": 3, "words": []}
    assert made(utterances=[silent, told])[0].decode() == wanted


def test_nothing_said_makes_no_subtitles():
    assert made(utterances=[])[0] == b""
    assert made(utterances=[], format="vtt", audio_s=None)[0] == b"WEBVTT\n"


def test_half_a_character_is_no_fault():
    half = json.loads('{"text": "a\\ud800", "start": 1, "end": 2, "words": []}')
    assert made(utterances=[half])[0].endswith(b"\na\n")


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"utterances": [], "format": None}, "format"),
        ({"utterances": [], "format": "doc"}, "format"),
        ({"utterances": [], "audio_s": -1}, "audio_s"),
        ({}, "utterances"),
        ({"utterances": {}}, "utterances"),
        ({"utterances": [3]}, "utterances"),
        ({"utterances": [ONE]}, "utterances[0].words"),
        ({"utterances": [{**ONE, "words": [None]}]}, "utterances[0].words"),
        ({"utterances": [{**ONE, "words": []}, {**ONE, "words": [{**ONE, "start": "x"}]}]},
         "utterances[1].words[0].start"),
        ({"utterances": [{**ONE, "words": [], "text": 1}]}, "utterances[0].text"),
    ],
)  # fmt: skip
def test_the_field_that_is_wrong_is_named(told, field):
    with pytest.raises(WrongRequestError) as told_error:
        made(**told)
    assert told_error.value.field == field
