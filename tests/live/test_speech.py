"""Speech is reported where it is, quiet is said with care, and gaps are neither."""

import numpy as np

from parakeet_streaming.engine.endpoint import Endpointer, EndpointOptions
from parakeet_streaming.engine.vad_options import VadOptions
from parakeet_streaming.live.intake import TAIL_S
from parakeet_streaming.results import SpeechEnded, SpeechStarted
from parakeet_streaming.testing import silence
from tests.live.by_hand import intake_of, judge_all

FRAME = 512
OPTIONS = VadOptions(min_speech_ms=32, min_silence_ms=64, prefix_padding_ms=0, hangover_ms=0)


def test_a_chunk_within_a_gap_is_quiet_and_others_are_not():
    intake, speech, writer, stream, _ = intake_of(capacity=16_000)
    writer.write(np.ones(16_000 * 6, np.float32))
    intake.take()
    writer.write(np.ones(16_000, np.float32))
    intake.take()
    quiet = []
    while stream.window.next_span() is not None:
        span = stream.window.next_span()
        quiet.append(speech.quiet(span))
        stream.skip()
        speech.forget_before(stream.window.decoded_samples)
        intake.take()
    # 1 s of audio, 5 s missing, 1 s of audio; chunks of 0.48 s that look 0.48 s ahead.
    assert quiet == [False] * 3 + [True] * 8 + [False] * (len(quiet) - 11)


def test_what_lies_after_a_quiet_chunk_is_quiet_by_the_padding_and_after_a_gap_it_is_not_known():
    intake, speech, writer, stream, _ = intake_of(options=OPTIONS)
    writer.write(np.ones(10 * 16_000, np.float32))
    intake.take()
    span = stream.window.next_span()
    assert speech.quiet_after(span) == 0
    judge_all(speech, 0.0)
    speech.hear(10 * 16_000)
    assert speech.quiet(span)
    assert speech.quiet_after(span) == round(OPTIONS.prefix_padding_ms * 16)
    intake, speech, writer, stream, _ = intake_of(capacity=16_000)
    writer.write(np.ones(16_000 * 6, np.float32))
    intake.take()
    writer.write(np.ones(16_000, np.float32))
    intake.take()
    assert speech.quiet_after(stream.window.next_span()) == 0


def test_the_last_part_of_a_frame_is_judged_and_times_end_with_the_audio():
    endpointer = Endpointer()
    intake, speech, writer, stream, events = intake_of(options=OPTIONS, endpointer=endpointer)
    writer.write(np.ones(3 * FRAME + 100, np.float32))
    writer.close()
    intake.take()
    assert judge_all(speech, 1.0) == 3
    speech.finish_judging()
    assert not intake.ended
    intake.end()
    assert stream.audio_end == 3 * FRAME + 100
    frames = judge_all(speech, 1.0)
    assert frames == -(-(100 + round(TAIL_S * 16_000)) // FRAME)
    speech.finish_judging()
    speech.finish_judging()
    assert speech.block_to_judge() is None
    assert events == [SpeechStarted(0.0), SpeechEnded((3 * FRAME + 100) / 16_000)]
    assert speech.speech_samples == (3 + frames) * FRAME


def test_quiet_is_said_when_what_was_heard_makes_it_sure():
    options = VadOptions(prefix_padding_ms=320, hangover_ms=0, min_silence_ms=0)
    intake, speech, writer, stream, _ = intake_of(options=options)
    writer.write(silence(1.0))
    intake.take()
    span = stream.window.next_span()
    assert speech.quiet(span) is None
    speech.judged([0.0] * 25, None)
    # What was judged counts when it is used, however far judging ran ahead.
    assert speech.quiet(span) is None
    assert speech.hear(24 * FRAME)
    assert not speech.hear(24 * FRAME)
    assert speech.quiet(span) is None
    assert speech.hear_next(None)
    assert not speech.hear_next(None)
    assert speech.quiet(span) is True
    intake, speech, writer, stream, _ = intake_of(options=options)
    writer.write(silence(1.0))
    intake.take()
    speech.judged([1.0], None)
    assert speech.hear_next(FRAME)
    assert speech.quiet(span) is False


def test_speech_is_reported_before_it_is_used_and_hearing_stops_where_an_utterance_may_end():
    endpointer = Endpointer(EndpointOptions(96, 80, 800))
    intake, speech, writer, _, events = intake_of(options=OPTIONS, endpointer=endpointer)
    writer.write(silence(1.5))
    intake.take()
    speech.judged([1.0] * 4 + [0.0] * 20, None)
    assert events == [SpeechStarted(0.0), SpeechEnded(4 * FRAME / 16_000)]
    assert endpointer.check() is None
    assert speech.hear(20 * FRAME)
    assert endpointer.check() is not None
    assert len(speech.state(None, 0).heard) == 16


def test_up_to_eight_frames_are_judged_at_once():
    intake, speech, writer, _, _ = intake_of(options=OPTIONS)
    writer.write(silence(0.5))
    intake.take()
    sizes = []
    while (block := speech.block_to_judge()) is not None:
        sizes.append(len(block) // FRAME)
        speech.judged([0.0] * sizes[-1], None)
    assert sizes == [8, 7]


def test_one_frame_is_enough_to_wake_where_it_may_end_an_utterance():
    needed = []
    for endpointer in (Endpointer(EndpointOptions(160, 80, 800)), None):
        intake, speech, writer, _, _ = intake_of(options=OPTIONS, endpointer=endpointer)
        asked = []
        for probability in [1.0] * 2 + [0.0] * 6:
            writer.write(silence(FRAME / 16_000))
            intake.take()
            speech.judged([probability], None)
            asked.append(speech.needed_samples() // FRAME)
        needed.append(asked)
    # Five silent frames end it; when four are known, the next one may decide.
    assert needed == [[2, 2, 2, 2, 2, 1, 2, 2], [2] * 8]
