"""One stream: what it takes, what it refuses, what it gives at its borders and at its end."""

import numpy as np
import pytest

from parakeet_streaming.errors import AudioInputError, StreamClosedError
from parakeet_streaming.results import Final, Partial
from parakeet_streaming.testing import (
    Cue,
    FakePieces,
    fake_recognizer,
    marked_audio,
    noise,
    recognizer_of,
    silence,
)
from parakeet_streaming.timeline import FRAME_SAMPLES, ContextConfig
from tests.model.hashed import TEXTS, HashedEncoder, HashedJoint, context_of, hashed_recognizer

WORDS = ["one", "two", "three", "+.", "+ty"]
CONTEXT = ContextConfig(*context_of(8, 4, 2))


def streamed(script, frames, context=CONTEXT, extra_samples=0, **choices):
    """Frames of the tokens of each step, committed and tentative, and the transcript."""
    stream = fake_recognizer(script, WORDS, **choices).stream(context)
    events = [*stream.feed(marked_audio(frames, extra_samples)), *stream.finish()]
    *partials, final = events
    assert all(isinstance(each, Partial) for each in partials)
    assert isinstance(final, Final)
    committed = [[each.start_frame for each in partial.tokens] for partial in partials]
    tentative = [[each.start_frame for each in partial.tentative] for partial in partials]
    return committed, tentative, final.transcript


def test_a_token_on_the_border_belongs_to_the_chunk_it_starts_in():
    script = [Cue(3, 0), Cue(4, 1), Cue(7, 2), Cue(8, 0)]
    committed, tentative, transcript = streamed(script, 14)
    assert committed == [[3], [4, 7], [8]]
    assert tentative == [[4], [8], []]
    assert transcript.text == "one two three one"
    assert [each.start for each in transcript.tokens] == [0.24, 0.32, 0.56, 0.64]


def test_a_duration_over_the_border_is_not_decoded_twice():
    committed, tentative, _ = streamed([Cue(3, 0, duration=4), Cue(7, 1)], 14)
    assert committed == [[3], [7], []]
    # Seen early, frames 4 and 5 lie within that duration.
    assert tentative == [[], [], []]


def test_a_duration_over_chunks_of_one_frame():
    context = ContextConfig(*context_of(3, 1, 0))
    committed, _, _ = streamed([Cue(1, 0, duration=4), Cue(5, 1), Cue(6, 2)], 8, context)
    assert committed == [[], [0 + 1], [], [], [], [5], [6], []]


def test_a_step_without_a_token_is_still_an_event():
    committed, _, transcript = streamed([Cue(13, 0)], 14)
    assert committed == [[], [], [13]]
    assert transcript.words[0].end == pytest.approx(1.12)


def test_a_mark_in_the_next_chunk_joins_the_word_before_it():
    stream = fake_recognizer([Cue(2, 0), Cue(5, 3), Cue(6, 4)], WORDS).stream(CONTEXT)
    first, second, final = stream.feed(marked_audio(10)) + stream.finish()
    assert (first.text, first.tentative_text) == ("one", ".")
    assert second.text == ".ty"
    # The mark ends where the word ended, in the chunk before.
    assert (second.tokens[0].start, second.tokens[0].end) == (0.24, 0.24)
    assert [each.text for each in final.transcript.words] == ["one.ty"]


def test_the_first_tentative_word_has_no_space_and_commits_as_it_was():
    stream = fake_recognizer([Cue(4, 0), Cue(5, 1)], WORDS).stream(CONTEXT)
    first, second, _ = stream.feed(marked_audio(10)) + stream.finish()
    assert (first.text, first.tentative_text) == ("", "one two")
    assert (second.text, second.tentative_text) == ("one two", "")
    assert second.tokens == first.tentative


def test_without_tentative_the_right_context_stays_silent():
    script = [Cue(4, 0), Cue(8, 1)]
    stream = fake_recognizer(script, WORDS).stream(CONTEXT, tentative=False)
    events = stream.feed(marked_audio(14)) + stream.finish()
    assert [each.tentative for each in events[:-1]] == [(), (), ()]
    assert [each.start_frame for each in events[-1].transcript.tokens] == [4, 8]


@pytest.mark.parametrize("frames", range(1, 20))
@pytest.mark.parametrize("extra_samples", [0, 1, 159, 160, 1279])
def test_every_length_is_decoded_to_its_end(frames, extra_samples):
    partly = extra_samples >= 160
    script = [Cue(frame, frame % 3) for frame in range(frames + partly)]
    committed, _, transcript = streamed(script, frames, extra_samples=extra_samples)
    assert [each.start_frame for each in transcript.tokens] == list(range(frames + partly))
    assert [frame for step in committed for frame in step] == list(range(frames + partly))
    assert transcript.audio_s == (frames * FRAME_SAMPLES + extra_samples) / 16_000


@pytest.mark.parametrize("frames", [(0, 1, 0), (0, 4, 0), (3, 1, 0), (0, 1, 3), (1, 3, 7)])
def test_contexts_of_nothing(frames):
    script = [Cue(frame, 0) for frame in range(20)]
    committed, _, _ = streamed(script, 20, ContextConfig(*context_of(*frames)))
    assert [frame for step in committed for frame in step] == list(range(20))


@pytest.mark.parametrize("seconds", [0.24, 0.56, 1.12])
def test_contexts_that_floats_cannot_hold(seconds):
    context = ContextConfig(seconds, seconds, seconds)
    frames = round(seconds / 0.08)
    script = [Cue(frame, 0) for frame in range(60)]
    committed, _, _ = streamed(script, 60, context)
    assert committed[0] == list(range(frames))
    assert [frame for step in committed for frame in step] == list(range(60))


@pytest.mark.parametrize("samples", [1, 159])
def test_less_than_a_feature_frame_is_a_step_without_tokens(samples):
    stream = hashed_recognizer(blanks=0.0).stream(CONTEXT)
    assert stream.feed(noise(1.0)[:samples]) == []
    partial, final = stream.finish()
    assert (partial.tokens, partial.tentative) == ((), ())
    assert (
        partial.committed_s
        == partial.lookahead_end_s
        == final.transcript.audio_s
        == samples / 16_000
    )


def test_seconds_of_the_steps():
    stream = fake_recognizer([], WORDS).stream(CONTEXT)
    events = stream.feed(marked_audio(13)) + stream.finish()
    assert [(each.committed_s, each.lookahead_end_s) for each in events[:-1]] == [
        (0.32, 0.48),
        (0.64, 0.8),
        (1.04, 1.04),
    ]


@pytest.mark.parametrize("rate_hz", [16_000, 48_000])
def test_nothing_fed_gives_an_empty_final(rate_hz):
    stream = hashed_recognizer().stream(ContextConfig(sample_rate=rate_hz))
    assert stream.feed([]) == []
    (final,) = stream.finish()
    assert (final.transcript.text, final.transcript.tokens) == ("", ())
    assert final.transcript.audio_s == 0.0
    assert stream.closed


def test_silence_is_heard_like_anything_else():
    stream = fake_recognizer([], WORDS).stream(CONTEXT)
    events = stream.feed(silence(1.0)) + stream.finish()
    assert [each.text for each in events[:-1]] == [""] * len(events[:-1])
    assert events[-1].transcript.audio_s == 1.0


def test_a_closed_stream_takes_nothing_and_stays_readable():
    stream = fake_recognizer([Cue(1, 0)], WORDS).stream(CONTEXT)
    stream.feed(marked_audio(5))
    assert not stream.closed
    final = stream.finish()[-1]
    for call in (stream.finish, lambda: stream.feed([]), lambda: stream.push([0.0])):
        with pytest.raises(StreamClosedError, match="open a new one"):
            call()
    stream.end()
    assert (stream.closed, stream.ready, stream.step()) == (True, False, ())
    assert stream.transcript() == final.transcript
    assert stream.windowed.tentative == ()


def test_after_the_end_no_sample_is_taken_though_steps_remain():
    stream = fake_recognizer([Cue(1, 0)], WORDS).stream(CONTEXT)
    stream.push(marked_audio(5))
    stream.end()
    with pytest.raises(StreamClosedError):
        stream.feed([0.0])
    assert (stream.closed, stream.ready) == (False, True)
    partial, final = stream.step()
    assert partial.text == final.transcript.text == "one"


def test_push_runs_nothing_and_step_runs_one():
    recognizer = fake_recognizer([], WORDS)
    stream = recognizer.stream(CONTEXT)
    stream.push(marked_audio(14))
    assert (stream.ready, stream.windowed.window.buffered_samples) == (True, 14 * FRAME_SAMPLES)
    (first,) = stream.step()
    (second,) = stream.step()
    assert (first.committed_s, second.committed_s) == (0.32, 0.64)
    assert (stream.ready, stream.step()) == (False, ())
    assert stream.windowed.window.buffered_samples == 6 * FRAME_SAMPLES


def test_state_between_steps_can_be_read():
    stream = fake_recognizer([Cue(1, 0), Cue(5, 1)], WORDS).stream(CONTEXT)
    stream.feed(marked_audio(7))
    assert [each.text for each in stream.tokens] == ["one"]
    assert [each.text for each in stream.windowed.tentative] == [" two"]
    assert stream.transcript().text == "one"
    assert stream.transcript().audio_s == 0.32
    assert stream.context is CONTEXT


@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_refused_samples_leave_the_stream_as_it_was(rate_hz, bad):
    audio = noise(3.0)
    context = ContextConfig(0.4, 0.3, 0.2, sample_rate=rate_hz)
    recognizer = hashed_recognizer(blanks=0.3)
    clean, hurt = recognizer.stream(context), recognizer.stream(context)
    poisoned = audio[9_000:].copy()
    poisoned[-1] = bad
    before = hurt.feed(audio[:9_000])
    with pytest.raises(AudioInputError):
        hurt.feed(poisoned)
    with pytest.raises(AudioInputError):
        hurt.feed(np.zeros((2, 2, 2)))
    after = [*hurt.feed(audio[9_000:]), *hurt.finish()]
    assert [*before, *after] == [*clean.feed(audio), *clean.finish()]


def test_samples_of_any_type_and_channels_are_taken():
    audio = (noise(2.0) * 20_000).astype(np.int16)
    stereo = np.stack([audio, audio], axis=1)
    recognizer = hashed_recognizer(blanks=0.3)
    finals = []
    for samples in (audio, stereo, audio.astype(np.float64) / 2**15):
        stream = recognizer.stream(CONTEXT)
        stream.feed(samples)
        finals.append(stream.finish()[-1])
    assert finals[0].transcript.tokens
    assert finals[0] == finals[1] == finals[2]


class Failing:
    """Passes calls of one method on, and raises on those numbered."""

    def __init__(self, inner, method, fails_on):
        self._inner, self._method, self._fails_on = inner, method, set(fails_on)
        self._calls = 0

    def __getattr__(self, name):
        attribute = getattr(self._inner, name)
        return self._call if name == self._method else attribute

    def _call(self, *args):
        self._calls += 1
        if self._calls in self._fails_on:
            raise MemoryError("no room")
        return getattr(self._inner, self._method)(*args)


def retried(call, again):
    """The events of a call that is tried again after every error, and the number of errors."""
    errors = 0
    while True:
        try:
            return call(), errors
        except MemoryError:
            errors += 1
            call = again


@pytest.mark.parametrize("part", ["encode", "score", "advance", "text_of"])
@pytest.mark.parametrize("rate_hz", [16_000, 8_000])
def test_a_step_that_failed_can_be_run_again_and_no_event_is_lost(part, rate_hz):
    audio = noise(3.0)
    context = ContextConfig(0.4, 0.3, 0.2, sample_rate=rate_hz)
    clean = hashed_recognizer(blanks=0.3).stream(context)
    expected = [clean.feed(audio[:30_000]), clean.feed(audio[30_000:]), clean.finish()]

    encoder, joint, pieces = HashedEncoder(), HashedJoint(blanks=0.3), FakePieces(TEXTS)
    fails_on = [2, 3, 7, 12, 20]
    if part == "encode":
        encoder = Failing(encoder, part, fails_on)
    elif part == "text_of":
        pieces = Failing(pieces, part, fails_on)
    else:
        joint = Failing(joint, part, fails_on)
    stream = recognizer_of(encoder, joint, pieces).stream(context)
    calls = (lambda: stream.feed(audio[:30_000]), lambda: stream.feed(audio[30_000:]))
    given = [retried(call, lambda: stream.feed([])) for call in calls]
    given.append(retried(stream.finish, stream.finish))
    assert [events for events, _ in given] == expected
    assert sum(errors for _, errors in given) > 2


def test_the_end_of_the_audio_is_known_behind_it():
    stream = fake_recognizer([Cue(1, 0)], WORDS).stream(CONTEXT)
    stream.push(marked_audio(5))
    assert stream.windowed.audio_end is None
    stream.end(silence_s=0.5)
    assert stream.windowed.audio_end == 5 * FRAME_SAMPLES
    assert stream.windowed.window.fed_samples == 5 * FRAME_SAMPLES + 8_000
