"""Audio comes in whole, gaps are silence of their length, and speech is reported where it is."""

import numpy as np
import pytest

from parakeet_streaming.engine.activity import SpeechDetector
from parakeet_streaming.engine.endpoint import Endpointer
from parakeet_streaming.engine.stream_state import StreamOptions
from parakeet_streaming.engine.vad_options import VadOptions
from parakeet_streaming.live.audio_queue import AudioQueueWriter
from parakeet_streaming.live.intake import TAIL_S, Intake
from parakeet_streaming.results import Gap, SpeechEnded, SpeechStarted
from parakeet_streaming.testing import fake_recognizer, marked_audio, silence
from parakeet_streaming.timeline import ContextConfig

CONTEXT = ContextConfig(1.0, 0.5, 0.5)
FRAME = 512
OPTIONS = VadOptions(min_speech_ms=32, min_silence_ms=64, prefix_padding_ms=0, hangover_ms=0)


def intake_of(*, context=CONTEXT, capacity=160_000, options=None, endpointer=None):
    writer = AudioQueueWriter(capacity, capacity, lambda: 5.0, lambda: None)
    stream = fake_recognizer([], ["one"]).open(StreamOptions(context))
    detector = None if options is None else SpeechDetector(options, FRAME)
    events = []
    return Intake(stream, writer.reader, events, detector, endpointer), writer, stream, events


def judge_all(intake, probability):
    frames = 0
    while (block := intake.block_to_judge()) is not None:
        intake.judged([probability] * (len(block) // FRAME), "state")
        frames += len(block) // FRAME
    return frames


def test_no_more_is_taken_than_steps_can_use_soon():
    intake, writer, stream, _ = intake_of()
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
    intake, writer, stream, events = intake_of(capacity=6_400)
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
    intake, writer, stream, _ = intake_of(capacity=8 * FRAME, options=OPTIONS)
    writer.write(np.ones(10 * FRAME, np.float32))
    writer.close()
    intake.take()
    assert stream.window.fed_samples == 8 * FRAME
    assert not intake.all_taken
    assert judge_all(intake, 1.0) == 8
    assert intake.vad_state == "state"
    intake.take()
    assert stream.window.fed_samples == 10 * FRAME
    assert intake.block_to_judge() is None
    assert intake.vad_state is None


def test_a_chunk_within_a_gap_is_quiet_and_others_are_not():
    intake, writer, stream, _ = intake_of(capacity=16_000)
    writer.write(np.ones(16_000 * 6, np.float32))
    intake.take()
    writer.write(np.ones(16_000, np.float32))
    intake.take()
    quiet = []
    while stream.window.ready:
        span = stream.window.next_span()
        quiet.append(intake.quiet(span, in_haste=False))
        stream.skip()
        intake.forget_before(stream.window.decoded_samples)
        intake.take()
    # 1 s of audio, 5 s missing, 1 s of audio; chunks of 0.48 s that look 0.48 s ahead.
    assert quiet == [False] * 3 + [True] * 8 + [False] * (len(quiet) - 11)


def test_what_lies_after_a_quiet_chunk_is_quiet_by_the_padding_and_after_a_gap_it_is_not_known():
    intake, writer, stream, _ = intake_of(options=OPTIONS)
    writer.write(np.ones(10 * 16_000, np.float32))
    intake.take()
    span = stream.window.next_span()
    assert intake.quiet_after(span) == 0
    judge_all(intake, 0.0)
    assert intake.quiet(span, in_haste=False)
    assert intake.quiet_after(span) == round(OPTIONS.prefix_padding_ms * 16)
    within_gap, writer, stream, _ = intake_of(capacity=16_000)
    writer.write(np.ones(16_000 * 6, np.float32))
    within_gap.take()
    writer.write(np.ones(16_000, np.float32))
    within_gap.take()
    assert within_gap.quiet_after(stream.window.next_span()) == 0


def test_the_last_part_of_a_frame_is_judged_and_times_end_with_the_audio():
    endpointer = Endpointer()
    intake, writer, stream, events = intake_of(options=OPTIONS, endpointer=endpointer)
    writer.write(np.ones(3 * FRAME + 100, np.float32))
    writer.close()
    intake.take()
    assert judge_all(intake, 1.0) == 3
    intake.finish_judging()
    assert not intake.ended
    intake.end()
    assert stream.audio_end == 3 * FRAME + 100
    frames = judge_all(intake, 1.0)
    assert frames == -(-(100 + round(TAIL_S * 16_000)) // FRAME)
    intake.finish_judging()
    intake.finish_judging()
    assert intake.block_to_judge() is None
    assert events == [SpeechStarted(0.0), SpeechEnded((3 * FRAME + 100) / 16_000)]
    assert intake.speech_samples == (3 + frames) * FRAME


def test_quiet_is_said_when_it_is_sure_or_nobody_waits():
    options = VadOptions(prefix_padding_ms=320, hangover_ms=0, min_silence_ms=0)
    intake, writer, stream, _ = intake_of(options=options)
    writer.write(silence(1.0))
    intake.take()
    span = stream.window.next_span()
    assert intake.quiet(span, in_haste=False) is None
    assert intake.quiet(span, in_haste=True) is False
    intake.judged([0.0] * 25, None)
    assert intake.quiet(span, in_haste=False) is True
    intake, writer, stream, _ = intake_of(options=options)
    writer.write(silence(1.0))
    intake.take()
    intake.judged([1.0], None)
    assert intake.quiet(span, in_haste=False) is False


def test_what_it_needs_to_go_on():
    intake, writer, stream, _ = intake_of()
    assert intake.needed_samples() == 2 * 6 * 1280 + 1
    writer.write(silence(1.5))
    intake.take()
    # A window is complete: nothing that comes changes anything before its step.
    assert intake.needed_samples() is None
    intake, writer, stream, _ = intake_of(options=OPTIONS)
    writer.write(silence(0.1))
    intake.take()
    judge_all(intake, 0.0)
    assert intake.needed_samples() == 5 * FRAME - 1_600
    assert stream.window.fed_samples == 1_600
    writer.write(silence(9.0))
    intake.take()
    assert intake.needed_samples() is None


def test_up_to_eight_frames_are_judged_at_once():
    intake, writer, _, _ = intake_of(options=OPTIONS)
    writer.write(silence(0.5))
    intake.take()
    sizes = []
    while (block := intake.block_to_judge()) is not None:
        sizes.append(len(block) // FRAME)
        intake.judged([0.0] * sizes[-1], None)
    assert sizes == [8, 7]


def test_when_a_sample_came():
    intake, writer, _, _ = intake_of()
    writer.write(silence(1.0))
    assert intake.arrived_s(1_600) == 5.0
