"""Audio comes in whole and in amounts a stream can use, and gaps are silence of their length."""

import numpy as np
import pytest

from parakeet_streaming.engine.room_noise import room_noise, room_of
from parakeet_streaming.engine.vad_options import VadOptions
from parakeet_streaming.results import Gap
from parakeet_streaming.testing import marked_audio, noise, silence
from tests.live.by_hand import CONTEXT, intake_of, judge_all

FRAME = 512
OPTIONS = VadOptions(min_speech_ms=32, min_silence_ms=64, prefix_padding_ms=0, hangover_ms=0)


def test_no_more_is_taken_than_steps_can_use_soon():
    intake, _, writer, stream, _ = intake_of()
    writer.write(marked_audio(120))
    assert intake.take()
    first = stream.window.fed_samples
    window_and_chunk = CONTEXT.samples.window + CONTEXT.samples.chunk
    assert window_and_chunk <= first <= window_and_chunk + 16_000
    assert not intake.take()
    assert intake.backlog_s == pytest.approx(120 * 0.08)
    assert not intake.all_taken
    stream.skip()
    assert intake.take()
    assert stream.window.fed_samples == first + CONTEXT.samples.chunk


def test_a_gap_is_silence_of_its_length():
    intake, _, writer, stream, events = intake_of(capacity=6_400)
    writer.write(np.ones(10_000, np.float32))
    intake.take()
    writer.write(np.ones(100, np.float32))
    intake.take()
    assert events == [Gap(0.4, 0.625)]
    fed = stream.window.samples(0, 10_100)
    assert fed[:6_400].all()
    assert not fed[6_400:10_000].any()
    assert fed[10_000:].all()
    assert intake.taken == writer.received == 10_100


def test_audio_before_a_gap_is_judged_before_it_is_taken():
    intake, speech, writer, stream, _ = intake_of(capacity=8 * FRAME, options=OPTIONS)
    writer.write(np.ones(10 * FRAME, np.float32))
    writer.close()
    intake.take()
    assert stream.window.fed_samples == 8 * FRAME
    assert not intake.all_taken
    assert judge_all(speech, 1.0) == 8
    assert speech.vad_state == "state"
    intake.take()
    assert stream.window.fed_samples == 10 * FRAME
    assert speech.block_to_judge() is None
    assert speech.vad_state is None


def test_what_it_needs_to_go_on():
    intake, speech, writer, stream, _ = intake_of()
    assert intake.asks_to_be_woken()
    assert writer.wake_at == 2 * 6 * 1280 + 1
    writer.write(silence(1.5))
    intake.take()
    # A window is complete: nothing that comes changes anything before its step.
    assert intake.asks_to_be_woken()
    writer.write(silence(0.1))
    assert intake.asks_to_be_woken()
    intake, speech, writer, stream, _ = intake_of(options=OPTIONS)
    writer.write(silence(0.1))
    intake.take()
    judge_all(speech, 0.0)
    assert intake.asks_to_be_woken()
    assert writer.wake_at == 5 * FRAME
    assert stream.window.fed_samples == 1_600
    writer.write(silence(9.0))
    assert not intake.asks_to_be_woken()
    intake.take()
    # No room: nothing that comes can be taken before a step.
    assert intake.asks_to_be_woken()


def test_a_gap_that_does_not_fit_is_taken_bit_by_bit():
    intake, _, writer, stream, _ = intake_of(capacity=1_600)
    writer.write(np.ones(160_000, np.float32))
    writer.close()
    while not intake.all_taken:
        intake.take()
        assert intake.asks_to_be_woken() == (stream.window.buffered_samples > 40_000)
        stream.skip()
    assert stream.window.fed_samples == 160_000


def test_a_gap_sounds_like_the_room_before_it():
    intake, _, writer, stream, _ = intake_of(capacity=16_000)
    room = noise(1.0, 1e-3)
    writer.write(np.concatenate([room, noise(0.5)]))
    intake.take()
    writer.write(noise(0.1))
    intake.take()
    gap = stream.window.samples(16_000, 24_000)
    assert np.sqrt(np.mean(np.square(gap))) == pytest.approx(1e-3, rel=0.2)
    np.testing.assert_array_equal(gap, room_noise(room_of(room), 8_000, 16_000))
