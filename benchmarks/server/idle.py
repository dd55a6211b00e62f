"""What sockets cost that are open and say nothing: memory of each, and part of a core.

python -m benchmarks.server.idle                         500 sockets, 30 s for each protocol
python -m benchmarks.server.idle --sockets 50 --seconds 5

`parakeet serve` runs in a process of its own, as it is by default: each socket has a live stream,
is pinged, and is watched for being idle. Memory and processor time are those of that process; the
goal is below 1 % of a core for 500 sockets. Sockets are closed again, and what memory is left is
told, too.
Needs the dependency groups `bench` and `server`. The table goes to standard output, progress to
standard error.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.report.machine import machine, machine_table
from benchmarks.report.tables import percent, say, table
from benchmarks.server.doors import RATES_HZ, SOCKETS
from benchmarks.server.lines import Line, open_line
from benchmarks.server.script import Script
from benchmarks.server.serving import OPEN_HOUSE, Server

GOAL: Final = 0.01
"""Part of one core, of 500 sockets."""
_SETTLE_S: Final = 2.0
_AT_ONCE: Final = 50


@dataclass(frozen=True)
class Idle:
    """Sockets that are open and say nothing."""

    door: str
    sockets: int
    core_share: float
    kib_each: float
    left_kib_each: float
    """Of which the process keeps when all are closed."""
    lost: int
    """Sockets that were refused or closed."""


async def idle(server: Server, door: str, sockets: int, seconds: float) -> Idle:
    """Opens sockets, lets them be, and closes them."""
    await _close(await _open(server, door, min(_AT_ONCE, sockets)))
    await asyncio.sleep(_SETTLE_S)
    before_mib = server.resident_mib()
    lines = await _open(server, door, sockets)
    await asyncio.sleep(_SETTLE_S)
    open_mib, began_s, began_cpu_s = server.resident_mib(), time.perf_counter(), server.cpu_s()
    await asyncio.sleep(seconds)
    used_s = server.cpu_s() - began_cpu_s
    share = used_s / (time.perf_counter() - began_s)
    lost = sum(bool(line.heard.lost) for line in lines)
    await _close(lines)
    await asyncio.sleep(_SETTLE_S)
    left_mib = server.resident_mib()
    found = Idle(
        door,
        sockets,
        share,
        1024 * (open_mib - before_mib) / sockets,
        1024 * (left_mib - before_mib) / sockets,
        lost,
    )
    say(str(found))
    return found


async def _open(server: Server, door: str, count: int) -> list[Line]:
    silence = Script(RATES_HZ[door], np.zeros(0, np.int16), frozenset())
    lines: list[Line] = []
    while len(lines) < count:
        now = min(_AT_ONCE, count - len(lines))
        lines += await asyncio.gather(
            *(
                open_line(server.socket_url, door, silence, [], time.perf_counter)
                for _ in range(now)
            )
        )
    return lines


async def _close(lines: Sequence[Line]) -> None:
    for line in lines:
        line.close()
    async with asyncio.timeout(30):
        await asyncio.gather(*(line.gone.wait() for line in lines))


def idle_table(found: Sequence[Idle]) -> str:
    """One row for each protocol."""
    rows = [
        (each.door, each.sockets, percent(each.core_share), f"{each.kib_each:.1f} KiB",
         f"{each.left_kib_each:.1f} KiB", each.lost)
        for each in found
    ]  # fmt: skip
    head = ("idle sockets", "sockets", "of one core", "memory of each", "left after", "lost")
    return table(head, rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what the command line asks for."""
    asked = _parser().parse_args(arguments)
    print(f"{machine_table()}\n", flush=True)
    found = []
    for door in asked.doors:
        # A new server for each: memory that the first has taken would serve the second.
        with Server([asked.model, "--max-streams", str(asked.sockets), *OPEN_HOUSE]) as server:
            found.append(asyncio.run(idle(server, door, asked.sockets, asked.seconds)))
    print(f"{idle_table(found)}\n\nThe goal for 500 sockets is below {GOAL:.0%} of a core.")
    if asked.json is not None:
        report = {"machine": asdict(machine()), "idle": [asdict(each) for each in found]}
        asked.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("model", nargs="?", default="tiny-en", help="folder, name or hub id (default: %(default)s)")
    add("--doors", nargs="+", choices=SOCKETS, default=list(SOCKETS), help="default: all")
    add("--sockets", type=int, default=500, help="default: %(default)s")
    add("--seconds", type=float, default=30.0, help="of each protocol (default: %(default)g)")
    add("--json", type=Path, metavar="FILE", help="also write all numbers there")
    return parser


if __name__ == "__main__":
    main()
