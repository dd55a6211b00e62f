"""What is due and when, what is passed over, and where utterances end."""

from itertools import pairwise

import pytest

from parakeet_streaming.engine.activity import SpeechDetector
from parakeet_streaming.engine.endpoint import Endpointer
from parakeet_streaming.engine.endpoint_options import EndpointOptions
from parakeet_streaming.engine.stream_state import StreamOptions
from parakeet_streaming.engine.vad_options import VadOptions
from parakeet_streaming.live.adaptation import Adapter, DelayRange
from parakeet_streaming.live.audio_queue import AudioQueueWriter
from parakeet_streaming.live.driver import StreamDriver
from parakeet_streaming.results import ContextChanged, Final, Partial
from parakeet_streaming.testing import Cue, HandClock, fake_recognizer, marked_audio
from parakeet_streaming.timeline import FRAME_SAMPLES, ContextConfig

CONTEXT = ContextConfig(1.0, 0.5, 0.5)
CHUNK_S = 0.48
WORDS = ["one", "two"]


def driver_of(script=(), *, longest=0.5, vad=None, endpoint=None, cached=False):
    clock = HandClock(100.0)
    writer = AudioQueueWriter(320_000, 320_000, clock, lambda: None)
    recognizer = fake_recognizer(script, WORDS)
    stream = recognizer.open(StreamOptions(CONTEXT, cached=cached))
    adapter = Adapter(DelayRange(CONTEXT, longest).levels(60.0))
    detector = None if vad is None else SpeechDetector(vad)
    endpointer = None if endpoint is None else Endpointer(endpoint)
    driver = StreamDriver(stream, writer.reader, adapter, detector, endpointer)
    return driver, writer, clock, recognizer


def stepped(recognizer, driver):
    step = recognizer.prepare([driver.stream])
    step.encode()
    step.decode()
    return step.commit()[0]


def run(recognizer, driver, waited_s=0.0):
    """Steps until nothing is due; all events, and what was due."""
    dues = []
    driver.take()
    while (due := driver.plan()) is not None:
        driver.take_step(due, stepped(recognizer, driver), waited_s, 0.0)
        dues.append(due)
        driver.take()
    return driver.outcome.events(), dues


def test_a_window_is_due_with_its_times():
    driver, writer, clock, _ = driver_of()
    writer.write(marked_audio(11))
    clock.now_s = 101.0
    driver.take()
    assert driver.plan() is None
    writer.write(marked_audio(2))
    driver.take()
    due = driver.plan()
    assert due == driver.plan()
    assert due.lookahead_end == 12 * FRAME_SAMPLES
    assert (due.complete_s, due.deadline_s) == (101.0, pytest.approx(101.0 + CHUNK_S))
    assert due.audio_s == pytest.approx(2 * CHUNK_S)


def test_deadlines_of_a_burst_lie_a_chunk_apart():
    driver, writer, _, recognizer = driver_of()
    writer.write(marked_audio(60))
    _, dues = run(recognizer, driver)
    assert {due.complete_s for due in dues} == {100.0}
    apart = [later.deadline_s - due.deadline_s for due, later in pairwise(dues)]
    assert apart == pytest.approx([CHUNK_S] * len(apart))
    assert dues[-1].audio_s == pytest.approx(12 * 0.08 + 2 * CHUNK_S)


def test_a_cached_stream_encodes_no_left_context():
    driver, writer, _, recognizer = driver_of(cached=True)
    writer.write(marked_audio(60))
    _, dues = run(recognizer, driver)
    assert {round(due.audio_s, 6) for due in dues} == {2 * CHUNK_S}


def test_everything_is_reported_at_the_end():
    driver, writer, _, recognizer = driver_of([Cue(3, 0), Cue(19, 1)])
    writer.write(marked_audio(20))
    writer.close()
    events, _ = run(recognizer, driver)
    assert driver.stream.closed
    assert events[-1] == Final(driver.stream.transcript(), 0, "end")
    assert events[-1].transcript.text == "one two"
    assert events[-1].transcript.audio_s == 1.6
    assert driver.outcome.decoded_samples == 20 * FRAME_SAMPLES
    assert driver.outcome.counts.tokens == 2
    assert driver.outcome.events() == []
    assert driver.plan() is None


def test_a_commit_gives_what_was_pushed_before_it():
    driver, writer, _, recognizer = driver_of([Cue(3, 0), Cue(9, 1)])
    writer.write(marked_audio(8))
    assert run(recognizer, driver)[0] == []
    driver.commit(writer.received)
    writer.write(marked_audio(2)[:100])
    events, _ = run(recognizer, driver)
    # The silence after it takes no step of its own.
    assert [type(each) for each in events] == [Partial, Final]
    assert (events[-1].transcript.text, events[-1].reason) == ("one", "commit")
    assert events[-1].transcript.audio_s == 8 * 0.08
    assert driver.stream.window.decoded_samples == 8 * FRAME_SAMPLES


def test_a_window_that_a_commit_waits_for_is_due_at_once_and_commits_outrun_nobody():
    driver, writer, clock, recognizer = driver_of([Cue(3, 0), Cue(9, 1)])
    begun_s = []
    for _ in range(4):
        writer.write(marked_audio(8))
        driver.commit(writer.received)
        _, dues = run(recognizer, driver)
        begun_s += [due.deadline_s for due in dues if due.ends]
    assert begun_s[0] == clock.now_s
    apart = [later - one for one, later in pairwise(begun_s)]
    assert apart[0] >= 0
    assert min(apart[1:]) > 8 * 0.08


def test_the_last_window_is_due_at_once():
    driver, writer, _, recognizer = driver_of()
    writer.write(marked_audio(20))
    writer.close()
    _, dues = run(recognizer, driver)
    assert [due.ends for due in dues] == [False] * (len(dues) - 1) + [True]


def test_commits_are_answered_one_by_one_and_before_the_end():
    driver, writer, _, recognizer = driver_of([Cue(3, 0), Cue(9, 1)], endpoint=EndpointOptions())
    writer.write(marked_audio(8))
    driver.commit(writer.received)
    driver.commit(writer.received)
    writer.write(marked_audio(12)[8 * FRAME_SAMPLES :])
    writer.close()
    events, _ = run(recognizer, driver)
    assert driver.is_to_end or driver.stream.closed
    events += run(recognizer, driver)[0]
    finals = [each for each in events if isinstance(each, Final)]
    assert [each.reason for each in finals] == ["commit", "commit", "end"]
    assert [each.transcript.text for each in finals] == ["one", "", "two"]
    assert [each.utterance for each in finals] == [0, 1, 2]
    assert driver.outcome.counts.utterances == 3


def test_a_commit_of_what_still_waits_in_the_ring_waits_for_it():
    driver, writer, _, recognizer = driver_of([Cue(3, 0), Cue(70, 1)])
    writer.write(marked_audio(72))
    driver.commit(writer.received)
    events, _ = run(recognizer, driver)
    finals = [each for each in events if isinstance(each, Final)]
    assert [each.transcript.text for each in finals] == ["one two"]
    assert driver.stream.window.decoded_samples == 72 * FRAME_SAMPLES


def test_silence_ends_an_utterance():
    endpoint = EndpointOptions(blank_only_ms=800)
    driver, writer, _, recognizer = driver_of([Cue(3, 0), Cue(40, 1)], endpoint=endpoint)
    writer.write(marked_audio(45))
    writer.close()
    events, _ = run(recognizer, driver)
    finals = [each for each in events if isinstance(each, Final)]
    assert [(each.transcript.text, each.reason) for each in finals] == [
        ("one", "silence"),
        ("two", "end"),
    ]


def test_the_silence_after_the_audio_ends_no_utterance():
    endpoint = EndpointOptions(blank_only_ms=80)
    driver, writer, _, recognizer = driver_of([Cue(9, 0)], endpoint=endpoint)
    writer.write(marked_audio(10))
    writer.close()
    events, _ = run(recognizer, driver)
    assert [each.reason for each in events if isinstance(each, Final)] == ["end"]


def test_quiet_chunks_are_passed_over_and_clear_what_was_tentative():
    vad = VadOptions(min_speech_ms=32, min_silence_ms=32, prefix_padding_ms=0, hangover_ms=0)
    driver, writer, _, recognizer = driver_of([Cue(8, 0)], vad=vad)
    writer.write(marked_audio(40))
    writer.close()
    events = []
    while not driver.stream.closed:
        driver.take()
        while driver.speech.block_to_judge() is not None:
            # There is speech for half a second, and the decoder has a tentative word after it.
            first = driver.speech._ahead.known_to // 512
            frames = range(first, first + len(driver.speech.block_to_judge()) // 512)
            driver.speech.judged([float(frame < 14) for frame in frames], None)
        due = driver.plan()
        if due is not None:
            driver.take_step(due, stepped(recognizer, driver), 0.0, 0.0)
        events += driver.outcome.events()
    partials = [each for each in events if isinstance(each, Partial)]
    assert [each.tentative_text for each in partials] == ["one", ""]
    assert partials[-1].lookahead_end_s > partials[-1].committed_s
    assert (driver.outcome.counts.steps, events[-1].transcript.text) == (1, "")
    assert driver.outcome.counts.skipped == 5


VAD = VadOptions(min_speech_ms=32, min_silence_ms=64, prefix_padding_ms=0, hangover_ms=640)


def said(writer, recognizer, driver, speech_to, frames, *, commits=()):
    """Frames of audio, one by one, with speech up to a sample; all events of it, and steps."""
    events, audio = [], marked_audio(frames)
    for at in range(0, len(audio), 160):
        writer.write(audio[at : at + 160])
        if at + 160 in commits:
            driver.commit(writer.received)
        driver.take()
        while (block := driver.speech.block_to_judge()) is not None:
            first = driver.speech._ahead.known_to
            starts = range(first, first + len(block), 512)
            driver.speech.judged([float(start < speech_to) for start in starts], None)
        events += run(recognizer, driver)[0]
    return events


@pytest.mark.parametrize(
    ("silence_ms", "cached", "steps", "settled"),
    [(576, False, 1, 1), (288, False, 1, 0), (576, True, 2, 0)],
)
def test_text_that_silence_has_shown_to_be_complete_ends_without_a_step(
    silence_ms, cached, steps, settled
):
    """Speech ends at 0.64 s. A step up to 0.96 s shows silence, if it comes before the end."""
    script = [Cue(2, 0), Cue(7, 1), Cue(19, 0)]
    endpoint = EndpointOptions(min_silence_ms=silence_ms, min_blank_ms=240)
    driver, writer, _, recognizer = driver_of(script, vad=VAD, endpoint=endpoint, cached=cached)
    events = said(writer, recognizer, driver, 10_000, 17)
    (final,) = (each for each in events if isinstance(each, Final))
    assert (final.transcript.text, final.reason) == ("one two", "silence")
    assert (driver.outcome.counts.steps, driver.outcome.counts.skipped) == (steps, settled)
    assert "".join(each.text for each in events if isinstance(each, Partial)) == "one two"
    assert driver.stream.tentative == ()
    # What follows goes on from there, on the same grid, and nothing comes twice.
    assert driver.stream.decoder.decoded_frames * FRAME_SAMPLES == driver.outcome.decoded_samples
    writer.write(marked_audio(24)[17 * FRAME_SAMPLES :])
    writer.close()
    while not driver.stream.closed:
        driver.take()
        while (block := driver.speech.block_to_judge()) is not None:
            driver.speech.judged([1.0] * (len(block) // 512), None)
        events += run(recognizer, driver)[0]
    assert driver.stream.transcript().text == "one two one"


@pytest.mark.parametrize(("speech_to", "steps"), [(10_000, 1), (11_000, 2), (15_000, 2)])
@pytest.mark.parametrize("ends", [False, True])
def test_a_commit_and_an_end_in_silence_take_no_step(speech_to, steps, ends):
    driver, writer, _, recognizer = driver_of([Cue(2, 0), Cue(7, 1)], vad=VAD)
    at = 13 * FRAME_SAMPLES
    if ends:
        events = said(writer, recognizer, driver, speech_to, 13)
        writer.close()
        events += run(recognizer, driver)[0]
        driver.speech.finish_judging()
        events += run(recognizer, driver)[0]
    else:
        events = said(writer, recognizer, driver, speech_to, 14, commits=[at])
    (final,) = (each for each in events if isinstance(each, Final))
    assert (final.transcript.text, final.reason) == ("one two", "end" if ends else "commit")
    assert final.transcript.audio_s == at / 16_000
    assert driver.outcome.counts.steps == steps
    assert driver.stream.window.decoded_samples >= at


def test_where_nothing_is_judged_a_commit_takes_a_step():
    driver, writer, _, recognizer = driver_of([Cue(2, 0), Cue(7, 1)])
    events = said(writer, recognizer, driver, 0, 14, commits=[13 * FRAME_SAMPLES])
    assert events[-1].transcript.text == "one two"
    assert driver.outcome.counts.steps == 2


def test_late_steps_change_the_context_after_them():
    driver, writer, _, recognizer = driver_of([Cue(3, 0), Cue(50, 1)], longest=2.0)
    writer.write(marked_audio(80))
    writer.close()
    events, _ = run(recognizer, driver, waited_s=9.0)
    changes = [each for each in events if isinstance(each, ContextChanged)]
    assert [each.context.chunk for each in changes] == [1.0, 2.0]
    assert changes[0].at == pytest.approx(2 * CHUNK_S)
    assert driver.stream.options.context == changes[-1].context == driver._adapter.context
    assert events[-1].transcript.text == "one two"


def test_one_that_gives_up_reports_what_was_committed():
    driver, writer, _, recognizer = driver_of([Cue(3, 0), Cue(20, 1)])
    writer.write(marked_audio(14))
    run(recognizer, driver)
    driver.give_up()
    (final,) = driver.outcome.events()
    assert (final.transcript.text, final.reason) == ("one", "end")
    assert writer.write(marked_audio(1)) == 0


def test_one_that_is_closed_has_nothing_to_give_up():
    driver, writer, _, recognizer = driver_of()
    writer.close()
    run(recognizer, driver)
    driver.give_up()
    assert driver.outcome.events() == []


def test_a_recording_without_audio_ends():
    writer = AudioQueueWriter(100, 100, HandClock(), lambda: None)
    stream = fake_recognizer([], WORDS).open(StreamOptions(CONTEXT))
    driver = StreamDriver(stream, writer.reader, Adapter([CONTEXT]), tail_s=0.0)
    writer.close()
    driver.take()
    assert driver.plan() is None
    (final,) = driver.outcome.events()
    assert (final.transcript.text, final.reason) == ("", "end")
    assert driver.outcome.counts.utterances == 1
