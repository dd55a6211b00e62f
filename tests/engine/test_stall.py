"""The guard alone on made-up steps, then in streams whose decoder stalls on purpose."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.engine.stall import StallGuard, recover, speech_frames
from parakeet_streaming.errors import OptionError
from parakeet_streaming.ports import Decoded, DecoderState, Emission
from parakeet_streaming.results import Partial
from parakeet_streaming.testing import (
    Cue,
    FakeEncoder,
    FakePieces,
    ScriptedDecoderJoint,
    noise,
    recognizer_of,
)
from parakeet_streaming.timeline import FRAME_SAMPLES, ContextConfig
from tests.model.hashed import context_of, hashed_recognizer, sliced

NOTHING = np.zeros((1, 1, 1), dtype=np.float32)
GUARD = StallGuard(min_speech_s=0.4)  # five frames


def state_at(frame, skip=0):
    return DecoderState(0, skip, frame, None)


def emission(frame, duration=1, confidence=0.9):
    return Emission(1, frame, duration, confidence)


def mended(spoken, *, end=20, window_frame=0, stall_from=0, found=(), speech=None, guard=GUARD):
    """The guard's result, and which stretches of the window it had decoded again."""
    asked = []

    def redecode(first, last):
        asked.append((first, last))
        return Decoded(
            tuple(each for each in found if first <= each.frame - window_frame < last),
            (),
            state_at(window_frame + last, skip=3),
        )

    result = recover(
        guard,
        Decoded(tuple(spoken), (), state_at(end)),
        np.ones(end - window_frame, dtype=bool) if speech is None else speech,
        window_frame=window_frame,
        stall_from=stall_from,
        redecode=redecode,
    )
    return result, asked


def test_talking_is_left_alone():
    spoken = [emission(frame, duration=4) for frame in range(0, 20, 4)]
    result, asked = mended(spoken)
    assert (asked, result.decoded.emissions, result.stall_from) == ([], tuple(spoken), 20)


def test_a_gap_between_two_tokens_is_decoded_again():
    spoken = [emission(0), emission(12)]
    result, asked = mended(spoken, end=13, found=[emission(5)])
    assert asked == [(1, 12)]
    recovered = replace(emission(5), recovered=True)
    assert result.decoded.emissions == (spoken[0], recovered, spoken[1])
    # The token behind the gap was decoded from the old state, so that one goes on.
    assert result.decoded.state == state_at(13)
    assert result.stall_from == 13


def test_a_gap_at_the_end_hands_on_the_fresh_state():
    result, asked = mended([emission(2)], found=[emission(9, duration=2)])
    assert asked == [(3, 20)]
    assert [each.frame for each in result.decoded.emissions] == [2, 9]
    assert result.decoded.state == state_at(20, skip=3)
    assert result.stall_from == 11


def test_a_step_without_any_token_can_be_mended():
    result, asked = mended([], found=[emission(0), emission(19, duration=0)])
    assert asked == [(0, 20)]
    assert [(each.frame, each.recovered) for each in result.decoded.emissions] == [
        (0, True),
        (19, True),
    ]
    assert result.stall_from == 20


@pytest.mark.parametrize("confidence", [None, 0.49])
def test_what_does_not_convince_changes_nothing_and_is_not_tried_again(confidence):
    found = [] if confidence is None else [emission(7, confidence=confidence)]
    result, asked = mended([emission(2)], found=found)
    assert asked == [(3, 20)]
    assert result.decoded == Decoded((emission(2),), (), state_at(20))
    assert result.stall_from == 20


def test_the_mean_confidence_counts():
    found = [emission(5, confidence=0.2), emission(8, confidence=0.8)]
    assert len(mended([], found=found)[0].decoded.emissions) == 2


def test_a_stretch_is_long_enough_by_its_speech_alone():
    speech = np.zeros(20, dtype=bool)
    speech[[3, 5, 9, 19]] = True
    assert mended([], speech=speech)[1] == []
    speech[12] = True
    assert mended([], speech=speech)[1] == [(0, 20)]


def test_a_gap_that_began_in_an_earlier_window_is_counted_in_frames_of_this_one():
    # Absolute frames 100 to 120; quiet since 104; the window's own frame 4 is where it begins.
    result, asked = mended([], end=120, window_frame=100, stall_from=104, found=[emission(108)])
    assert asked == [(4, 20)]
    assert [each.frame for each in result.decoded.emissions] == [108]


def test_what_has_left_the_window_is_not_decoded_again():
    _, asked = mended([], end=120, window_frame=100, stall_from=7)
    assert asked == [(0, 20)]


def test_a_token_whose_duration_leaves_the_chunk_makes_no_gap():
    result, asked = mended([emission(18, duration=4)], end=20, stall_from=14)
    assert (asked, result.stall_from) == ([], 22)
    # The next step begins inside that duration.
    result, asked = mended([], end=24, window_frame=4, stall_from=22)
    assert (asked, result.stall_from) == ([], 22)


def test_two_gaps_in_one_step():
    spoken = [emission(6), emission(13)]
    result, asked = mended(spoken, found=[emission(2), emission(9), emission(17)])
    assert asked == [(0, 6), (7, 13), (14, 20)]
    assert [each.frame for each in result.decoded.emissions] == [2, 6, 9, 13, 17]


@given(
    frames=st.lists(st.integers(40, 79), unique=True, max_size=6).map(sorted),
    found=st.lists(st.integers(20, 79), unique=True, max_size=8).map(sorted),
    stall_from=st.integers(0, 44),
    speech=st.lists(st.booleans(), min_size=60, max_size=60),
)
def test_tokens_stay_in_order_and_none_is_lost(frames, found, stall_from, speech):
    # A step never gives a token before its stretch of silence has begun.
    frames = [frame for frame in frames if frame >= stall_from]
    result, asked = mended(
        [emission(frame) for frame in frames],
        end=80,
        window_frame=20,
        stall_from=stall_from,
        found=[emission(frame) for frame in found],
        speech=np.array(speech),
    )
    heard = result.decoded.emissions
    assert [each.frame for each in heard if not each.recovered] == frames
    order = [each.frame for each in heard]
    assert order == sorted(order)
    for first, last in asked:
        assert max(stall_from - 20, 0) <= first < last <= 60
        assert sum(speech[first:last]) >= GUARD.min_speech_frames
        assert not any(first <= frame - 20 < last for frame in frames)
    assert stall_from <= result.stall_from <= 80


def test_frames_above_the_window_s_floor_are_speech():
    samples = noise(1.6, level=1e-4)
    samples[5 * FRAME_SAMPLES : 9 * FRAME_SAMPLES] = noise(0.32, level=0.1)
    assert np.flatnonzero(speech_frames(samples, StallGuard())).tolist() == [5, 6, 7, 8]


@pytest.mark.parametrize(
    ("level", "guard", "speaks"),
    [
        (0.001, StallGuard(), False),  # -60 dBFS, below the level
        (0.001, StallGuard(min_level_dbfs=-70.0), True),
        (0.01, StallGuard(), True),
        (0.01, StallGuard(above_floor_db=100.0), False),
        (0.0, StallGuard(min_level_dbfs=-130.0, above_floor_db=1.0), False),
    ],
)
def test_thresholds(level, guard, speaks):
    samples = np.zeros(20 * FRAME_SAMPLES, dtype=np.float32)
    samples[-FRAME_SAMPLES:] = level
    assert speech_frames(samples, guard)[-1] == speaks


@pytest.mark.parametrize(("samples", "frames"), [(0, 0), (1, 1), (1280, 1), (1281, 2)])
def test_a_partial_frame_counts(samples, frames):
    assert speech_frames(np.zeros(samples, dtype=np.float32), StallGuard()).shape == (frames,)


@pytest.mark.parametrize(
    "choice",
    [
        {"min_speech_s": 0.0},
        {"min_speech_s": 0.07},
        {"min_speech_s": float("nan")},
        {"min_confidence": -0.1},
        {"min_confidence": 1.1},
        *({"min_speech_s": each} for each in (math.inf, 1e300, 3_601, "2")),
        *({"above_floor_db": each} for each in (math.nan, math.inf, 1e9, None)),
        *({"min_level_dbfs": each} for each in (math.nan, -math.inf, -1e9, "quiet")),
        {"min_confidence": math.nan},
    ],
)
def test_thresholds_without_sense_are_refused(choice):
    with pytest.raises(OptionError, match=next(iter(choice))):
        StallGuard(**choice)


LOUD = np.float32(0.25)
MARK = np.float32(2.0**-20)


def loud_audio(frames, loud):
    """Frames marked with their number, loud where `loud`; the marks are too quiet to matter."""
    marks = np.repeat(np.arange(frames, dtype=np.float32) * MARK, FRAME_SAMPLES)
    return marks + LOUD * np.repeat(np.isin(np.arange(frames), loud), FRAME_SAMPLES)


class LoudEncoder(FakeEncoder):
    def encode(self, inputs):
        return super().encode([replace(each, samples=each.samples % LOUD / 8) for each in inputs])


class StallingJoint(ScriptedDecoderJoint):
    """Hears every cue while fresh; after `patience` tokens, only those from `wakes_at` on."""

    def __init__(self, script, *, patience, wakes_at):
        super().__init__(script, vocabulary_size=2)
        self._cues = {cue.frame: cue for cue in script}
        self._patience, self._wakes_at = patience, wakes_at

    def _choice(self, frame, emitted):
        cue = self._cues.get(frame)
        if cue is None or (self._patience <= emitted and frame < self._wakes_at):
            return self.blank_id, 1
        return cue.token, cue.duration


def stalling(patience, wakes_at, frames=70):
    script = [Cue(frame, frame % 2) for frame in range(3, frames, 3)]
    joint = StallingJoint(script, patience=patience, wakes_at=wakes_at)
    return recognizer_of(LoudEncoder(), joint, FakePieces(["even", "odd"]))


@pytest.mark.parametrize("extra_samples", [0, 1, 500, 1279])
@pytest.mark.parametrize("frames", [(30, 5, 3), (30, 1, 0), (24, 12, 4), (25, 40, 0), (0, 70, 2)])
def test_a_stalled_stream_is_mended_at_the_right_frames(frames, extra_samples):
    # The first fifth is silence, so that the rest stands out against the window's floor.
    audio = loud_audio(71, range(14, 71))[: 70 * FRAME_SAMPLES + extra_samples]
    recognizer = stalling(patience=6, wakes_at=60)
    context = ContextConfig(*context_of(*frames))
    deaf = recognizer.stream(context)
    deaf.feed(audio)
    deaf.finish()
    assert [each.start_frame for each in deaf.tokens] == [*range(3, 19, 3), 60, 63, 66, 69]

    stream = recognizer.stream(context, stall_guard=StallGuard(min_speech_s=0.8))
    events = [*stream.feed(audio), *stream.finish()]
    # A cue is marked with its frame: one decoded at another index would be off here.
    heard = [each.start_frame for each in stream.tokens]
    assert heard == sorted(heard)
    assert {each.start_frame for each in stream.tokens if each.recovered} <= set(range(21, 60, 3))
    assert set(heard) > {each.start_frame for each in deaf.tokens}
    assert [each for event in events[:-1] for each in event.tokens] == list(stream.tokens)
    assert events[-1].transcript.tokens == stream.tokens


def test_a_gap_over_many_windows_is_found_whole():
    # Every sixth frame is a pause, as in speech: the guard measures against the quietest tenth.
    audio = loud_audio(70, [frame for frame in range(70) if frame % 6])
    stream = stalling(patience=6, wakes_at=99).stream(
        ContextConfig(*context_of(30, 2, 2)), stall_guard=StallGuard(min_speech_s=1.2)
    )
    stream.feed(audio)
    stream.finish()
    # From 19 to 36, then from 37 to 54, there are fifteen frames of speech; the fresh state hears
    # one token more before it stalls in turn. From 55 to the end there are too few.
    assert [each.start_frame for each in stream.tokens] == list(range(3, 57, 3))
    by_itself = [each.start_frame for each in stream.tokens if not each.recovered]
    assert by_itself == [*range(3, 19, 3), 36, 54]


def test_silence_is_never_mended():
    audio = loud_audio(70, range(14))
    stream = stalling(patience=2, wakes_at=99).stream(
        ContextConfig(*context_of(30, 5, 3)), stall_guard=StallGuard(min_speech_s=1.0)
    )
    stream.feed(audio)
    stream.finish()
    assert [each.start_frame for each in stream.tokens] == [3, 6]


@given(
    seed=st.integers(0, 9),
    frames=st.tuples(st.integers(0, 9), st.integers(1, 6), st.integers(0, 3)),
    samples=st.integers(0, 30 * FRAME_SAMPLES),
    cuts=st.lists(st.integers(0, 30 * FRAME_SAMPLES), max_size=5),
)
def test_with_a_guard_slicing_does_not_matter_either(seed, frames, samples, cuts):
    recognizer = hashed_recognizer(seed, blanks=0.9)
    guard = StallGuard(min_speech_s=0.2, above_floor_db=-20.0, min_confidence=0.0)
    audio = noise(30 * 0.08, seed=seed)[:samples]

    def events(pieces):
        stream = recognizer.stream(ContextConfig(*context_of(*frames)), stall_guard=guard)
        given = [event for piece in pieces for event in stream.feed(piece)]
        return [*given, *stream.finish()]

    whole = events([audio])
    assert events(sliced(audio, cuts)) == whole
    tokens = [each for event in whole if isinstance(event, Partial) for each in event.tokens]
    assert [each.start_frame for each in tokens] == sorted(each.start_frame for each in tokens)
