"""Contexts that change, flushes, skips at any moment: each frame is decoded once, at its time."""

import numpy as np
from hypothesis import event, given, settings
from hypothesis import strategies as st

from parakeet_streaming.results import Final, Partial
from parakeet_streaming.testing import (
    Cue,
    FakeEncoder,
    FakePieces,
    ScriptedDecoderJoint,
    fake_recognizer,
    marked_audio,
    recognizer_of,
)
from parakeet_streaming.timeline import FRAME_SAMPLES, ContextConfig
from tests.model.hashed import context_of, hashed_recognizer

WORDS = ["one", "two", "three"]

contexts = st.tuples(st.integers(0, 5), st.integers(1, 4), st.integers(0, 3)).map(
    lambda frames: ContextConfig(*context_of(*frames))
)
acts = st.lists(
    st.one_of(
        st.tuples(st.just("feed"), st.integers(0, 6 * FRAME_SAMPLES)),
        st.tuples(st.just("flush"), st.one_of(st.none(), st.integers(0, 40 * FRAME_SAMPLES))),
        st.tuples(st.just("use"), contexts),
        st.tuples(st.just("step"), st.none()),
    ),
    max_size=40,
)
durations = st.lists(st.integers(1, 4), min_size=1, max_size=30)


class ByFrame(ScriptedDecoderJoint):
    """Emits each cue on its frame, also when cues before it were passed over."""

    def _choice(self, frame, emitted):
        by_frame = {cue.frame: (cue.token, cue.duration) for cue in self.script}
        return by_frame.get(frame, (self.blank_id, 1))


def script_of(each):
    starts = np.cumsum([0, *each])
    return [
        Cue(int(start), number % 3, duration=duration)
        for number, (start, duration) in enumerate(zip(starts, each, strict=False))
    ]


def done(stream, audio, plan):
    """The events of a plan, with all that is left of the audio at its end."""
    events, at = [], 0
    for act, value in plan:
        if act == "feed":
            stream.push(audio[at : at + value])
            at = min(at + value, len(audio))
        elif act == "flush":
            window = stream.windowed.window
            window.flush(window.fed_samples if value is None else value)
        elif act == "use":
            stream.windowed.use(value)
        else:
            events += stream.step()
    stream.push(audio[at:])
    return [*events, *stream.finish()]


@settings(max_examples=300)
@given(
    context=contexts,
    each=durations,
    length=st.integers(0, 40),
    plan=acts,
    cached=st.booleans(),
)
def test_moving_borders_lose_and_repeat_nothing(context, each, length, plan, cached):
    recognizer = fake_recognizer(script_of(each), WORDS)
    audio = marked_audio(length)
    *_, whole = done(recognizer.stream(context), audio, [])
    *partials, final = done(recognizer.stream(context, cached=cached), audio, plan)
    assert final.transcript == whole.transcript
    assert [token for each in partials for token in each.tokens] == list(final.transcript.tokens)
    ends = [each.committed_s for each in partials]
    assert ends == sorted(ends)
    assert all(each.committed_s <= each.lookahead_end_s for each in partials)


@given(context=contexts, length=st.integers(0, 40), cut=st.integers(0, 40 * FRAME_SAMPLES))
def test_a_flush_decodes_all_but_a_started_frame(context, length, cut):
    stream = fake_recognizer([Cue(0, 0)], WORDS).stream(context)
    stream.push(marked_audio(length))
    stream.windowed.window.flush(cut)
    while stream.ready:
        stream.step()
    position = min(cut, length * FRAME_SAMPLES)
    assert stream.windowed.window.decoded_samples >= position
    assert stream.windowed.window.decoded_samples % FRAME_SAMPLES == 0


def test_a_flush_leaves_the_right_context_it_can():
    stream = fake_recognizer([Cue(4, 0), Cue(6, 1)], WORDS).stream(
        ContextConfig(*context_of(4, 4, 2))
    )
    stream.push(marked_audio(6))
    assert not stream.ready
    stream.windowed.window.flush(5 * FRAME_SAMPLES)
    window = stream.windowed.window.peek()
    assert (window.chunk_samples, window.right_samples) == (5 * FRAME_SAMPLES, FRAME_SAMPLES)
    (partial,) = stream.step()
    assert (partial.text, partial.committed_s, partial.lookahead_end_s) == ("one", 0.4, 0.48)


@settings(max_examples=300)
@given(
    context=contexts,
    each=durations,
    length=st.integers(1, 40),
    skips=st.lists(st.booleans(), min_size=41, max_size=41),
    cached=st.booleans(),
)
def test_a_skip_gives_up_its_own_frames_alone(context, each, length, skips, cached):
    script = script_of(each)
    recognizer = recognizer_of(FakeEncoder(), ByFrame(script, len(WORDS)), FakePieces(WORDS))
    stream = recognizer.stream(context, cached=cached)
    stream.push(marked_audio(length))
    stream.end()
    events, lost, number = [], [], 0
    while stream.ready:
        first = stream.windowed.decoder.decoded_frames
        skipping = skips[number]
        number += 1
        events += stream.windowed.skip() if skipping else stream.step()
        if skipping:
            lost.append(range(first, stream.windowed.decoder.decoded_frames))
    assert isinstance(events[-1], Final)
    given = {token.start_frame for token in events[-1].transcript.tokens}
    wanted = {cue.frame for cue in script if cue.frame < length}
    missed = {frame for frame in wanted if any(frame in each for each in lost)}
    assert given == wanted - missed
    assert all(isinstance(event, Partial) for event in events[:-1])
    assert stream.closed


class Strider(ScriptedDecoderJoint):
    """Goes by four frames at a time, as trained models do where nobody speaks.

    Each cue is heard in four frames from its own on: in which of them depends on where the decoder
    came from.
    """

    def _choice(self, frame, emitted):
        heard = (cue.token for cue in self.script if cue.frame <= frame < cue.frame + 4)
        return next(heard, self.blank_id), 4


@settings(max_examples=300)
@given(
    context=contexts,
    pauses=st.lists(st.integers(4, 30), max_size=8),
    length=st.integers(1, 120),
    cached=st.booleans(),
)
def test_passing_over_silence_changes_no_token_and_no_time(context, pauses, length, cached):
    frames = np.cumsum(pauses).tolist()
    script = [Cue(frame, number % 3) for number, frame in enumerate(frames)]

    def quiet(span):
        first, end = span.chunk_start // FRAME_SAMPLES, -(-span.chunk_end // FRAME_SAMPLES)
        return not any(first - 4 < frame < end + 3 for frame in frames)

    heard, skipped = [], 0
    for skipping in (False, True):
        recognizer = recognizer_of(FakeEncoder(), Strider(script, len(WORDS)), FakePieces(WORDS))
        stream = recognizer.stream(context, cached=cached)
        stream.push(marked_audio(length))
        stream.end()
        while not stream.closed:
            span = stream.windowed.window.next_span()
            if skipping and span is not None and quiet(span):
                stream.windowed.skip(3 * FRAME_SAMPLES)
                skipped += 1
            else:
                stream.step()
        heard.append([(token.id, token.start_frame) for token in stream.tokens])
    assert heard[0] == heard[1]
    assert len(heard[0]) >= sum(frame + 4 <= length for frame in frames)
    event(f"skipped {min(skipped, 3)}")


def test_skipping_nothing_gives_nothing():
    stream = fake_recognizer([Cue(0, 0)], WORDS).stream()
    assert stream.windowed.skip() == ()
    stream.end()
    (final,) = stream.windowed.skip()
    assert final.transcript.text == ""


def test_silence_behind_the_audio_is_heard_and_not_counted():
    stream = fake_recognizer([Cue(3, 0), Cue(5, 1, duration=4)], WORDS).stream()
    stream.push(marked_audio(4, 100))
    stream.end(silence_s=0.5)
    *_, partial, final = stream.finish()
    end_s = (4 * FRAME_SAMPLES + 100) / 16_000
    assert final.transcript.audio_s == partial.committed_s == partial.lookahead_end_s == end_s
    assert all(word.end <= end_s for word in final.transcript.words)
    decoded = stream.windowed.decoder.decoded_frames
    assert decoded == 11


def test_utterances_share_out_the_tokens():
    recognizer = hashed_recognizer(3)
    stream = recognizer.stream(ContextConfig(*context_of(4, 2, 1)))
    generator = np.random.default_rng(1)
    finals = []
    for _ in range(4):
        stream.feed(generator.standard_normal(9_000).astype(np.float32))
        finals.append(stream.windowed.end_utterance("commit"))
    finals += [event for event in stream.finish() if isinstance(event, Final)]
    assert [final.utterance for final in finals] == [0, 1, 2, 3, 4]
    assert [final.reason for final in finals] == ["commit"] * 4 + ["end"]
    assert tuple(t for final in finals for t in final.transcript.tokens) == stream.tokens
