"""The clients, in a process of their own: a trial in, what each of them heard out.

python -m benchmarks.server.speakers

Asked by `load`, one JSON object a line: where the server is, the door, the scripts, and when each
client begins. All speak on one absolute clock, as `live/arrivals.py` has it.
"""

from __future__ import annotations

import asyncio
import heapq
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.server.child import answer_all
from benchmarks.server.doors import RATES_HZ, may_commit, messages_of
from benchmarks.server.lines import Line, open_line
from benchmarks.server.script import PACKET_S, Script, recordings_of, scripts_of
from parakeet_streaming.timeline import SAMPLE_RATE_HZ

_REST_S: Final = 0.001
"""Nobody sleeps for less; then all that is due is sent."""
_BETWEEN: Final = 32
"""Packets between two looks at what has come, where many are due."""
_AHEAD_S: Final = 0.3
"""From the last greeting to the first sample."""
_PATIENCE_S: Final = 15.0
"""For the last words, after the last packet."""
_PARTS_WITHIN_S: Final = 5.0


@dataclass(frozen=True)
class Trial:
    """What is said, in which way, by how many."""

    door: str
    clients: int
    seconds: float
    commit_every_s: float = 7.0
    speech: str | None = None
    scripts: int = 4
    """Clients share so many scripts."""
    seed: int = 0
    key: str | None = None
    """That the server wants."""
    silence: bool = False
    """Digital silence instead of speech."""

    def scripts_for(self, rate_hz: int) -> list[Script]:
        """The scripts."""
        if self.silence:
            recordings = [np.zeros(SAMPLE_RATE_HZ, np.float32)]
        else:
            recordings = recordings_of(None if self.speech is None else Path(self.speech))
        every_s = self.commit_every_s if may_commit(self.door) else 0.0
        return scripts_of(recordings, self.scripts, self.seconds, rate_hz, every_s)

    def starts_s(self, apart_s: float) -> list[float]:
        """When each client begins: at random moments, one in each part of `apart_s`."""
        drawn = random.Random(self.seed)
        return [(each + drawn.random()) / self.clients * apart_s for each in range(self.clients)]


def moments(starts_s: Sequence[float], packets: int) -> Any:
    """(when, client, packet) of every packet, in order; a packet is full when it is spoken."""
    return heapq.merge(
        *(
            [(begin_s + (packet + 1) * PACKET_S, client, packet) for packet in range(packets)]
            for client, begin_s in enumerate(starts_s)
        )
    )


class Speakers:
    """All clients of one trial."""

    def __init__(self, trial: Trial, url: str, apart_s: float) -> None:
        self._trial, self._url = trial, url
        self._scripts = trial.scripts_for(RATES_HZ[trial.door])
        self._messages = [messages_of(trial.door, script) for script in self._scripts]
        self._starts_s = trial.starts_s(apart_s)
        self._zero_s = 0.0
        self._behind_s: list[float] = []

    async def run(self, ends: Sequence[int]) -> dict[str, Any]:
        """Says everything; `ends`: of each script, how many utterances are to end."""
        lines = await asyncio.gather(
            *(self._open(client, begin_s) for client, begin_s in enumerate(self._starts_s))
        )
        self._zero_s = time.perf_counter() + _AHEAD_S
        began_cpu_s = time.process_time()
        await self._say(lines)
        used = time.process_time() - began_cpu_s
        await self._last_words(lines, ends)
        took_s = time.perf_counter() - self._zero_s
        await self._part(lines)
        return {
            "heard": [line.heard.as_json() for line in lines],
            "behind_s": self._behind_s[:: max(1, len(self._behind_s) // 20_000)],
            "cores_used": used / took_s,
        }

    async def _open(self, client: int, begin_s: float) -> Line:
        number = client % len(self._scripts)

        def now_s() -> float:
            return time.perf_counter() - self._zero_s - begin_s

        script, messages = self._scripts[number], self._messages[number]
        trial = self._trial
        return await open_line(self._url, trial.door, script, messages, now_s, trial.key)

    async def _say(self, lines: Sequence[Line]) -> None:
        due = moments(self._starts_s, self._scripts[0].packets)
        for sent, (due_s, client, packet) in enumerate(due):
            wait_s = due_s - (time.perf_counter() - self._zero_s)
            if wait_s > 0:
                await asyncio.sleep(max(wait_s, _REST_S))
            elif sent % _BETWEEN == 0:
                await asyncio.sleep(0)
            self._behind_s.append(time.perf_counter() - self._zero_s - due_s)
            lines[client].say(packet)

    async def _last_words(self, lines: Sequence[Line], ends: Sequence[int]) -> None:
        until_s = time.perf_counter() + _PATIENCE_S

        def waits(client: int, line: Line) -> bool:
            return not line.gone.is_set() and len(line.heard.ends) < ends[client % len(ends)]

        while time.perf_counter() < until_s and any(
            waits(client, line) for client, line in enumerate(lines)
        ):
            await asyncio.sleep(0.02)

    async def _part(self, lines: Sequence[Line]) -> None:
        for line in lines:
            line.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(_PARTS_WITHIN_S):
                await asyncio.gather(*(line.gone.wait() for line in lines))


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    """Runs one trial."""
    speakers = Speakers(Trial(**asked["trial"]), asked["url"], asked["apart_s"])
    return asyncio.run(speakers.run(asked["ends"]))


if __name__ == "__main__":
    answer_all(answer)
