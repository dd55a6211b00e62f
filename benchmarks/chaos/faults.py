"""A seed and a length in; what is done to servers and lines, and when, out; and how it is done.

| kind | |
| :-- | :-- |
| kill | SIGKILL for a server; another one is started seconds later |
| drain | SIGTERM for a server; another one is started after its end |
| scale | the same, and there is one server only for a while |
| freeze | SIGSTOP for a server, SIGCONT some seconds later |
| stop | SIGSTOP for a server that does not go on, until somebody kills it |
| cut | the line of one stream ends within a message, by a reset |
| cut all | the lines of all streams do |
| pause | the line of one stream carries nothing for some seconds |
| hang | the line of one stream carries nothing any more, and does not end |
| delay | the line of one stream carries everything later for a while |
| disk | no room where servers write their logs and what is uploaded |
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.chaos.places import Place
from benchmarks.chaos.wire import Wire
from benchmarks.report.tables import say

OF_SERVERS: Final = ("kill", "drain", "scale", "freeze", "stop")
OF_LINES: Final = ("cut", "cut all", "pause", "hang", "delay")
KINDS: Final = (*OF_SERVERS, *OF_LINES, "disk")
SECONDS: Final = {
    "kill": (0.5, 4.0),
    "drain": (0.5, 4.0),
    "scale": (8.0, 20.0),
    "freeze": (1.0, 7.0),
    "stop": (20.0, 40.0),
    "pause": (1.0, 6.0),
    "delay": (4.0, 12.0),
    "disk": (4.0, 10.0),
}
"""For how long. A pause is shorter than what ends an utterance for want of audio (10 s)."""
_LATE_S: Final = (0.2, 1.5)
_QUIET_AT_FIRST_S: Final = 3.0


@dataclass(frozen=True)
class Fault:
    """Something that is done."""

    at_s: float
    """After the streams began."""
    kind: str
    target: float
    """Which server or line, from 0 to 1 of those that are there."""
    seconds: float = 0.0
    late_s: float = 0.0


@dataclass(frozen=True)
class Done:
    """A fault that was done."""

    at_s: float
    """`time.monotonic`."""
    fault: Fault
    line: int | None
    """The stream that it was done to; None for a server, or all."""


def planned(seed: int, seconds: float, every_s: float, kinds: Sequence[str] = KINDS) -> list[Fault]:
    """Faults at random moments, all kinds equally often, some while another one still lasts."""
    draw = random.Random(seed)
    faults: list[Fault] = []
    deck: list[str] = []
    at_s = _QUIET_AT_FIRST_S
    while (at_s := at_s + draw.uniform(0.2, 1.8) * every_s) < seconds:
        if not deck:
            deck = draw.sample(list(kinds), len(kinds))
        kind = deck.pop()
        lasts_s = draw.uniform(*SECONDS.get(kind, (0.0, 0.0)))
        faults.append(Fault(at_s, kind, draw.random(), lasts_s, draw.uniform(*_LATE_S)))
    return faults


class Faults:
    """What is done to one place and its lines."""

    def __init__(self, place: Place, wires: Sequence[Wire], *, outages: bool = False) -> None:
        """`outages`: whether the last server that runs may be taken away, too."""
        self._place, self._wires = place, wires
        self._needed = 1 if outages else 2
        self.done: list[Done] = []
        self.left_out: list[Fault] = []
        """For want of a server that runs, or of a disk."""

    async def do(self, faults: Sequence[Fault], begun_s: float) -> None:
        """Does all at their times; comes back when each is over and what it did is mended."""
        doing: list[asyncio.Task[None]] = []
        try:
            for fault in faults:
                await asyncio.sleep(max(0.0, begun_s + fault.at_s - time.monotonic()))
                doing.append(asyncio.create_task(self._do(fault)))
            await asyncio.gather(*doing)
        finally:
            for each in doing:
                each.cancel()
            await asyncio.gather(*doing, return_exceptions=True)

    async def _do(self, fault: Fault) -> None:
        if fault.kind in OF_SERVERS:
            await self._to_server(fault)
        elif fault.kind == "disk":
            await self._to_disk(fault)
        else:
            await self._to_line(fault)

    def _note(self, fault: Fault, line: int | None, what: str) -> None:
        self.done.append(Done(time.monotonic(), fault, line))
        say(f"{fault.at_s:6.1f} s: {fault.kind}, {what}, {fault.seconds:.1f} s")

    async def _to_server(self, fault: Fault) -> None:
        place, there = self._place, self._place.running()
        if len(there) < self._needed:
            self.left_out.append(fault)
            return
        server = there[int(fault.target * len(there))]
        self._note(fault, None, f"server {server}")
        match fault.kind:
            case "kill":
                await place.kill(server, fault.seconds)
            case "drain" | "scale":
                await place.drain(server, fault.seconds)
            case _:
                await place.freeze(server, fault.seconds, for_ever=fault.kind == "stop")

    async def _to_disk(self, fault: Fault) -> None:
        disk = self._place.disk
        if disk is None:
            self.left_out.append(fault)
            return
        self._note(fault, None, "no room")
        try:
            await asyncio.to_thread(disk.fill)
            await asyncio.sleep(fault.seconds)
        finally:
            disk.empty()

    async def _to_line(self, fault: Fault) -> None:
        line = int(fault.target * len(self._wires))
        wire = self._wires[line]
        if fault.kind == "cut all":
            self._note(fault, None, "all lines")
            for each in self._wires:
                each.cut()
            return
        self._note(fault, line, f"line {line}")
        match fault.kind:
            case "cut":
                wire.cut()
            case "hang":
                wire.freeze()
            case "pause":
                wire.freeze()
                await asyncio.sleep(fault.seconds)
                wire.thaw()
            case _:
                wire.delay(fault.late_s)
                await asyncio.sleep(fault.seconds)
                wire.delay(0.0)
