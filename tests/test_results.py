from dataclasses import FrozenInstanceError, fields, is_dataclass
from typing import get_args

import pytest

import parakeet_streaming
from parakeet_streaming import results
from parakeet_streaming.results import (
    ContextChanged,
    Event,
    FilterStart,
    Final,
    Gap,
    HealthHint,
    Partial,
    Segment,
    SnapshotTaken,
    SpeechEnded,
    SpeechStarted,
    StepTiming,
    Token,
    TokenResult,
    Transcript,
    Word,
)
from parakeet_streaming.timeline import ContextConfig

TOKEN = Token(7, " word", 3, 2, 0.24, 0.4, 0.9)
WORD = Word("word", 0.24, 0.4, 0.9)
SEGMENT = Segment("word", 0.24, 0.4, (WORD,))
TRANSCRIPT = Transcript("word", (TOKEN,), (WORD,), (SEGMENT,), 1.0)
PARTIAL = Partial(" word", (TOKEN,), "", (), 0.32, 0.64)
TOKEN_RESULT = TokenResult(7, " word", 3_840, 2_560, 0.9)
FILTER = FilterStart(44_100, 16_000)
EVENTS = [
    Final(TRANSCRIPT, 2, "silence"),
    SpeechStarted(0.2),
    SpeechEnded(0.5),
    Gap(0.5, 0.9),
    ContextChanged(ContextConfig.balanced(), 0.5),
    HealthHint("rate", "another rate", 1.0),
    SnapshotTaken(320, bytes, (FILTER,)),
]
TIMING = StepTiming(waited_s=0.1, encode_s=0.04, decode_s=0.02, streams=4, share=0.25)
RESULTS = [TOKEN, TOKEN_RESULT, WORD, SEGMENT, TRANSCRIPT, TIMING, PARTIAL, FILTER, *EVENTS]


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: type(result).__name__)
def test_results_are_frozen_values(result):
    for field in fields(result):
        with pytest.raises(FrozenInstanceError):
            setattr(result, field.name, None)
    assert not hasattr(result, "__dict__")
    assert hash(result) == hash(
        type(result)(*(getattr(result, each.name) for each in fields(result)))
    )


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: type(result).__name__)
def test_results_are_exported(result):
    assert getattr(parakeet_streaming, type(result).__name__) is type(result)


def test_every_result_is_among_these():
    own = [each for each in vars(results).values() if is_dataclass(each)]
    classes = {each for each in own if each.__module__ == results.__name__}
    assert classes == {type(each) for each in RESULTS}
    assert get_args(Event) == (Partial, *(type(each) for each in EVENTS))


def test_a_stream_without_endpointing_is_one_utterance():
    assert Final(TRANSCRIPT) == Final(TRANSCRIPT, 0, "end")


def test_nothing_is_recovered_unless_it_says_so():
    assert not TOKEN.recovered
    assert not WORD.recovered


def test_long_parts_are_left_out_of_the_repr():
    assert "tokens" not in repr(TRANSCRIPT)
    assert "words" not in repr(SEGMENT)
    assert "word" in repr(TRANSCRIPT)


def test_a_step_shares_its_computing_and_not_its_lag():
    assert TIMING.lag_s == pytest.approx(0.16)
    assert TIMING.computing_s == pytest.approx(0.015)


def test_when_a_step_ran_is_no_part_of_what_it_gave():
    assert Partial(" word", (TOKEN,), "", (), 0.32, 0.64, TIMING) == PARTIAL
