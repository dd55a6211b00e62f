"""A source that is transcribed live: its messages, when it is held back, how it ends."""

import threading
from collections import deque
from types import SimpleNamespace

import numpy as np
import pytest

from parakeet_streaming import ContextConfig
from parakeet_streaming.cli.interruption import Interruption
from parakeet_streaming.cli.live_transcription import LiveTranscription
from parakeet_streaming.cli.report import StreamLog
from parakeet_streaming.errors import DeviceError
from parakeet_streaming.metrics.histogram import Histogram
from parakeet_streaming.results import (
    ContextChanged,
    Final,
    Gap,
    Partial,
    SpeechEnded,
    SpeechStarted,
    StepTiming,
    Token,
    Transcript,
)

CONTEXT = ContextConfig(0.8, 0.4, 0.4)
EMPTY = Transcript("", (), (), (), 0.0)
LONG_S = 60.0
NOTHING = object()
"""In a script: no event comes for a while."""


class Clock:
    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return self.now_s


class ScriptedStream:
    """A live stream whose events are written down; what can be called is called in order."""

    def __init__(self, *script):
        self.script = deque(script)
        self.backlog_s = 0.0
        self.delays = Histogram()
        self.pushed = []
        self.finished = 0
        self.room = threading.Event()
        self.room.set()
        self.asked_for_room = []

    def push(self, samples):
        self.pushed.append(samples)
        return len(samples)

    def wait_for_room(self, samples):
        self.asked_for_room.append(samples)
        assert self.room.wait(LONG_S)
        return 0 if self.finished else samples

    def finish(self):
        self.finished += 1
        self.room.set()

    def get(self, _timeout_s):
        while self.script and callable(self.script[0]):
            self.script.popleft()()
        event = self.script.popleft() if self.script else None
        if event is NOTHING:
            raise TimeoutError
        return event

    def transcript(self):
        return EMPTY

    def stats(self):
        return SimpleNamespace(
            backlog_s=self.backlog_s,
            real_time_factor=0.1,
            audio_s=20.0,
            emission_delay=self.delays.snapshot(),
        )


class Source:
    """Gives what a test says when it says so."""

    rate_hz = 16_000
    channels = 1

    def __init__(self, can_wait=False):
        self.can_wait = can_wait
        self.failure = None
        self.overflows = 0
        self.watched = []
        self.stops = 0
        self.push = None

    def start(self, push, on_end):
        self.push, self.on_end = push, on_end

    def watch(self, now_s):
        self.watched.append(now_s)
        return True

    def stop(self):
        self.stops += 1


class Session:
    """One live transcription, and everything that it works with."""

    def __init__(self, *script, can_wait=False, saved=None, duration_s=None):
        self.clock = Clock()
        self.stream = ScriptedStream(*script)
        self.source = Source(can_wait)
        self.interruption = Interruption()
        self.log = StreamLog(keep_steps=True)
        self.live = LiveTranscription(
            [self.stream],
            self.source,
            self.interruption,
            self.log,
            CONTEXT,
            duration_s=duration_s,
            saved=saved,
            now=self.clock,
        )

    def run(self):
        return list(self.live.events())

    def messages(self):
        return list(self.live.messages())

    def speaks(self, seconds=0.1, level=0.1, at_s=None):
        """A step of a script: the source gives noise."""

        def act():
            if at_s is not None:
                self.clock.now_s = 100.0 + at_s
            samples = np.random.default_rng(0).normal(0, level, round(16_000 * seconds))
            self.source.push(samples.astype(np.float32))

        return act

    def at(self, seconds):
        def act():
            self.clock.now_s = 100.0 + seconds

        return act


def partial(committed_s, lookahead_end_s, *ends, timing=None):
    tokens = tuple(Token(0, " a", 0, 1, end - 0.08, end, 0.9) for end in ends)
    return Partial(" a" * len(ends), tokens, "", (), committed_s, lookahead_end_s, timing)


def test_events_come_in_order_and_none_where_nothing_happens():
    session = Session(NOTHING, SpeechStarted(0.1), NOTHING, Final(EMPTY))
    assert session.run() == [None, SpeechStarted(0.1), None, Final(EMPTY)]
    assert session.source.on_end == session.stream.finish
    assert session.source.stops == 1
    assert session.stream.finished == 0
    assert session.live.failure is None
    assert session.live.transcript() is EMPTY


def test_lag_is_that_of_the_steps_and_delays_count_from_the_end_of_each_token():
    session = Session(
        partial(0.4, 0.8, 0.3, timing=StepTiming(0.05, 0.2, 0.05, streams=2, share=0.5))
    )
    session.run()
    (step,) = session.log.steps
    assert step.lag_s == pytest.approx(0.3)
    assert step.delays_s == pytest.approx((0.8,))
    assert step.context_s == CONTEXT.latency_s
    assert "latency 0.80 s + 300 ms" in session.live.summary()


def test_the_summary_says_how_late_text_was():
    session = Session()
    session.run()
    assert session.live.summary() == (
        "0.0 s of audio, 2.00 s of computing · RTFx 10 · latency 0.80 s + 0 ms"
    )
    session.stream.delays.record(0.5)
    assert session.live.summary().splitlines()[1] == (
        "text appeared 0.50 s after it was spoken (median of 1 words; the latest 0.50 s)"
    )


def test_status_tells_level_speed_and_what_waits():
    session = Session(duration_s=20.0)
    session.stream.backlog_s = 3.3
    session.stream.script.extend([session.speaks(10.0), NOTHING, SpeechStarted(0.1)])
    session.run()
    status = session.live.status()
    assert status.startswith("● ━━━━━━╌╌╌╌╌╌ 0:10 of 0:20 ━━━━━━━╌╌╌  -20 dB · RTFx 10 · ")
    assert status.endswith("latency 0.80 s + 0 ms · backlog 2.5 s")
    session.stream.backlog_s = 0.5
    assert session.live.status().endswith("backlog 0.0 s")
    assert session.live.processing_s == pytest.approx(2.0)


def test_the_mark_of_speech_goes_out():
    session = Session(SpeechStarted(0.1), SpeechEnded(0.5))
    session.run()
    assert session.live.status().startswith("○ 0:00 ")


def test_a_gap_is_reported_with_what_to_do():
    session = Session(Gap(61.0, 62.5))
    session.run()
    (message,) = session.messages()
    assert message.startswith("1.5 s of sound could not be taken at 1:01")
    assert "--context" in message
    assert session.log.gaps == [Gap(61.0, 62.5)]
    assert session.messages() == []


def test_changes_of_the_context_are_reported_with_their_reason():
    longer = ContextChanged(ContextConfig(0.8, 0.8, 0.4), 1.0)
    shorter = ContextChanged(CONTEXT, 9.0)
    session = Session(longer, shorter)
    session.run()
    assert session.messages() == [
        "text now comes within 1.20 s: this machine does not keep up with less",
        "text now comes within 0.80 s: there is room for it",
    ]
    assert session.log.changes == [longer, shorter]


def test_a_pipe_that_brings_much_at_once_is_no_slow_machine():
    session = Session(ContextChanged(ContextConfig(0.8, 0.8, 0.4), 1.0), can_wait=True)
    session.run()
    assert session.messages() == [
        "text now comes within 1.20 s: sound comes faster than it is decoded"
    ]


def test_a_muted_microphone_is_reported():
    session = Session()
    session.stream.script.extend([session.speaks(3.0, level=0.0), NOTHING])
    session.run()
    (message,) = session.messages()
    assert "muted" in message


def test_the_source_is_watched_and_its_losses_are_reported_once():
    session = Session(NOTHING, NOTHING)
    session.source.overflows = 2
    session.stream.script.extend(
        [session.at(0.5), NOTHING, session.at(1.2), NOTHING, session.at(3), NOTHING]
    )
    session.run()
    assert session.source.watched == [100.0, 101.2, 103.0]
    (message,) = session.messages()
    assert "dropped sound" in message


def test_what_ended_the_source_is_known_in_the_end():
    session = Session(Final(EMPTY))
    session.source.failure = DeviceError("unplugged")
    assert session.run() == [Final(EMPTY)]
    assert str(session.live.failure) == "unplugged"


def test_interrupted_it_stops_the_source_and_decodes_the_rest():
    session = Session()

    def interrupt():
        session.interruption.asked = True

    def late():
        assert session.source.push(np.ones(100, np.float32)) == 0

    session.stream.script.extend(
        [session.speaks(0.1), interrupt, NOTHING, late, partial(0.1, 0.1), Final(EMPTY)]
    )
    assert session.run()[-1] == Final(EMPTY)
    assert session.stream.finished == 1
    assert session.source.stops == 2
    assert len(session.stream.pushed) == 1
    assert session.live.received_s == 0.1


def test_who_stops_reading_events_lets_go_of_the_source():
    session = Session(NOTHING, NOTHING)
    events = session.live.events()
    next(events)
    events.close()
    assert session.source.stops == 1


def test_a_source_that_can_wait_is_held_back_until_the_stream_has_room():
    session = Session(can_wait=True)
    session.stream.room.clear()
    held = threading.Thread(target=lambda: session.source.push(np.ones(100, np.float32)))

    def decoded():
        assert session.stream.pushed == []
        session.stream.room.set()

    session.stream.script.extend([held.start, NOTHING, decoded, lambda: held.join(LONG_S), NOTHING])
    session.run()
    assert session.stream.asked_for_room == [100]
    assert len(session.stream.pushed) == 1


def test_a_source_that_can_wait_is_held_back_until_its_sound_was_looked_at():
    session = Session(can_wait=True)
    nine_seconds = np.zeros(9 * 16_000, np.float32)
    held = threading.Thread(target=lambda: session.source.push(nine_seconds))

    def starts():
        session.source.push(nine_seconds)
        held.start()

    session.stream.script.extend([starts, NOTHING, lambda: held.join(LONG_S), NOTHING])
    session.run()
    assert len(session.stream.pushed) == 2
    assert session.live.received_s == 18.0


def test_a_source_that_cannot_wait_is_never_held_up():
    session = Session()
    session.stream.room.clear()
    session.stream.script.extend([session.speaks(0.1), NOTHING])
    session.run()
    assert session.stream.asked_for_room == []
    assert len(session.stream.pushed) == 1


def test_a_source_that_is_held_back_is_let_go_in_the_end():
    session = Session(can_wait=True)
    session.stream.room.clear()
    held = threading.Thread(target=lambda: session.source.push(np.ones(100, np.float32)))

    def interrupt():
        held.start()
        session.interruption.asked = True

    session.stream.script.extend([interrupt, NOTHING, lambda: held.join(LONG_S)])
    session.run()
    assert not held.is_alive()
    assert session.stream.pushed == []


class Saved:
    def __init__(self, full_after=99):
        self.samples = []
        self._full_after = full_after

    def write(self, samples):
        if len(self.samples) == self._full_after:
            raise OSError("is there room?")
        self.samples.append(samples)


def test_every_sample_is_saved():
    saved = Saved()
    session = Session(saved=saved)
    session.stream.script.extend([session.speaks(0.1), NOTHING, session.speaks(0.2), Final(EMPTY)])
    session.run()
    assert np.array_equal(np.concatenate(saved.samples), np.concatenate(session.stream.pushed))


def test_a_full_disk_is_reported_and_listening_goes_on():
    session = Session(saved=Saved(full_after=1))
    session.stream.script.extend([session.speaks(0.1), NOTHING, session.speaks(0.1), NOTHING])
    session.stream.script.extend([session.speaks(0.1), Final(EMPTY)])
    assert session.run()[-1] == Final(EMPTY)
    assert session.messages() == ["sound is not saved any more: is there room?"]


def test_sound_that_a_slow_disk_missed_is_reported():
    session = Session(saved=Saved())
    session.stream.script.extend([session.speaks(12.5), NOTHING, session.at(2), NOTHING])
    session.run()
    (message,) = session.messages()
    assert message.startswith("2.5 s are missing in the saved sound")
