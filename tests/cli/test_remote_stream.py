"""A server's stream as one of this program's: what is sent when, and what is kept."""

import threading
from collections import deque
from types import SimpleNamespace

import numpy as np
import pytest

from parakeet_streaming.cli.remote_stream import RemoteStream
from parakeet_streaming.client import events
from parakeet_streaming.errors import ServerError
from parakeet_streaming.results import Final, Gap, HealthHint, Partial, SpeechStarted, Token, Word
from parakeet_streaming.timeline import ContextConfig

LONG_S = 60.0
THREE = Token(0, " three", 0, 1, 0.2, 0.4, 0.9)
WORD = Word("three", 0.2, 0.4, 0.9)


class Server:
    """A stream that gives what a test says, and keeps what it gets."""

    def __init__(self, *told, idle_s=LONG_S):
        self.told = deque(told)
        self.got = deque()
        self.takes = threading.Event()
        self.takes.set()
        self.finished = threading.Event()
        self.ready = SimpleNamespace(sample_rate=16_000, idle_s=idle_s, checkpoints=None)

    def send(self, samples):
        assert self.takes.wait(LONG_S)
        self.got.append(len(samples))

    def gap(self, samples):
        self.got.append(-samples)

    def keep_alive(self):
        self.got.append("alive")

    def finish(self):
        self.finished.set()

    def get(self, _timeout_s):
        event = self.told.popleft() if self.told else None
        if isinstance(event, Exception):
            raise event
        return event


def read(stream):
    found = []
    while (event := stream.get(LONG_S)) is not None:
        found.append(event)
    return found


def test_events_are_those_of_this_program():
    context = ContextConfig.balanced()
    server = Server(
        events.SpeechStarted(0, 0.1),
        events.Partial(0, "three", " one", 0.5, 1.0, (THREE,)),
        events.Gap(1.0, 2.0),
        events.Marker("not asked for"),
        events.ContextChanged(context, 0.96, 1.0),
        events.Hint("rate", "r", 0.5),
        events.Hint("new", "r", 0.5),
        events.Mistake("c", "no"),
        events.Final(0, "three", 0.1, 2.5, "silence", (WORD,), (THREE,)),
        events.SpeechEnded(0, 0.4),
    )
    stream = RemoteStream(server)
    started, partial, gap, changed, hint, final, _ = read(stream)
    assert started == SpeechStarted(0.1)
    assert partial == Partial("three", (THREE,), " one", (), 0.5, 1.0)
    assert (gap, hint) == (Gap(1.0, 2.0), HealthHint("rate", "r", 0.5))
    assert (changed.context, changed.at) == (context, 1.0)
    assert isinstance(final, Final)
    whole = stream.transcript()
    assert final.transcript == whole
    assert (whole.text, whole.words, whole.tokens) == ("three", (WORD,), (THREE,))
    assert (whole.segments[0].text, whole.audio_s) == ("three", 2.5)
    assert list(stream.messages) == ["the server says: no"]
    assert stream.failure is None
    assert server.finished.is_set()


def test_what_was_committed_when_the_server_dies_ends_as_an_utterance():
    gone = ServerError("gone")
    server = Server(events.Partial(0, "three", " one", 0.5, 1.0, (THREE,)), gone, None)
    stream = RemoteStream(server)
    _, final = read(stream)
    assert (final.transcript.text, final.reason) == ("three", "end")
    assert stream.transcript().words == (WORD,)
    assert stream.failure is gone
    assert stream.push(np.zeros(5, np.float32)) == 0


def test_sound_waits_for_the_network_and_what_has_no_room_is_told():
    server = Server()
    stream = RemoteStream(server)
    server.takes.clear()
    block = np.zeros(16_000, np.float32)
    taken = [stream.push(block) for _ in range(32)]
    assert taken == [16_000] * 30 + [0] * 2
    assert stream.unsent_s == 30.0
    stream.push_gap(7)
    server.takes.set()
    stream.finish()
    assert server.finished.wait(LONG_S)
    assert list(server.got) == [16_000] * 30 + [-32_007]


def test_a_source_that_can_wait_is_held_back():
    server = Server()
    stream = RemoteStream(server)
    server.takes.clear()
    stream.push(np.zeros(48_000, np.float32))
    threading.Timer(0.05, server.takes.set).start()
    assert stream.wait_for_room(5) == 5
    assert list(server.got) == [48_000]
    stream.finish()
    assert stream.wait_for_room(5) == 0


def test_a_silent_source_keeps_the_stream():
    server = Server(idle_s=0.03)
    stream = RemoteStream(server)
    while not server.got:
        threading.Event().wait(0.01)
    stream.finish()
    assert server.finished.wait(LONG_S)
    assert set(server.got) == {"alive"}


def test_a_server_that_goes_away_is_sent_nothing_more():
    server = Server(events.GoingAway("why", 3.0), ServerError("it was stopped"))
    stream = RemoteStream(server)
    assert read(stream) == []
    assert list(stream.messages) == ["the server ends: why"]
    assert "stopped" in str(stream.failure)


def test_people_are_told_that_a_stream_goes_on():
    server = Server(
        events.GoingAway("why", 3.0),
        events.Reconnecting("it broke"),
        events.Resumed("exact"),
        events.Resumed("anew", "expired"),
    )
    server.ready.checkpoints = object()
    stream = RemoteStream(server)
    assert read(stream) == []
    assert [each.split(";")[0] for each in stream.messages] == [
        "the connection is lost", "connected again", "connected again",
    ]  # fmt: skip
    assert stream.failure is None


def test_why_nothing_can_be_sent_is_kept():
    server = Server()

    def refuse(_):
        raise ServerError("took nothing")

    server.send = refuse
    stream = RemoteStream(server)
    stream.push(np.zeros(5, np.float32))
    stream._sender.join(LONG_S)
    assert stream.get() is None
    assert str(stream.failure) == "took nothing"


@pytest.mark.parametrize("samples", [1, 16_000])
def test_a_gap_alone_is_told(samples):
    server = Server()
    stream = RemoteStream(server)
    stream.push_gap(samples)
    stream.finish()
    assert server.finished.wait(LONG_S)
    assert list(server.got) == [-samples]
