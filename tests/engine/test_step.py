"""Streams whose encoder keeps the left context, alone and beside streams of whole windows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.engine.stall import StallGuard
from parakeet_streaming.errors import OptionError
from parakeet_streaming.testing import (
    Cue,
    FakeEncoder,
    FakePieces,
    ScriptedDecoderJoint,
    fake_recognizer,
    marked_audio,
    noise,
    recognizer_of,
)
from parakeet_streaming.timeline import FRAME_SAMPLES, ContextConfig
from tests.model.hashed import HashedEncoder, HashedJoint, context_of, sliced

WORDS = ["one", "two", "three"]

contexts = st.tuples(st.integers(0, 5), st.integers(1, 4), st.integers(0, 3))
cuts = st.lists(st.integers(0, 40 * FRAME_SAMPLES), max_size=6)
durations = st.lists(st.integers(1, 4), max_size=30)


def script_of(each):
    starts = np.cumsum([0, *each])
    return [
        Cue(int(start), number % 3, duration=duration)
        for number, (start, duration) in enumerate(zip(starts, each, strict=False))
    ]


def opened(recognizer, frames, *, cached):
    return recognizer.stream(ContextConfig(*context_of(*frames)), cached=cached)


def fed(stream, pieces):
    return [*(event for piece in pieces for event in stream.feed(piece)), *stream.finish()]


@given(frames=contexts, each=durations, length=st.integers(0, 40), cuts=cuts)
def test_an_encoder_that_forgets_nothing_gives_the_events_of_whole_windows(
    frames, each, length, cuts
):
    recognizer = fake_recognizer(script_of(each), WORDS)
    audio = marked_audio(length)
    whole = fed(opened(recognizer, frames, cached=False), [audio])
    assert fed(opened(recognizer, frames, cached=True), sliced(audio, cuts)) == whole


@given(
    frames=contexts,
    each=durations,
    length=st.integers(0, 40 * FRAME_SAMPLES),
    off_by=st.sampled_from([-160, -1, 0, 1, 159, 160]),
    cuts=cuts,
)
def test_every_frame_of_any_audio_is_decoded_once(frames, each, length, off_by, cuts):
    """Unlike the reference, whose last window may stand off the grid of frames."""
    recognizer = fake_recognizer(script_of(each), WORDS)
    audio = marked_audio(41)[: max(0, length + off_by)]
    events = fed(opened(recognizer, frames, cached=True), [audio])
    assert fed(opened(recognizer, frames, cached=True), sliced(audio, cuts)) == events
    assert events[-1].transcript.tokens == recognizer.transcribe(audio).tokens


def test_one_sample_at_a_time():
    recognizer = fake_recognizer(script_of([3, 1, 4, 2]), WORDS)
    audio = marked_audio(5, extra_samples=321)
    whole = fed(opened(recognizer, (2, 1, 1), cached=True), [audio])
    assert fed(opened(recognizer, (2, 1, 1), cached=True), np.split(audio, len(audio))) == whole


@given(
    speakers=st.lists(
        st.tuples(contexts, st.integers(0, 30 * FRAME_SAMPLES), st.booleans()),
        min_size=1,
        max_size=5,
    ),
    each=durations,
)
def test_both_kinds_of_streams_share_a_step(speakers, each):
    recognizer = fake_recognizer(script_of(each), WORDS)
    streams, alone = [], []
    for frames, length, cached in speakers:
        audio = marked_audio(30)[:length]
        alone.append(fed(opened(recognizer, frames, cached=cached), [audio]))
        stream = opened(recognizer, frames, cached=cached)
        stream.push(audio)
        stream.end()
        streams.append(stream)
    given_events = [[] for _ in streams]
    while not all(stream.closed for stream in streams):
        for place, events in enumerate(recognizer.step(streams)):
            given_events[place] += events
    assert given_events == alone


class Failing(FakeEncoder):
    """Fails when it is asked to."""

    broken = False

    def encode(self, inputs):
        encoded = super().encode(inputs)
        if self.broken:
            raise MemoryError
        return encoded


def test_a_step_that_fails_is_tried_again_from_the_same_past():
    def started():
        encoder = Failing()
        joint = ScriptedDecoderJoint(script_of([2] * 9), len(WORDS))
        recognizer = recognizer_of(encoder, joint, FakePieces(WORDS))
        stream = opened(recognizer, (3, 2, 1), cached=True)
        stream.feed(marked_audio(6))
        return encoder, stream

    _, smooth = started()
    expected = fed(smooth, [marked_audio(20)[6 * FRAME_SAMPLES :]])
    encoder, stream = started()
    encoder.broken = True
    with pytest.raises(MemoryError):
        stream.feed(marked_audio(20)[6 * FRAME_SAMPLES :])
    encoder.broken = False
    assert stream.finish() == expected


def test_an_encoder_that_keeps_nothing_is_refused():
    recognizer = recognizer_of(HashedEncoder(), HashedJoint(), FakePieces(["a"] * 6))
    with pytest.raises(OptionError, match="--streaming cached"):
        recognizer.stream(cached=True)
    recognizer.stream().feed(noise(0.1))


def test_a_stall_guard_needs_the_left_context():
    with pytest.raises(OptionError, match="one of the two"):
        fake_recognizer([], WORDS).stream(cached=True, stall_guard=StallGuard())


def test_cached_steps_encode_chunk_and_right_context_alone():
    lengths = []

    class Counting(FakeEncoder):
        def encode(self, inputs):
            lengths.extend(len(each.samples) - each.left_samples for each in inputs)
            return super().encode(inputs)

    recognizer = recognizer_of(Counting(), ScriptedDecoderJoint([], 3), FakePieces(WORDS))
    fed(opened(recognizer, (5, 2, 1), cached=True), [marked_audio(20)])
    assert max(lengths) == 3 * FRAME_SAMPLES
