"""A stream between its windows and its words."""

from dataclasses import replace

import pytest

from parakeet_streaming.engine.stall import StallGuard
from parakeet_streaming.engine.stream_state import StreamOptions
from parakeet_streaming.engine.windowed_stream import settled
from parakeet_streaming.testing import Cue, fake_recognizer, marked_audio
from parakeet_streaming.timeline import ContextConfig


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


@pytest.mark.parametrize("pushed_again", [0, 3_000])
@pytest.mark.parametrize("commits", [True, False])
def test_a_stream_that_lacks_the_audio_of_an_end_that_was_asked_for_ends_there(
    commits, pushed_again
):
    recognizer = fake_recognizer([Cue(1, 0), Cue(12, 1)], ["one", "two"])
    stream = recognizer.stream(ContextConfig(0.8, 0.4, 0.4))
    stream.feed(marked_audio(40))
    if commits:
        stream.windowed.end(0.5, at=38 * 1280)
    else:
        stream.windowed.window.flush(36 * 1280, 38 * 1280)
    again = recognizer.restore(stream.snapshot(audio=False))
    needed = again.restored.next_sample
    again.push(marked_audio(40)[needed : needed + pushed_again])
    again.end(0.5)
    assert again.windowed.audio_end == 38 * 1280
    final = again.finish()[-1]
    assert final.transcript.tokens == stream.tokens
    assert final.transcript.audio_s == pytest.approx(38 * 0.08)


def test_a_cut_ends_the_audio_for_the_windows_before_it_only():
    stream = fake_recognizer([], ["one"]).open(StreamOptions(ContextConfig(0.8, 0.4, 0.4)))
    stream.window.feed(marked_audio(9))
    stream.end(0.5, at=5 * 1280)
    assert (stream.audio_end, stream.window.cut_at) == (None, 5 * 1280)
    assert stream.window.flushing


def stepped(recognizer, stream):
    step = recognizer.prepare([stream])
    step.encode()
    step.decode()
    return step.commit()[0]


@pytest.mark.parametrize("tentative", [True, False])
def test_what_is_settled_is_what_was_tentative_and_decoding_goes_on_after_it(tentative):
    script = [Cue(1, 0), Cue(7, 1, 3), Cue(11, 0), Cue(17, 0)]
    recognizer = fake_recognizer(script, ["one", "two"])
    stream = recognizer.open(StreamOptions(ContextConfig(0.8, 0.4, 0.4), tentative=tentative))
    stream.window.feed(marked_audio(22))
    stepped(recognizer, stream)
    assert stream.read_to == (10 if tentative else 5) * 1280
    last = stream.last_token
    assert last.text == (" two" if tentative else "one")
    result = settled(stream, 10 * 1280)
    partial = stream.as_partial(result)
    stream.commit(result, partial)
    assert (partial.text, partial.tentative) == (" two" if tentative else "", ())
    assert (partial.committed_s, partial.lookahead_end_s) == (0.8, 0.8)
    assert (stream.window.decoded_samples, stream.read_to) == (12_800, 12_800)
    assert (stream.ahead, stream.tentative, stream.last_token.text) == (None, (), last.text)
    if tentative:
        # The token's three frames are the rest of the right context.
        assert (stream.decoder.decoded_frames, stream.decoder.frames_to_skip) == (10, 0)
        stream.end()
        stepped(recognizer, stream)
        (*_, final) = stepped(recognizer, stream)
        assert final.transcript.text == "one two one one"


@pytest.mark.parametrize(("right", "knows"), [(0, False), (1_000, False), (2_560, True)])
def test_only_whole_frames_can_be_settled(right, knows):
    recognizer = fake_recognizer([Cue(1, 0)], ["one", "two"])
    stream = recognizer.open(StreamOptions(ContextConfig(0.8, 0.4, 0.4)))
    stream.window.feed(marked_audio(4))
    stream.window.flush(2 * 1280, 2 * 1280 + right)
    stepped(recognizer, stream)
    assert (stream.ahead is not None) is knows
    assert stream.read_to == 2 * 1280 + (right if knows else 0)


def test_the_stall_guard_sees_every_chunk():
    recognizer = fake_recognizer([Cue(1, 0)], ["one", "two"])
    options = StreamOptions(ContextConfig(0.8, 0.4, 0.4), stall_guard=StallGuard())
    stream = recognizer.open(options)
    stream.window.feed(marked_audio(11))
    stepped(recognizer, stream)
    assert (stream.ahead, stream.read_to) == (None, 5 * 1280)


def test_a_chunk_that_is_passed_over_and_another_context():
    script = [Cue(frame, 0) for frame in range(0, 20, 2)]
    recognizer = fake_recognizer(script, ["one"])
    stream = recognizer.open(StreamOptions(ContextConfig(0.8, 0.4, 0.4)))
    stream.window.feed(marked_audio(22))
    (partial,) = stream.skip()
    assert (partial.tokens, partial.committed_s) == ((), 0.4)
    stream.use(ContextConfig(0.8, 0.8, 0.4))
    assert stream.options.context == ContextConfig(0.8, 0.8, 0.4)
    (partial,) = stepped(recognizer, stream)
    assert partial.committed_s == pytest.approx(1.2)
    assert [token.start_frame for token in partial.tokens] == [6, 8, 10, 12, 14]


def test_phrases_may_change_between_two_steps():
    recognizer = fake_recognizer([Cue(1, 0), Cue(12, 1)], ["one", "two"])
    stream = recognizer.stream(ContextConfig(0.8, 0.4, 0.4))
    stream.feed(marked_audio(9))
    stream.use_phrases(["two"])
    chosen = stream.windowed.options.boosting
    assert [each.text for each in chosen.phrases] == ["two"]
    assert len(stream.windowed.biases) == 1
    state = stream.windowed.state()
    stream.windowed.use(context=ContextConfig(0.8, 0.8, 0.4))
    other = replace(stream.windowed.options, boosting=None)
    resumed = recognizer.open(other, state)
    assert resumed.biases == ()
    stream.use_phrases(None)
    assert stream.windowed.biases == ()
