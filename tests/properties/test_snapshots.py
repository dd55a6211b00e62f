"""A stream is cut at any moments and goes on elsewhere: its events are those of an uncut one."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from parakeet_streaming.engine.stall import StallGuard
from parakeet_streaming.testing import fake_recognizer, marked_audio, noise
from parakeet_streaming.timeline import FRAME_SAMPLES, ContextConfig
from tests.engine.test_step import WORDS, script_of
from tests.model.hashed import context_of, hashed_recognizer, sliced

contexts = st.tuples(st.integers(0, 5), st.integers(1, 4), st.integers(0, 3))
acts = st.lists(
    st.tuples(
        st.integers(0, 9_000),
        st.sampled_from(["none", "whole", "no audio", "no history"]),
        st.sampled_from(["", "flush", "use", "utterance"]),
        contexts,
    ),
    max_size=8,
)


def run(open_recognizer, options, audio, plan, *, cut):
    """Events of a stream that is fed by a plan; where `cut`, it goes on from snapshots."""
    context, choices = options
    stream = open_recognizer().stream(context, **choices)
    events, at = [], 0
    for count, how, act, frames in plan:
        events += stream.feed(audio[at : at + count])
        at = min(at + count, len(audio))
        if act == "flush":
            stream.windowed.window.flush(at)
        elif act == "use":
            stream.windowed.use(ContextConfig(*context_of(*frames)))
        elif act == "utterance":
            events.append(stream.windowed.end_utterance("commit"))
        if cut and how != "none":
            data = stream.snapshot(audio=how != "no audio", earlier_utterances=how != "no history")
            stream = open_recognizer().restore(data)
            assert stream.restored.resumed == "exact"
            # Without its audio the stream is given again what its windows to come can reach.
            stream.push(audio[stream.restored.next_sample : at])
    return [*events, *stream.feed(audio[at:]), *stream.finish()]


@settings(max_examples=200)
@given(
    seed=st.integers(0, 2**32 - 1),
    frames=contexts,
    samples=st.integers(0, 40_000),
    plan=acts,
    tentative=st.booleans(),
    guarded=st.booleans(),
)
def test_a_cut_stream_of_whole_windows_is_as_an_uncut_one(
    seed, frames, samples, plan, tentative, guarded
):
    guard = StallGuard(min_speech_s=0.2, above_floor_db=-20.0, min_confidence=0.0)
    choices = {"tentative": tentative, "stall_guard": guard if guarded else None}
    options = ContextConfig(*context_of(*frames)), choices
    audio = noise(2.5, seed=seed % 1000)[:samples]

    def open_recognizer():
        return hashed_recognizer(seed, blanks=0.4)

    uncut = run(open_recognizer, options, audio, plan, cut=False)
    assert run(open_recognizer, options, audio, plan, cut=True) == uncut


@settings(max_examples=100)
@given(
    frames=contexts,
    each=st.lists(st.integers(1, 4), max_size=30),
    length=st.integers(0, 40),
    plan=acts,
)
def test_a_cut_stream_that_keeps_its_past_is_as_an_uncut_one(frames, each, length, plan):
    options = ContextConfig(*context_of(*frames)), {"cached": True}
    audio = marked_audio(length)

    def open_recognizer():
        return fake_recognizer(script_of(each), WORDS)

    uncut = run(open_recognizer, options, audio, plan, cut=False)
    assert run(open_recognizer, options, audio, plan, cut=True) == uncut


def test_cut_after_every_sample():
    audio = noise(0.3)[: 3 * FRAME_SAMPLES + 17]
    context = ContextConfig(*context_of(1, 1, 1))
    whole = hashed_recognizer(blanks=0.3).stream(context)
    expected = [*whole.feed(audio), *whole.finish()]
    stream, events = hashed_recognizer(blanks=0.3).stream(context), []
    for piece in sliced(audio, list(range(0, len(audio), 7))):
        events += stream.feed(piece)
        stream = hashed_recognizer(blanks=0.3).restore(stream.snapshot())
    assert [*events, *stream.finish()] == expected
    assert np.array_equal([each.id for each in stream.tokens], [each.id for each in whole.tokens])
