"""A stream between its windows and its words."""

from dataclasses import replace

import pytest

from parakeet_streaming.engine.stream_state import StreamOptions
from parakeet_streaming.engine.windowed_stream import after_silence
from parakeet_streaming.testing import Cue, ScriptedDecoderJoint, fake_recognizer, marked_audio
from parakeet_streaming.timeline import ContextConfig
from tests.model.decoding import initial_state


@pytest.mark.parametrize(
    ("carried", "frames", "quiet_after", "entered_at"),
    [
        (0, 6, 3, 2),  # 0, 4, 8: two frames behind the sixth
        (3, 6, 3, 1),  # 3, 7
        (2, 6, 0, 0),  # 2, 6
        (0, 6, 1, 0),  # somebody may speak two frames behind it
        (0, 6, 2, 2),
        (9, 6, 0, 3),  # a duration that reaches beyond is kept whatever lies behind
        (6, 6, 3, 0),
    ],
)
def test_silence_is_passed_over_by_the_longest_duration(carried, frames, quiet_after, entered_at):
    state = replace(initial_state(ScriptedDecoderJoint([], 1)), frames_to_skip=carried)
    after = after_silence(state, frames, quiet_after, 4)
    assert (after.frames_to_skip, after.decoded_frames) == (entered_at, frames)


def test_without_durations_every_frame_is_looked_at():
    state = initial_state(ScriptedDecoderJoint([], 1, durations=()))
    assert after_silence(state, 6, 3, 1).frames_to_skip == 0


def test_a_stream_ends_once():
    stream = fake_recognizer([], ["one"]).open(StreamOptions(ContextConfig(0.8, 0.4, 0.4)))
    stream.window.feed(marked_audio(3))
    stream.end(0.5)
    ended = stream.state()
    stream.end(9.0)
    again = stream.state()
    assert (again.audio_end, again.fed_samples) == (3 * 1280, 3 * 1280 + 8_000)
    assert (ended.audio_end, ended.fed_samples) == (again.audio_end, again.fed_samples)


@pytest.mark.parametrize("pushed_again", [0, 3_000])
@pytest.mark.parametrize("silence_s", [0.0, 0.1, 0.5])
def test_a_stream_that_ends_before_its_audio_came_again_ends_where_it_was_decoded_to(
    silence_s, pushed_again
):
    recognizer = fake_recognizer([Cue(1, 0), Cue(12, 1)], ["one", "two"])
    stream = recognizer.stream(ContextConfig(0.8, 0.4, 0.4))
    stream.feed(marked_audio(40))
    decoded = stream.windowed.window.decoded_samples
    assert decoded == 30 * 1280
    again = recognizer.restore(stream.snapshot(audio=False))
    needed = again.restored.next_sample
    assert needed + pushed_again < decoded
    again.push(marked_audio(40)[needed : needed + pushed_again])
    tokens = again.tokens
    again.end(silence_s)
    assert again.windowed.audio_end == decoded
    assert again.tokens == tokens
    final = again.finish()[-1]
    assert final.transcript.tokens == tokens
    assert final.transcript.audio_s == decoded / 16_000


def test_a_cut_ends_the_audio_for_the_windows_before_it_only():
    stream = fake_recognizer([], ["one"]).open(StreamOptions(ContextConfig(0.8, 0.4, 0.4)))
    stream.window.feed(marked_audio(9))
    stream.end(0.5, at=5 * 1280)
    assert (stream.audio_end, stream.window.cut_at) == (None, 5 * 1280)
    assert stream.window.flushing
