"""Speech is reported where it is, quiet is said with care, and gaps are neither."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parakeet_streaming.engine.activity import SpeechDetector
from parakeet_streaming.engine.endpoint import Endpointer
from parakeet_streaming.engine.endpoint_options import EndpointOptions
from parakeet_streaming.engine.stream_state import StreamOptions
from parakeet_streaming.engine.vad_options import VadOptions
from parakeet_streaming.live.intake import TAIL_S
from parakeet_streaming.live.speech import StreamSpeech
from parakeet_streaming.results import SpeechEnded, SpeechStarted, Token
from parakeet_streaming.testing import fake_recognizer, silence
from tests.live.by_hand import CONTEXT, intake_of, judge_all

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


def test_in_speech_more_frames_are_waited_for_as_none_can_end_it():
    options = VadOptions(min_speech_ms=32, min_silence_ms=5 * 32, prefix_padding_ms=0)
    for least, endpointer in ((1, Endpointer(EndpointOptions(160, 80, 800))), (2, None)):
        intake, speech, writer, _, _ = intake_of(options=options, endpointer=endpointer)
        asked = []
        for probability in [0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]:
            writer.write(silence(FRAME / 16_000))
            intake.take()
            speech.judged([probability], None)
            asked.append(speech.needed_samples() // FRAME)
        assert asked == [2, 5, 5, 4, 3, 5, 4, 3, 2, least, 2, 2]


def test_no_more_frames_are_waited_for_than_are_judged_at_once():
    for min_silence_ms, frames in ((200, 7), (5_000, 8)):
        options = VadOptions(min_speech_ms=0, min_silence_ms=min_silence_ms)
        intake, speech, writer, _, _ = intake_of(options=options)
        writer.write(silence(FRAME / 16_000))
        intake.take()
        speech.judged([1.0], None)
        assert speech.needed_samples() == frames * FRAME


class FrameByFrame(StreamSpeech):
    """Takes and uses each frame alone."""

    def judged(self, probabilities, state):
        self.vad_state = state
        for probability in probabilities:
            self._take(self._ahead.known_to + self._ahead.frame_samples, probability)
            if self._ahead.silence_from is None:
                self.speech_samples += self._ahead.frame_samples

    def hear(self, up_to):
        came, endpointer = False, self._endpointer
        while self.hear_next(up_to):
            came = True
            if endpointer is not None and endpointer.check() is not None:
                break
        return came


class Heard:
    """Speech of one stream, and all that it tells."""

    def __init__(self, kind, options, endpoint):
        self.stream = fake_recognizer([], ["one"]).open(StreamOptions(CONTEXT))
        self.endpointer = None if endpoint is None else Endpointer(endpoint)
        self.events, self.told = [], []
        detector = SpeechDetector(options, FRAME)
        self.speech = kind(self.stream, self.events, detector, self.endpointer)

    def feed(self, samples):
        self.stream.window.feed(np.zeros(samples, np.float32))

    def judge(self, text):
        fed = self.speech._ahead.known_to + len(text) * FRAME
        self.feed(max(0, fed - self.stream.window.fed_samples))
        self.speech.judged([LEVELS[each] for each in text], text)

    def gap(self, samples):
        self.feed(samples)
        self.speech.pass_over_gap(is_over=samples % 2 == 0)

    def hear(self, percent):
        up_to = self.speech._ahead.known_to * percent // 100
        self.told.append(self.speech.hear(up_to))

    def hear_next(self, _):
        self.told.append(self.speech.hear_next(None))

    def decode(self, percent):
        if self.endpointer is None:
            return
        state = self.endpointer.state()
        decoded = max(state.committed_to, self.speech._detector.known_to * percent // 100)
        said = [Token(1, " a", decoded // 1280, 1, 0.0, 0.0, 0.9)] if percent % 3 == 0 else []
        self.endpointer.decoded(decoded, decoded + 4000, said)
        self.speech.forget_before(decoded)

    def close(self, _):
        found = None if self.endpointer is None else self.endpointer.check()
        self.told.append(found)
        if found is not None and self.endpointer.confirms(found):
            self.told.append(self.endpointer.close(found))

    def end(self, _):
        if self.stream.audio_end is None:
            self.stream.end()
        self.speech.finish_judging()


LEVELS = {".": 0.1, "o": 0.4, "#": 0.9}
blocks = st.one_of(
    st.text(alphabet=".o#", min_size=1, max_size=8),
    st.integers(1, 8).map(lambda count: "." * count),
    st.integers(1, 8).map(lambda count: "#" * count),
)
percents = st.integers(0, 130)
acts = st.one_of(
    st.tuples(st.just("judge"), blocks),
    st.tuples(st.just("judge"), blocks),
    st.tuples(st.just("hear"), percents),
    st.tuples(st.just("hear"), percents),
    st.tuples(st.just("decode"), percents),
    st.tuples(st.just("close"), percents),
    st.tuples(st.just("hear_next"), percents),
    st.tuples(st.just("gap"), st.integers(1, 3_000)),
)
in_ms = st.integers(0, 12).map(lambda count: count * 32)
vad_options = st.builds(
    VadOptions,
    min_speech_ms=in_ms,
    min_silence_ms=in_ms,
    prefix_padding_ms=in_ms,
    hangover_ms=in_ms,
)
endpoints = st.none() | st.builds(
    EndpointOptions,
    min_silence_ms=in_ms,
    min_blank_ms=in_ms,
    blank_only_ms=in_ms,
    max_utterance_s=st.just(2.0),
)


@pytest.mark.interpreted
@settings(deadline=None)
@given(
    acts=st.lists(acts, max_size=60), ends=st.booleans(), options=vad_options, endpoint=endpoints
)
def test_frames_that_are_taken_together_are_as_those_that_are_taken_one_by_one(
    acts, ends, options, endpoint
):
    whole, single = (Heard(kind, options, endpoint) for kind in (StreamSpeech, FrameByFrame))
    for name, what in [*acts, *([("end", 0), ("hear", 100), ("hear", 130)] * ends)]:
        for each in (whole, single):
            getattr(each, name)(what)
        assert whole.told == single.told
        assert whole.events == single.events
        assert whole.speech.speech_samples == single.speech.speech_samples
        assert whole.speech.state(None, 0) == single.speech.state(None, 0)


@settings(deadline=None)
@given(text=st.text(alphabet=".o#", max_size=100), options=vad_options, endpoint=endpoints)
def test_what_is_heard_is_told_a_frame_after_it_is_known_at_the_latest(text, options, endpoint):
    """Where frames are judged as soon as so much audio has come as was asked for."""
    heard, known = Heard(StreamSpeech, options, endpoint), SpeechDetector(options, FRAME)
    sure, told, waiting = [], [], ""
    for number, each in enumerate(text):
        if known.feed(LEVELS[each]) is not None:
            sure.append(number)
        asked = heard.speech.needed_samples()
        heard.feed(FRAME)
        waiting += each
        if asked <= FRAME:
            while waiting:
                heard.speech.judged([LEVELS[frame] for frame in waiting[:8]], None)
                waiting = waiting[8:]
        told += [number] * (len(heard.events) - len(told))
    assert len(told) >= len([number for number in sure if number < len(text) - 1])
    for one, other in zip(sure, told, strict=False):
        assert one <= other <= one + 1
