"""What is due and when, what is passed over, and where utterances end."""

from itertools import pairwise

import pytest

from parakeet_streaming.engine.activity import SpeechDetector
from parakeet_streaming.engine.endpoint import Endpointer, EndpointOptions
from parakeet_streaming.engine.vad_options import VadOptions
from parakeet_streaming.live.adaptation import Adapter, DelayRange
from parakeet_streaming.live.audio_queue import AudioQueueWriter
from parakeet_streaming.live.driver import StreamDriver
from parakeet_streaming.results import ContextChanged, Final, Partial
from parakeet_streaming.testing import Cue, fake_recognizer, marked_audio
from parakeet_streaming.timeline import FRAME_SAMPLES, ContextConfig
from tests.live.by_hand import Clock

CONTEXT = ContextConfig(1.0, 0.5, 0.5)
CHUNK_S = 0.48
WORDS = ["one", "two"]


def seat_of(script=(), *, longest=0.5, vad=None, endpoint=None, cached=False):
    clock = Clock()
    inlet = AudioQueueWriter(320_000, 320_000, clock, lambda: None)
    stream = fake_recognizer(script, WORDS).stream(CONTEXT, cached=cached)
    adapter = Adapter(DelayRange(CONTEXT, longest).levels(60.0))
    detector = None if vad is None else SpeechDetector(vad)
    endpointer = None if endpoint is None else Endpointer(endpoint)
    return StreamDriver(stream, inlet.outlet, adapter, detector, endpointer), inlet, clock


def run(seat, waited_s=0.0):
    """Steps until nothing is due; all events, and what was due."""
    dues = []
    seat.take()
    while (due := seat.plan()) is not None:
        seat.stepped(due, seat.stream.step(), waited_s, 0.0)
        dues.append(due)
        seat.take()
    return seat.events(), dues


def test_a_window_is_due_with_its_times():
    seat, inlet, clock = seat_of()
    inlet.push(marked_audio(11))
    clock.now_s = 101.0
    seat.take()
    assert seat.plan() is None
    inlet.push(marked_audio(2))
    seat.take()
    due = seat.plan()
    assert due == seat.plan()
    assert due.heard_samples == 12 * FRAME_SAMPLES
    assert (due.complete_s, due.deadline_s) == (101.0, pytest.approx(101.0 + CHUNK_S))
    assert due.audio_s == pytest.approx(2 * CHUNK_S)


def test_deadlines_of_a_burst_lie_a_chunk_apart():
    seat, inlet, _ = seat_of()
    inlet.push(marked_audio(60))
    _, dues = run(seat)
    assert {due.complete_s for due in dues} == {100.0}
    apart = [later.deadline_s - due.deadline_s for due, later in pairwise(dues)]
    assert apart == pytest.approx([CHUNK_S] * len(apart))
    assert dues[-1].audio_s == pytest.approx(12 * 0.08 + 2 * CHUNK_S)


def test_a_cached_stream_encodes_no_left_context():
    seat, inlet, _ = seat_of(cached=True)
    inlet.push(marked_audio(60))
    _, dues = run(seat)
    assert {round(due.audio_s, 6) for due in dues} == {2 * CHUNK_S}


def test_everything_is_told_at_the_end():
    seat, inlet, _ = seat_of([Cue(3, 0), Cue(19, 1)])
    inlet.push(marked_audio(20))
    inlet.close()
    events, _ = run(seat)
    assert seat.stream.closed
    assert events[-1] == Final(seat.stream.transcript(), 0, "end")
    assert events[-1].transcript.text == "one two"
    assert events[-1].transcript.audio_s == 1.6
    assert seat.heard_samples == 20 * FRAME_SAMPLES
    assert seat.counts.tokens == 2
    assert seat.events() == []
    assert seat.plan() is None


def test_a_commit_tells_what_was_pushed_before_it():
    seat, inlet, _ = seat_of([Cue(3, 0), Cue(9, 1)])
    inlet.push(marked_audio(8))
    assert run(seat)[0] == []
    seat.commits.append(inlet.offered)
    inlet.push(marked_audio(2)[:100])
    events, _ = run(seat)
    assert [type(each) for each in events] == [Partial, Final]
    assert (events[-1].transcript.text, events[-1].reason) == ("one", "commit")
    assert seat.stream.windowed.window.decoded_samples == 8 * FRAME_SAMPLES


def test_commits_are_answered_one_by_one_and_before_the_end():
    seat, inlet, _ = seat_of([Cue(3, 0), Cue(9, 1)], endpoint=EndpointOptions())
    inlet.push(marked_audio(8))
    seat.commits.extend([inlet.offered, inlet.offered])
    inlet.push(marked_audio(12)[8 * FRAME_SAMPLES :])
    inlet.close()
    events, _ = run(seat)
    assert seat.is_to_end or seat.stream.closed
    events += run(seat)[0]
    finals = [each for each in events if isinstance(each, Final)]
    assert [each.reason for each in finals] == ["commit", "commit", "end"]
    assert [each.transcript.text for each in finals] == ["one", "", "two"]
    assert [each.utterance for each in finals] == [0, 1, 2]
    assert seat.counts.utterances == 3


def test_a_commit_of_what_still_waits_in_the_ring_waits_for_it():
    seat, inlet, _ = seat_of([Cue(3, 0), Cue(70, 1)])
    inlet.push(marked_audio(72))
    seat.commits.append(inlet.offered)
    events, _ = run(seat)
    finals = [each for each in events if isinstance(each, Final)]
    assert [each.transcript.text for each in finals] == ["one two"]
    assert seat.stream.windowed.window.decoded_samples == 72 * FRAME_SAMPLES


def test_silence_ends_an_utterance():
    endpoint = EndpointOptions(blank_only_ms=800)
    seat, inlet, _ = seat_of([Cue(3, 0), Cue(40, 1)], endpoint=endpoint)
    inlet.push(marked_audio(45))
    inlet.close()
    events, _ = run(seat)
    finals = [each for each in events if isinstance(each, Final)]
    assert [(each.transcript.text, each.reason) for each in finals] == [
        ("one", "silence"),
        ("two", "end"),
    ]


def test_the_silence_behind_the_audio_ends_no_utterance():
    endpoint = EndpointOptions(blank_only_ms=80)
    seat, inlet, _ = seat_of([Cue(9, 0)], endpoint=endpoint)
    inlet.push(marked_audio(10))
    inlet.close()
    events, _ = run(seat)
    assert [each.reason for each in events if isinstance(each, Final)] == ["end"]


def test_quiet_chunks_are_passed_over_and_clear_what_was_tentative():
    vad = VadOptions(min_speech_ms=32, min_silence_ms=32, prefix_padding_ms=0, hangover_ms=0)
    seat, inlet, _ = seat_of([Cue(8, 0)], vad=vad)
    inlet.push(marked_audio(40))
    inlet.close()
    events = []
    while not seat.stream.closed:
        seat.take()
        while seat.ear.frame_to_judge() is not None:
            # Someone speaks for half a second, and the decoder dreams of a word behind it.
            frame = seat.ear._detector.known_to // 512
            seat.ear.judged(float(frame < 14), None)
        due = seat.plan()
        if due is not None:
            seat.stepped(due, seat.stream.step(), 0.0, 0.0)
        events += seat.events()
    partials = [each for each in events if isinstance(each, Partial)]
    assert [each.tentative_text for each in partials] == ["one", ""]
    assert partials[-1].lookahead_end_s > partials[-1].committed_s
    assert (seat.counts.steps, events[-1].transcript.text) == (1, "")
    assert seat.counts.skipped >= 5


def test_late_steps_change_the_context_behind_them():
    seat, inlet, _ = seat_of([Cue(3, 0), Cue(50, 1)], longest=2.0)
    inlet.push(marked_audio(80))
    inlet.close()
    events, _ = run(seat, waited_s=9.0)
    changes = [each for each in events if isinstance(each, ContextChanged)]
    assert [each.context.chunk for each in changes] == [1.0, 2.0]
    assert changes[0].at == pytest.approx(2 * CHUNK_S)
    assert seat.stream.context == changes[-1].context == seat.adapter.context
    assert events[-1].transcript.text == "one two"


def test_one_that_gives_up_tells_what_was_committed():
    seat, inlet, _ = seat_of([Cue(3, 0), Cue(20, 1)])
    inlet.push(marked_audio(14))
    run(seat)
    seat.give_up()
    (final,) = seat.events()
    assert (final.transcript.text, final.reason) == ("one", "end")
    assert inlet.push(marked_audio(1)) == 0


def test_one_that_is_closed_has_nothing_to_give_up():
    seat, inlet, _ = seat_of()
    inlet.close()
    run(seat)
    seat.give_up()
    assert seat.events() == []
