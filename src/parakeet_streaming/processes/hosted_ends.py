"""One stream of the engine in; the ends of it that are in an I/O process, out.

Rules of this file:

1. The worker calls all of it, and waits for nothing.
2. How far the stream has been told is stored after the number of events that were told before it,
   so whoever sees the one waits for the other.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from parakeet_streaming.live.ends import AudioInlet, EventOutlet, SampleQueue
from parakeet_streaming.processes import audio_memory as at
from parakeet_streaming.processes.audio_memory import AudioMemory
from parakeet_streaming.processes.audio_reader import SharedAudioQueue, SharedAudioReader
from parakeet_streaming.processes.events import packed_event
from parakeet_streaming.processes.failures import told_of
from parakeet_streaming.processes.frames import Frame, Kind
from parakeet_streaming.processes.link import Link
from parakeet_streaming.processes.shared_memory import fence
from parakeet_streaming.results import Event, FilterStart, SnapshotTaken
from parakeet_streaming.timeline import SAMPLE_RATE_HZ

_LOG: Final = logging.getLogger("parakeet_streaming.live")


class HostedEnds:
    """A crossing to an I/O process (`live.ends.Crossing`)."""

    def __init__(self, link: Link, memory: AudioMemory, slot: int) -> None:
        self._link, self._memory, self._slot = link, memory, slot
        self.start = 0
        self.most_samples = 0
        self.inlet = RemoteInlet(link, memory, slot)

    def ends(
        self,
        start: int,
        most_samples: int,
        wake: Callable[[], None],
    ) -> tuple[SampleQueue, AudioInlet, EventOutlet]:
        """Makes them, once."""
        self.start, self.most_samples = start, most_samples
        reader = SharedAudioReader(self._memory, self._slot, start, most_samples)
        queue = SharedAudioQueue(self._memory, self._slot, reader, most_samples)
        return queue, self.inlet, RemoteOutlet(self._link, self._memory, self._slot)


class RemoteInlet:
    """What the worker asks of the producer. Its samples are at 16 kHz: it has resampled them."""

    rate_hz: Final = SAMPLE_RATE_HZ
    filters: tuple[FilterStart, ...] = ()
    """The I/O process adds them to what is told."""

    def __init__(self, link: Link, memory: AudioMemory, slot: int) -> None:
        self._link, self._slot = link, slot
        self._counters = memory.slot(slot).counters
        self._told_room = 0
        self._finished = False
        self._commits: dict[int, Callable[[int], None]] = {}
        self._commit = 0

    @property
    def finished(self) -> bool:
        """Whether no more samples are taken."""
        return self._finished

    def commit(self, at: Callable[[int], None]) -> None:
        """Wants all that was pushed to be handed on, and to know where that ends."""
        self._commit += 1
        self._commits[self._commit] = at
        self._link.tell(Frame(Kind.COMMIT_ASKED, self._slot, self._commit))

    def committed(self, commit: int, position: int) -> None:
        """The producer's answer to that."""
        at = self._commits.pop(commit, None)
        if at is not None:
            at(position)

    def finish(self) -> None:
        """No more samples will come: the producer's own wish, or the worker's."""
        self._finished = True
        if not self._counters[at.CLOSED]:
            self._link.tell(Frame(Kind.FINISH_ASKED, self._slot))

    def woken(self) -> None:
        """There is more room, or there will be none: tells a producer that waits for it."""
        fence()
        asked = self._counters[at.ASKED_FOR_ROOM]
        if asked != self._told_room:
            self._told_room = asked
            self._link.tell(Frame(Kind.ROOM, self._slot))


class RemoteOutlet:
    """Where the worker puts events."""

    def __init__(self, link: Link, memory: AudioMemory, slot: int) -> None:
        self._link, self._slot = link, slot
        self._counters = memory.slot(slot).counters
        self._put = 0
        self._told = 0
        self._closed = False

    @property
    def told_samples(self) -> int:
        """Decoded, with all events of them put in."""
        return self._told

    @told_samples.setter
    def told_samples(self, told: int) -> None:
        if told != self._told and not self._closed:
            self._counters[at.EVENTS_PUT] = self._put
            fence()
            self._counters[at.TOLD] = self._told = told

    def put(self, event: Event) -> None:
        """Sends an event; it is written in the thread that sends."""
        self._put += 1
        slot = self._slot

        def made() -> Frame:
            try:
                told, blob = packed_event(event)
            except Exception:  # of a snapshot: the client keeps the one before
                assert isinstance(event, SnapshotTaken), event
                _LOG.exception("a snapshot could not be written")
                return Frame(Kind.EVENT, slot)
            return Frame(Kind.EVENT, slot, told, blob)

        self._link.tell(made)

    def close(self, error: BaseException | None = None) -> None:
        """Nothing more will come."""
        if not self._closed:
            self._closed = True
            self._link.tell(Frame(Kind.OVER, self._slot, told_of(error)))
