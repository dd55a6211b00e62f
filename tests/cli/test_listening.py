"""A source that is heard: what is said about it, when it is held back, how it ends."""

import threading
from collections import deque
from types import SimpleNamespace

import numpy as np
import pytest

from parakeet_streaming import ContextConfig
from parakeet_streaming.cli.interruption import Interruption
from parakeet_streaming.cli.listening import Listening
from parakeet_streaming.cli.report import Trace
from parakeet_streaming.errors import DeviceError
from parakeet_streaming.live.metrics import LiveMetrics
from parakeet_streaming.results import (
    ContextChanged,
    Final,
    Gap,
    Partial,
    SpeechEnded,
    SpeechStarted,
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
        self.context = CONTEXT
        self.backlog_s = 0.0
        self.pushed = []
        self.finished = 0

    def push(self, samples):
        self.pushed.append(samples)
        return len(samples)

    def finish(self):
        self.finished += 1

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
            context=self.context, backlog_s=self.backlog_s, real_time_factor=0.1, audio_s=20.0
        )


class Source:
    """Gives what a test says when it says so."""

    rate_hz = 16_000

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


class Desk:
    """One listening and all around it."""

    def __init__(self, *script, can_wait=False, saved=None, duration_s=None):
        self.clock = Clock()
        self.stream = ScriptedStream(*script)
        self.source = Source(can_wait)
        self.interruption = Interruption()
        self.trace = Trace(LiveMetrics(), keep=True)
        self.listening = Listening(
            self.stream,
            self.source,
            self.interruption,
            self.trace,
            duration_s=duration_s,
            saved=saved,
            now=self.clock,
        )

    def hear(self):
        return list(self.listening.hear())

    def messages(self):
        return list(self.listening.messages())

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


def partial(committed_s, heard_s, *ends):
    tokens = tuple(Token(0, " a", 0, 1, end - 0.08, end, 0.9) for end in ends)
    return Partial(" a" * len(ends), tokens, "", (), committed_s, heard_s)


def test_events_come_in_order_and_none_where_nothing_happens():
    desk = Desk(NOTHING, SpeechStarted(0.1), NOTHING, Final(EMPTY))
    assert desk.hear() == [None, SpeechStarted(0.1), None, Final(EMPTY)]
    assert desk.source.on_end == desk.stream.finish
    assert desk.source.stops == 1
    assert desk.stream.finished == 0
    assert desk.listening.failure is None
    assert desk.listening.transcript() is EMPTY


def test_lag_and_delays_count_from_when_sound_arrived():
    desk = Desk()
    desk.stream.script.extend(
        [
            desk.speaks(0.4, at_s=0.4),
            desk.speaks(0.4, at_s=0.8),
            desk.speaks(0.2, at_s=1.0),
            desk.at(1.1),
            partial(0.4, 0.8, 0.3),
        ]
    )
    desk.hear()
    (step,) = desk.trace.steps
    assert step.lag_s == pytest.approx(0.3)
    assert step.delays_s == pytest.approx((0.8,))
    assert step.context_s == CONTEXT.latency_s
    assert "latency 0.80 s + 300 ms" in desk.listening.summary()


def test_what_arrives_faster_than_it_plays_is_as_late_as_it_would_have_been_live():
    desk = Desk()
    desk.stream.script.extend([desk.speaks(10.0, at_s=0.0), desk.at(0.05), partial(0.4, 0.8, 0.3)])
    desk.hear()
    assert desk.trace.steps[0].delays_s == pytest.approx((0.55,))


def test_status_tells_level_speed_and_what_waits():
    desk = Desk(duration_s=20.0)
    desk.stream.backlog_s = 3.3
    desk.stream.script.extend([desk.speaks(10.0), NOTHING, SpeechStarted(0.1)])
    desk.hear()
    status = desk.listening.status()
    assert status.startswith("● ━━━━━━╌╌╌╌╌╌ 0:10 of 0:20 ━━━━━━━╌╌╌  -20 dB · RTFx 10 · ")
    assert status.endswith("latency 0.80 s + 0 ms · backlog 2.5 s")
    desk.stream.backlog_s = 0.5
    assert desk.listening.status().endswith("backlog 0.0 s")
    assert desk.listening.processing_s == pytest.approx(2.0)


def test_the_mark_of_speech_goes_out():
    desk = Desk(SpeechStarted(0.1), SpeechEnded(0.5))
    desk.hear()
    assert desk.listening.status().startswith("○ 0:00 ")


def test_a_gap_is_told_with_what_to_do():
    desk = Desk(Gap(61.0, 62.5))
    desk.hear()
    (message,) = desk.messages()
    assert message.startswith("1.5 s of sound could not be taken at 1:01")
    assert "--context" in message
    assert desk.trace.gaps == [Gap(61.0, 62.5)]
    assert desk.messages() == []


def test_changes_of_the_context_are_told_with_their_reason():
    longer = ContextChanged(ContextConfig(0.8, 0.8, 0.4), 1.0)
    shorter = ContextChanged(CONTEXT, 9.0)
    desk = Desk(longer, shorter)
    desk.hear()
    assert desk.messages() == [
        "text now comes within 1.20 s: this machine does not keep up with less",
        "text now comes within 0.80 s: there is room for it",
    ]
    assert desk.trace.changes == [longer, shorter]


def test_a_pipe_that_brings_much_at_once_is_no_slow_machine():
    desk = Desk(ContextChanged(ContextConfig(0.8, 0.8, 0.4), 1.0), can_wait=True)
    desk.hear()
    assert desk.messages() == [
        "text now comes within 1.20 s: sound comes faster than it is decoded"
    ]


def test_a_muted_microphone_is_told():
    desk = Desk()
    desk.stream.script.extend([desk.speaks(3.0, level=0.0), NOTHING])
    desk.hear()
    (message,) = desk.messages()
    assert "muted" in message


def test_the_source_is_watched_and_its_losses_are_told_once():
    desk = Desk(NOTHING, NOTHING)
    desk.source.overflows = 2
    desk.stream.script.extend([desk.at(0.5), NOTHING, desk.at(1.2), NOTHING, desk.at(3), NOTHING])
    desk.hear()
    assert desk.source.watched == [100.0, 101.2, 103.0]
    (message,) = desk.messages()
    assert "dropped sound" in message


def test_what_ended_the_source_is_known_in_the_end():
    desk = Desk(Final(EMPTY))
    desk.source.failure = DeviceError("unplugged")
    assert desk.hear() == [Final(EMPTY)]
    assert str(desk.listening.failure) == "unplugged"


def test_interrupted_it_stops_the_source_and_hears_the_rest():
    desk = Desk()

    def interrupt():
        desk.interruption.asked = True

    def late():
        assert desk.source.push(np.ones(100, np.float32)) == 0

    desk.stream.script.extend(
        [desk.speaks(0.1), interrupt, NOTHING, late, partial(0.1, 0.1), Final(EMPTY)]
    )
    assert desk.hear()[-1] == Final(EMPTY)
    assert desk.stream.finished == 1
    assert desk.source.stops == 2
    assert len(desk.stream.pushed) == 1
    assert desk.listening.heard_s == 0.1


def test_whoever_looks_away_lets_go_of_the_source():
    desk = Desk(NOTHING, NOTHING)
    heard = desk.listening.hear()
    next(heard)
    heard.close()
    assert desk.source.stops == 1


def test_a_source_that_can_wait_is_held_back_while_much_is_undecoded():
    desk = Desk(can_wait=True)
    desk.stream.backlog_s = 100.0
    held = threading.Thread(target=lambda: desk.source.push(np.ones(100, np.float32)))

    def starts():
        held.start()

    def decoded():
        assert desk.stream.pushed == []
        desk.stream.backlog_s = 0.0

    desk.stream.script.extend([starts, NOTHING, decoded, NOTHING, lambda: held.join(LONG_S)])
    desk.hear()
    assert len(desk.stream.pushed) == 1


def test_a_source_that_is_held_back_is_let_go_in_the_end():
    desk = Desk(can_wait=True)
    desk.stream.backlog_s = 100.0
    held = threading.Thread(target=lambda: desk.source.push(np.ones(100, np.float32)))

    def interrupt():
        held.start()
        desk.interruption.asked = True

    desk.stream.script.extend([interrupt, NOTHING, lambda: held.join(LONG_S)])
    desk.hear()
    assert not held.is_alive()
    assert desk.stream.pushed == []


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
    desk = Desk(saved=saved)
    desk.stream.script.extend([desk.speaks(0.1), NOTHING, desk.speaks(0.2), Final(EMPTY)])
    desk.hear()
    assert np.array_equal(np.concatenate(saved.samples), np.concatenate(desk.stream.pushed))


def test_a_full_disk_is_told_and_listening_goes_on():
    desk = Desk(saved=Saved(full_after=1))
    desk.stream.script.extend([desk.speaks(0.1), NOTHING, desk.speaks(0.1), NOTHING])
    desk.stream.script.extend([desk.speaks(0.1), Final(EMPTY)])
    assert desk.hear()[-1] == Final(EMPTY)
    assert desk.messages() == ["sound is not saved any more: is there room?"]


def test_sound_that_a_slow_disk_missed_is_told():
    desk = Desk(saved=Saved())
    desk.stream.script.extend([desk.speaks(12.5), NOTHING, desk.at(2), NOTHING])
    desk.hear()
    (message,) = desk.messages()
    assert message.startswith("2.5 s are missing in the saved sound")
