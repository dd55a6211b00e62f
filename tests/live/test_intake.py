"""Audio comes in whole, gaps are silence of their length, and speech is told where it is."""

import numpy as np
import pytest

from parakeet_streaming.engine.activity import SpeechDetector
from parakeet_streaming.engine.endpoint import Endpointer
from parakeet_streaming.engine.vad_options import VadOptions
from parakeet_streaming.live.audio_queue import AudioQueueWriter
from parakeet_streaming.live.intake import TAIL_S, Intake
from parakeet_streaming.results import Gap, SpeechEnded, SpeechStarted
from parakeet_streaming.testing import fake_recognizer, marked_audio, silence
from parakeet_streaming.timeline import ContextConfig

CONTEXT = ContextConfig(1.0, 0.5, 0.5)
FRAME = 512
OPTIONS = VadOptions(min_speech_ms=32, min_silence_ms=64, prefix_padding_ms=0, hangover_ms=0)


def ear_of(*, context=CONTEXT, capacity=160_000, options=None, endpointer=None):
    inlet = AudioQueueWriter(capacity, capacity, lambda: 5.0, lambda: None)
    stream = fake_recognizer([], ["one"]).stream(context)
    detector = None if options is None else SpeechDetector(options, FRAME)
    events = []
    return Intake(stream, inlet.outlet, events, detector, endpointer), inlet, stream, events


def judge_all(ear, probability):
    frames = 0
    while ear.frame_to_judge() is not None:
        ear.judged(probability, "state")
        frames += 1
    return frames


def test_no_more_is_taken_than_steps_can_use_soon():
    ear, inlet, stream, _ = ear_of()
    inlet.push(marked_audio(120))
    assert ear.take()
    first = stream.windowed.window.fed_samples
    window_and_chunk = CONTEXT.samples.window + CONTEXT.samples.chunk
    assert window_and_chunk <= first <= window_and_chunk + 16_000
    assert not ear.take()
    assert ear.backlog_s == pytest.approx(120 * 0.08)
    assert not ear.heard_out
    stream.step()
    assert ear.take()
    assert stream.windowed.window.fed_samples == first + CONTEXT.samples.chunk


def test_a_gap_is_silence_of_its_length():
    ear, inlet, stream, events = ear_of(capacity=6_400)
    inlet.push(np.ones(10_000, np.float32))
    ear.take()
    inlet.push(np.ones(100, np.float32))
    ear.take()
    assert events == [Gap(0.4, 0.625)]
    heard = stream.windowed.window.samples(0, 10_100)
    assert heard[:6_400].all()
    assert not heard[6_400:10_000].any()
    assert heard[10_000:].all()
    assert ear.taken == inlet.offered == 10_100


def test_times_of_a_gap_are_true_at_any_rate():
    context = ContextConfig(1.0, 0.5, 0.5, sample_rate=8_000)
    ear, inlet, _, events = ear_of(context=context, capacity=3_200)
    inlet.push(np.ones(4_000, np.float32))
    inlet.close()
    ear.take()
    ear.take()
    assert events == [Gap(0.4, 0.5)]
    assert ear.heard_out
    assert (ear.at_pushed_rate(3), ear.from_pushed_rate(3)) == (2, 6)


def test_what_was_heard_before_a_gap_is_judged_before_it_is_taken():
    ear, inlet, stream, _ = ear_of(capacity=8 * FRAME, options=OPTIONS)
    inlet.push(np.ones(10 * FRAME, np.float32))
    inlet.close()
    ear.take()
    assert stream.windowed.window.fed_samples == 8 * FRAME
    assert not ear.heard_out
    assert judge_all(ear, 1.0) == 8
    assert ear.vad_state == "state"
    ear.take()
    assert stream.windowed.window.fed_samples == 10 * FRAME
    assert ear.frame_to_judge() is None
    assert ear.vad_state is None


def test_a_chunk_within_a_gap_is_quiet_and_others_are_not():
    ear, inlet, stream, _ = ear_of(capacity=16_000)
    inlet.push(np.ones(16_000 * 6, np.float32))
    ear.take()
    inlet.push(np.ones(16_000, np.float32))
    ear.take()
    quiet = []
    while stream.windowed.window.ready:
        span = stream.windowed.window.next_span()
        quiet.append(ear.quiet(span, in_haste=False))
        stream.windowed.skip()
        ear.forget_before(stream.windowed.window.decoded_samples)
        ear.take()
    # 1 s of audio, 5 s missing, 1 s of audio; chunks of 0.48 s that look 0.48 s ahead.
    assert quiet == [False] * 3 + [True] * 8 + [False] * (len(quiet) - 11)


def test_what_lies_behind_a_quiet_chunk_is_quiet_by_the_padding_and_behind_a_gap_it_is_not_known():
    ear, inlet, stream, _ = ear_of(options=OPTIONS)
    inlet.push(np.ones(10 * 16_000, np.float32))
    ear.take()
    span = stream.windowed.window.next_span()
    assert ear.quiet_behind(span) == 0
    judge_all(ear, 0.0)
    assert ear.quiet(span, in_haste=False)
    assert ear.quiet_behind(span) == round(OPTIONS.prefix_padding_ms * 16)
    unheard, inlet, stream, _ = ear_of(capacity=16_000)
    inlet.push(np.ones(16_000 * 6, np.float32))
    unheard.take()
    inlet.push(np.ones(16_000, np.float32))
    unheard.take()
    assert unheard.quiet_behind(stream.windowed.window.next_span()) == 0


def test_the_last_part_of_a_frame_is_judged_and_times_end_with_the_audio():
    endpointer = Endpointer()
    ear, inlet, stream, events = ear_of(options=OPTIONS, endpointer=endpointer)
    inlet.push(np.ones(3 * FRAME + 100, np.float32))
    inlet.close()
    ear.take()
    assert judge_all(ear, 1.0) == 3
    ear.finish_judging()
    assert not ear.ended
    ear.end()
    assert stream.windowed.audio_end == 3 * FRAME + 100
    frames = judge_all(ear, 1.0)
    assert frames == -(-(100 + round(TAIL_S * 16_000)) // FRAME)
    ear.finish_judging()
    ear.finish_judging()
    assert ear.frame_to_judge() is None
    assert events == [SpeechStarted(0.0), SpeechEnded((3 * FRAME + 100) / 16_000)]
    assert ear.speech_samples == (3 + frames) * FRAME


def test_quiet_is_said_when_it_is_sure_or_nobody_waits():
    options = VadOptions(prefix_padding_ms=320, hangover_ms=0, min_silence_ms=0)
    ear, inlet, stream, _ = ear_of(options=options)
    inlet.push(silence(1.0))
    ear.take()
    span = stream.windowed.window.next_span()
    assert ear.quiet(span, in_haste=False) is None
    assert ear.quiet(span, in_haste=True) is False
    for _ in range(25):
        ear.judged(0.0, None)
    assert ear.quiet(span, in_haste=False) is True
    ear, inlet, stream, _ = ear_of(options=options)
    inlet.push(silence(1.0))
    ear.take()
    ear.judged(1.0, None)
    assert ear.quiet(span, in_haste=False) is False


def test_what_it_needs_to_go_on():
    ear, inlet, stream, _ = ear_of()
    assert ear.needed_samples() == 2 * 6 * 1280 + 1
    inlet.push(silence(1.5))
    ear.take()
    assert ear.needed_samples() == 1
    ear, inlet, stream, _ = ear_of(options=OPTIONS)
    inlet.push(silence(0.1))
    ear.take()
    judge_all(ear, 0.0)
    assert ear.needed_samples() == 5 * FRAME - 1_600
    assert stream.windowed.window.fed_samples == 1_600


def test_when_a_sample_came():
    ear, inlet, _, _ = ear_of()
    inlet.push(silence(1.0))
    assert ear.arrived_s(1_600) == 5.0
