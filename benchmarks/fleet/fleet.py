"""Replicas, streams and the time in; who is where, and what each replica's load was, out.

Rules of this file:

1. A replica starts, takes streams, may drain (no new ones), and is gone. It costs from its start to
   its end.
2. It lets a stream in while it has a slot, and while the load with the new stream is low enough,
   as the engine does; either bound may be left out. A new stream counts as speaking all the time
   for `counts_full_s`, after that by what it speaks.
3. A stream that comes back has audio to catch up with. It gets the time that the load leaves,
   shared with the others that catch up.
4. No clock: times are handed in, and never go back.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from benchmarks.fleet.engine_model import EngineModel
from benchmarks.fleet.placement import Placement

BINS: Final = 200
"""Of the load: one for each hundredth, the last one for all above."""
_LEAST_SPARE: Final = 0.05


class Phase(Enum):
    """What a replica does."""

    STARTING = auto()
    READY = auto()
    DRAINING = auto()
    GONE = auto()


@dataclass(frozen=True)
class Admission:
    """Which streams a replica lets in."""

    slots: int | None = None
    """None: as many as the load allows."""
    most_load: float | None = None
    """None: as many as there are slots."""
    counts_full_s: float = 15.0
    kept: int = 0
    """Slots for streams that were in before: lost ones, and those of a replica that drains."""


@dataclass(slots=True, eq=False)
class Stream:
    """A session, and where it is."""

    key: int
    lasts_s: float
    speech: float
    waits_since_s: float
    """For its place: since it came, or since it was lost."""
    replica: Replica | None = None
    balancer: int = 0
    ends_s: float | None = None
    """Once it was let in."""
    lost: bool = False
    tries: int = 0
    """That were refused since then."""


@dataclass(slots=True, eq=False)
class Replica:
    """One server with its engine."""

    number: int
    began_s: float
    phase: Phase = Phase.STARTING
    streams: dict[Stream, None] = field(default_factory=dict)
    speaking: float = 0.0
    """Of its streams, on the average."""
    load: float = 0.0
    since_s: float = 0.0
    """Until when its load is counted."""
    new: deque[tuple[float, float]] = field(default_factory=deque)
    """Until when a stream counts in full, and what it does not speak."""
    unspoken: float = 0.0
    """Of those."""
    catching_up: deque[float] = field(default_factory=deque)
    """Until when."""


@dataclass
class Totals:
    """Sums over all replicas."""

    replica_s: float = 0.0
    stream_s: float = 0.0
    speech_s: list[float] = field(default_factory=lambda: [0.0] * (BINS + 1))
    """Seconds of speech by the load under which they were transcribed."""


class Fleet:
    """All replicas behind some balancers."""

    def __init__(
        self, model: EngineModel, admission: Admission, balancers: list[Placement]
    ) -> None:
        """`balancers`: each with counts of its own."""
        self.totals = Totals()
        self.replicas: dict[int, Replica] = {}
        """That are not gone."""
        self.open_streams = 0
        self._model = model
        self._admission = admission
        self._balancers = balancers
        self._started = 0

    def start(self, now_s: float) -> Replica:
        """One more, which takes streams once it is `ready`."""
        replica = Replica(self._started, now_s, since_s=now_s)
        self._started += 1
        self.replicas[replica.number] = replica
        return replica

    def ready(self, replica: Replica) -> None:
        """It takes streams from now on."""
        replica.phase = Phase.READY
        for each in self._balancers:
            each.add(replica.number)

    def drain(self, replica: Replica) -> None:
        """It takes no more streams."""
        if replica.phase is Phase.READY:
            for each in self._balancers:
                each.remove(replica.number)
        replica.phase = Phase.DRAINING

    def remove(self, replica: Replica, now_s: float) -> list[Stream]:
        """It is gone; the streams that it had."""
        if replica.phase is Phase.READY:
            self.drain(replica)
        left = list(replica.streams)
        for stream in left:
            self.leave(stream, now_s)
        replica.phase = Phase.GONE
        self.totals.replica_s += now_s - replica.began_s
        del self.replicas[replica.number]
        return left

    def count(self, phase: Phase) -> int:
        """Replicas that do that."""
        return sum(each.phase is phase for each in self.replicas.values())

    def place(self, stream: Stream, now_s: float, balancer: int, tries: int) -> Replica | None:
        """Lets a stream in somewhere; None where that many replicas refuse it."""
        placement = self._balancers[balancer]
        for each in range(tries):
            number = placement.choose(stream.key, each)
            if number is None:
                return None
            replica = self.replicas[number]
            if self.admits(replica, now_s, back=stream.ends_s is not None):
                if stream.replica is not None:
                    self.leave(stream, now_s)
                self._enter(replica, stream, now_s, balancer)
                return replica
        return None

    def admits(self, replica: Replica, now_s: float, *, back: bool = False) -> bool:
        """Whether it lets one more in, a new one or one that was in before."""
        streams, admission = len(replica.streams), self._admission
        kept = 0 if back else admission.kept
        if admission.slots is not None and streams >= admission.slots - kept:
            return False
        if admission.most_load is None:
            return True
        while replica.new and replica.new[0][0] <= now_s:
            replica.unspoken -= replica.new.popleft()[1]
        speaking = replica.speaking + replica.unspoken + 1
        return not streams or self._model.load(streams + 1, speaking) <= admission.most_load

    def leave(self, stream: Stream, now_s: float) -> None:
        """A stream leaves its replica."""
        replica = stream.replica
        assert replica is not None, "only a stream that is open can leave"
        self._count(replica, now_s)
        del replica.streams[stream]
        replica.speaking -= stream.speech
        self.open_streams -= 1
        stream.replica = None
        self._balancers[stream.balancer].changed(replica.number, -1)
        self._weigh(replica)

    def catch_up_s(self, replica: Replica, backlog_s: float, speech: float, now_s: float) -> float:
        """How long a stream that has just come back with so much audio takes to be on time."""
        others = replica.catching_up
        while others and others[0] <= now_s:
            others.popleft()
        model, sharing = self._model, len(others) + 1
        share = (model.fixed_s + model.per_stream_s * sharing) / model.chunk_s
        spare = max(_LEAST_SPARE, 1 - replica.load)
        took_s = backlog_s * speech * share / spare
        others.append(max(now_s + took_s, others[-1] if others else 0.0))
        return took_s

    def close(self, now_s: float) -> None:
        """Counts everything until now; nothing is gone by that."""
        for replica in self.replicas.values():
            self._count(replica, now_s)
            self.totals.replica_s += now_s - replica.began_s
            replica.began_s = now_s

    def _enter(self, replica: Replica, stream: Stream, now_s: float, balancer: int) -> None:
        self._count(replica, now_s)
        replica.streams[stream] = None
        replica.speaking += stream.speech
        self.open_streams += 1
        stream.replica, stream.balancer = replica, balancer
        if self._admission.most_load is not None:
            unspoken = 1 - stream.speech
            replica.new.append((now_s + self._admission.counts_full_s, unspoken))
            replica.unspoken += unspoken
        self._balancers[balancer].changed(replica.number, 1)
        self._weigh(replica)

    def _count(self, replica: Replica, now_s: float) -> None:
        """Counts the time since its load changed."""
        passed_s = now_s - replica.since_s
        replica.since_s = now_s
        if replica.streams:
            totals = self.totals
            totals.stream_s += passed_s * len(replica.streams)
            at = min(BINS, int(replica.load * 100))
            totals.speech_s[at] += passed_s * replica.speaking

    def _weigh(self, replica: Replica) -> None:
        replica.load = self._model.load(len(replica.streams), max(0.0, replica.speaking))
