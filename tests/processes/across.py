"""An engine and what stands for it in an I/O process, joined by a real socket and real memory."""

import socket
from contextlib import contextmanager
from functools import cache

from parakeet_streaming import LiveEngine, load, load_vad
from parakeet_streaming.live.adaptation import DelayRange
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.processes import shared_memory
from parakeet_streaming.processes.audio_memory import AudioMemory, Sizes
from parakeet_streaming.processes.host import EngineHost
from parakeet_streaming.processes.link import Ends, Link
from parakeet_streaming.processes.remote_engine import RemoteEngine
from parakeet_streaming.timeline import ContextConfig

FIXED = LiveOptions(DelayRange.fixed(ContextConfig.balanced()))
LONG_S = 120.0
SMALL = Sizes(slots=4, blocks=2_000)


@cache
def models():
    return load("tiny-en", threads=1), load_vad()


def memories(sizes=SMALL):
    """The same memory, as two processes have it."""
    import os

    descriptor = shared_memory.make(sizes.bytes)
    copy = os.dup(descriptor)
    return tuple(AudioMemory(shared_memory.mapped(each), sizes) for each in (descriptor, copy))


class Joined:
    """`engine` is here, `remote` there."""

    def __init__(self, engine, sizes):
        self.engine = engine
        here, there = socket.socketpair()
        here_memory, there_memory = memories(sizes)
        self.here, self.there = Link(here, "io"), Link(there, "engine", prompt=True)
        self.host = EngineHost(engine, self.here, here_memory)
        self.remote = RemoteEngine(self.there, there_memory)
        self.here.start(Ends(self.host.take, self.host.answer, self.host.gone))
        self.there.start(Ends(self.remote.take, lambda *_: (None, b""), self.remote.end))

    def part(self):
        """As when either process dies."""
        self.here.close()
        self.there.close()


@contextmanager
def joined(*, sizes=SMALL, streams=8, recognizer=None, **options):
    usual, vad = models()
    with LiveEngine(recognizer or usual, vad, most_streams=streams, **options) as engine:
        both = Joined(engine, sizes)
        try:
            yield both
        finally:
            both.part()


def read(stream):
    """All events until the end."""
    events = []
    while (event := stream.get(LONG_S)) is not None:
        events.append(event)
    return events
