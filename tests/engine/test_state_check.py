"""Values that no stream can have are found, each by its name; those of a stream are not."""

from dataclasses import fields, replace

import numpy as np
import pytest

from parakeet_streaming.audio.resample import ResamplerState
from parakeet_streaming.engine.state_check import check_state
from parakeet_streaming.engine.stream_state import AudioEnd, UtteranceEnd
from parakeet_streaming.errors import SnapshotError
from parakeet_streaming.results import Token
from parakeet_streaming.testing import Cue, fake_recognizer, marked_audio, noise
from parakeet_streaming.timeline import ContextConfig

WORDS = ("one", "two")
CONTEXT = ContextConfig(0.4, 0.3, 0.2)
LONGEST_DURATION = 4
FED, DECODED = 20 * 1280, 15 * 1280
TOKEN = Token(1, "two", 3, 1, 0.24, 0.32, 0.5)


def stream_of(rate_hz=16_000):
    recognizer = fake_recognizer([Cue(1, 0), Cue(4, 1)], WORDS)
    return recognizer.stream(replace(CONTEXT, sample_rate=rate_hz))


def state_of(**parts):
    """A stream's state; of each part named, some values are others."""
    stream = stream_of()
    stream.feed(marked_audio(20))
    state = stream.windowed.state()
    for name, changes in parts.items():
        if name == "emissions":
            emissions = replace(state.transcript.emissions, **changes)
            state = replace(state, transcript=replace(state.transcript, emissions=emissions))
        elif name == "stream":
            state = replace(state, **changes)
        else:
            state = replace(state, **{name: replace(getattr(state, name), **changes)})
    return state


def test_a_cut_may_have_been_decoded_into_its_tail():
    tail = np.zeros(100, np.float32)
    check(state_of(window={"cut_at": DECODED - 99, "cut_tail": tail}))
    with pytest.raises(SnapshotError, match="impossible values: cut's end"):
        check(state_of(window={"cut_at": DECODED - 100, "cut_tail": tail}))


def check(state):
    check_state(state, len(WORDS), LONGEST_DURATION)


@pytest.mark.parametrize("frames", [0, 1, 5, 20])
@pytest.mark.parametrize("silence_s", [None, 0.0, 0.5])
@pytest.mark.parametrize("audio", [True, False])
def test_a_state_of_a_stream_is_sound(frames, silence_s, audio):
    stream = stream_of()
    stream.feed(marked_audio(frames, extra_samples=77))
    if silence_s is not None:
        stream.end(silence_s)
    check(stream.windowed.state(audio=audio))
    while stream.windowed.window.next_span() is not None:
        stream.step()
        if not stream.closed:
            check(stream.windowed.state(audio=audio))


@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 48_000, 11_025])
def test_a_state_with_a_resampler_is_sound(rate_hz):
    stream = stream_of(rate_hz)
    for piece in np.array_split(noise(6.0), 50):
        stream.feed(piece)
        state = stream._resampler.state()
        check(replace(stream.windowed.state(), resampler=state))


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        ({"window": {"samples": np.zeros((4, 4), np.float32)}}, "samples"),
        ({"window": {"kept_from": -1}}, "positions"),
        ({"window": {"kept_from": 1_000_000}}, "positions"),
        ({"window": {"decoded_samples": -1_280}}, "positions"),
        ({"window": {"decoded_samples": 2**50}}, "positions"),
        ({"window": {"flush_to": -1}}, "flush"),
        ({"window": {"decoded_samples": 1_280}}, "frames"),
        ({"decoder": {"decoded_frames": 0}}, "frames"),
        ({"decoder": {"decoded_frames": 2**50}}, "frames"),
        ({"window": {"audio_end": 1_280}}, "ended"),
        ({"stream": {"audio_end": 1_280}}, "ended"),
        ({"stream": {"closed": True}}, "ended"),
        ({"window": {"audio_end": -1}, "stream": {"audio_end": -1}}, "audio end"),
        ({"window": {"audio_end": 10**6}, "stream": {"audio_end": 10**6}}, "audio end"),
        ({"decoder": {"frames_to_skip": -1}}, "skipped frames"),
        ({"decoder": {"frames_to_skip": LONGEST_DURATION + 1}}, "skipped frames"),
        ({"decoder": {"last_token": -1}}, "token"),
        ({"decoder": {"last_token": 3}}, "token"),
        ({"stream": {"stall_from": -1}}, "stall"),
        ({"stream": {"stall_from": 10**6}}, "stall"),
        ({"stream": {"past": 3}}, "past"),
        ({"transcript": {"utterance": -1}}, "utterance"),
        ({"transcript": {"utterance_from": -1}}, "utterance's start"),
        ({"transcript": {"utterance_from": 3}}, "utterance's start"),
        ({"transcript": {"audio_end": AudioEnd(1.0)}}, "ends of utterances"),
        ({"transcript": {"ends": (UtteranceEnd(3, None),)}}, "ends of utterances"),
        ({"transcript": {"ends": (UtteranceEnd(-1, None),)}}, "ends of utterances"),
        (
            {"transcript": {"ends": (UtteranceEnd(1, AudioEnd(-1.0)),)}},
            "ends of utterances",
        ),
        ({"window": {"reach_from": -1}}, "reach"),
        ({"window": {"flush_to": 2_560, "flush_seen_to": 1_280}}, "flush"),
        ({"window": {"flush_seen_to": 2**50}}, "flush"),
        ({"window": {"cut_at": -1}}, "cut"),
        ({"window": {"cut_at": 2**50}}, "cut"),
        ({"window": {"cut_at": DECODED}}, "cut's end"),
        (
            {"window": {"flush_seen_to": 10**6, "audio_end": FED}, "stream": {"audio_end": FED}},
            "audio end",
        ),
        (
            {"window": {"cut_at": 10**6, "audio_end": FED}, "stream": {"audio_end": FED}},
            "audio end",
        ),
        ({"window": {"begun_at": -1}}, "beginning"),
        ({"window": {"begun_at": 10**9}}, "beginning"),
        ({"window": {"cut_tail": np.zeros((2, 2), np.float32)}}, "tail"),
        ({"window": {"cut_tail": np.zeros(99_999, np.float32)}}, "tail"),
        ({"transcript": {"last": replace(TOKEN, id=2)}}, "text"),
        ({"transcript": {"last": replace(TOKEN, id=-1)}}, "text"),
        ({"transcript": {"before_utterance": replace(TOKEN, start_frame=-1)}}, "text"),
        ({"transcript": {"tentative": (replace(TOKEN, duration_frames=-1),)}}, "text"),
        ({"transcript": {"tentative": (TOKEN, replace(TOKEN, end=0.0))}}, "text"),
        ({"transcript": {"tentative": (replace(TOKEN, start=-1.0),)}}, "text"),
        ({"transcript": {"tentative": (replace(TOKEN, confidence=1.5),)}}, "text"),
        ({"transcript": {"tentative": (replace(TOKEN, confidence=-0.5),)}}, "text"),
        ({"transcript": {"last": replace(TOKEN, unfinished="no")}}, "text"),
        ({"transcript": {"last": replace(TOKEN, unfinished="e2828282")}}, "text"),
        ({"emissions": {"frames": np.zeros(3, np.int64)}}, "emissions"),
        ({"emissions": {"token_ids": np.array([0, 2], np.int32)}}, "tokens"),
        ({"emissions": {"token_ids": np.array([-1, 0], np.int32)}}, "tokens"),
        ({"emissions": {"frames": np.array([1, 2**60])}}, "times"),
        ({"emissions": {"frames": np.array([-1, 4])}}, "times"),
        ({"emissions": {"durations_frames": np.array([-1, 4], np.int16)}}, "durations"),
        ({"emissions": {"confidences": np.array([0.5, 1.5])}}, "confidences"),
        ({"emissions": {"recovered": np.array([0, 2], np.int8)}}, "recovered"),
        ({"stream": {"resampler": ResamplerState(np.zeros(9, np.float32), 3)}}, "resampler"),
    ],
)
def test_values_that_no_stream_can_have_are_refused_by_name(parts, name):
    check(state_of())
    with pytest.raises(SnapshotError, match=rf"impossible values: (.*, )?{name}(,|$)"):
        check(state_of(**parts))


def test_emissions_are_columns():
    emissions = state_of().transcript.emissions
    square = {each.name: getattr(emissions, each.name)[None] for each in fields(emissions)}
    with pytest.raises(SnapshotError, match="impossible values: emissions"):
        check(state_of(emissions=square))


@pytest.mark.parametrize(
    "forged",
    [
        ResamplerState(np.zeros((2, 2), np.float32), 0),
        ResamplerState(np.zeros(100, np.float32), -1),
        ResamplerState(np.zeros(100, np.float32), 201),
    ],
)
def test_a_resampler_that_cannot_be_is_refused(forged):
    state = stream_of(8_000).windowed.state()
    check(replace(state, resampler=ResamplerState(np.zeros(100, np.float32), 200)))
    with pytest.raises(SnapshotError, match="resampler"):
        check(replace(state, resampler=forged))
