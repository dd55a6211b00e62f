"""A server under good and bad clients for long; every promise that it broke out.

python -m benchmarks.server.soak                            half an hour
python -m benchmarks.server.soak --minutes 3 --json soak.json

Good clients come and go: a few speak over one protocol after the other (native, OpenAI Realtime
over WebSockets and over WebRTC, Deepgram's, Wyoming's), and recordings are uploaded all the while.
What each of them hears is compared with what a `LiveEngine` hears of it that nothing hurries.
Beside them, bad clients of every kind in `bad_clients.py` vanish, are half open, send garbage, read
nothing, flood, and show wrong keys, a few at once. Limits are shorter than usual, so that they are
met often. Memory is watched. When all have gone, no socket, no stream, no thread and no file may be
left; the server must have logged no error, and end with 0 when asked to. The exit code is 1, with
the reasons, where a promise was broken. The seed is printed.
Over Deepgram's protocol words are final when their utterance ends or is long: they are late by its
design. Calls take much of the clients' own cores.
Needs the dependency groups `bench` and `server`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import secrets
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from benchmarks.report.machine import machine, machine_table
from benchmarks.report.tables import say, table
from benchmarks.server.bad_clients import KINDS, Target, misbehave
from benchmarks.server.child import Cores
from benchmarks.server.doors import DOORS
from benchmarks.server.engine_alone import add_settings
from benchmarks.server.heard import Figures
from benchmarks.server.serving import Server
from benchmarks.server.speakers import Trial
from benchmarks.server.trials import Trials, opened
from benchmarks.server.uploads import recording_of, transcribed
from benchmarks.soak.process import ProcessSample, growth

_SAMPLE_S: Final = 1.0
_SETTLES_WITHIN_S: Final = 60.0
SHORT_LIMITS: Final = (
    *("--idle-s", "10", "--unread-s", "3", "--request-s", "5"),
    *("--ping-s", "2", "--ping-timeout-s", "4"),
    "--open-metrics",
)
_MOST_POOLED: Final = min(32, (os.cpu_count() or 1) + 4)
_BROKEN_ROUNDS: Final = 20
"""After so many, it is clear that something is wrong."""


@dataclass
class Soak:
    """Everybody, and what was seen of them."""

    server: Server
    target: Target
    seed: int
    bad: Counter[str] = field(default_factory=Counter)
    samples: list[ProcessSample] = field(default_factory=list)
    uploads: Counter[str] = field(default_factory=Counter)
    """How often an upload gave which text."""
    broken: list[str] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def begin(self, bad_clients: int, kinds: Sequence[str], recording: bytes) -> None:
        """Threads for the bad clients, for uploads and for memory."""
        for number in range(bad_clients):
            self._start(self._misbehave, kinds, random.Random(f"{self.seed}-{number}"))
        self._start(self._upload, recording)
        self._start(self._watch)

    def end(self) -> None:
        """Waits until all have gone."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _start(self, act: object, *arguments: object) -> None:
        thread = threading.Thread(target=act, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _misbehave(self, kinds: Sequence[str], drawn: random.Random) -> None:
        while not self._over.is_set():
            kind = drawn.choice(kinds)
            misbehave(self.target, kind, drawn)
            self.bad[kind] += 1

    def _upload(self, recording: bytes) -> None:
        while not self._over.is_set():
            try:
                self.uploads[transcribed(self.server.url, recording, self.target.key)] += 1
            except OSError as error:
                self.broken.append(f"an upload ended: {error}")
                return

    def _watch(self) -> None:
        began_s = time.monotonic()
        while not self._over.wait(_SAMPLE_S):
            at_s = time.monotonic() - began_s
            # Threads and files are those of clients that are there; they are counted at the end.
            self.samples.append(ProcessSample(at_s, self.server.resident_mib(), 0, 0, 0))


@dataclass(frozen=True)
class Held:
    """What the server has while nobody is there."""

    sockets: float
    streams: float
    threads: int
    files: int

    @classmethod
    def by(cls, server: Server) -> Held:
        """Looks."""
        found = server.metrics()
        counts = [
            next(number for name, number in found.items() if name.endswith(wanted))
            for wanted in ("open_sockets", "active_streams")
        ]
        return cls(counts[0], counts[1], server.threads(), server.files())


def left_over(server: Server, before: Held) -> list[str]:
    """What is there that was not there before; waits for it to go."""
    until_s = time.monotonic() + _SETTLES_WITHIN_S
    # The event loop's own pool makes threads as it needs them, and keeps them.
    before = replace(before, threads=before.threads + _MOST_POOLED)
    while True:
        now = Held.by(server)
        more = [
            f"{name}: {asdict(now)[name]:g} left, {was:g} before"
            for name, was in asdict(before).items()
            if asdict(now)[name] > was
        ]
        if not more or time.monotonic() > until_s:
            return more
        time.sleep(1)


def run(trials: Trials, soak: Soak, asked: argparse.Namespace) -> dict[str, list[Figures]]:
    """Good clients, round after round, over one door after the other."""
    doors = asked.doors
    rounds: dict[str, list[Figures]] = {door: [] for door in doors}
    trial = {
        door: Trial(door, asked.clients, asked.round_s, 5.0, key=soak.target.key) for door in doors
    }
    until_s = time.monotonic() + 60 * asked.minutes
    number = 0
    while time.monotonic() < until_s and len(soak.broken) < _BROKEN_ROUNDS:
        door = doors[number % len(doors)]
        number += 1
        found = trials.run(trial[door])
        rounds[door].append(found)
        soak.broken += [f"round {number}, {door}: {each}" for each in found.lost]
        say(f"round {number}: {soak.server.resident_mib():.1f} MiB, {soak.bad.total()} bad clients")
    return rounds


def summary(rounds: dict[str, list[Figures]], soak: Soak) -> str:
    """What happened, counted."""
    memory = [each.resident_mib for each in soak.samples] or [0.0]
    memory_said = (
        f"{memory[0]:.1f} MiB at first, {max(memory):.1f} at most, {memory[-1]:.1f} at last"
    )
    worst = {
        door: max((each.texts.p95 or 0.0 for each in found), default=0.0)
        for door, found in rounds.items()
    }
    rows = [
        *((f"clients over {door}", f"{sum(each.clients for each in found)}, 95 % of words late by "
           f"{worst[door]:.2f} s in the worst round") for door, found in rounds.items()),
        ("uploads", soak.uploads.total()),
        *((f"clients: {kind}", count) for kind, count in sorted(soak.bad.items())),
        ("memory", memory_said),
    ]  # fmt: skip
    return table(("soak", ""), rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what the command line asks for; 1 where a promise was broken."""
    asked = _parser().parse_args(arguments)
    seed = random.SystemRandom().randrange(2**31) if asked.seed is None else asked.seed
    print(f"{machine_table()}\n\nseed {seed}\n", flush=True)
    key = secrets.token_hex(16)
    recording = recording_of(asked.recording_s)
    more = ["--api-key", key, "--wyoming-port", "0", *SHORT_LIMITS]
    with opened(asked, Cores.divided(asked.serving_cores), more) as trials:
        server = trials.server
        address = urlsplit(server.url)
        soak = Soak(server, Target(str(address.hostname), int(address.port or 0), key), seed)
        alone = transcribed(server.url, recording, key)
        for door in asked.doors:  # what is made once, is made now
            found = trials.run(Trial(door, 1, 2.0, key=key))
            soak.broken += [f"first, {door}: {each}" for each in found.lost]
        before = Held.by(server)
        soak.begin(asked.bad_clients, asked.kinds, recording)
        rounds = run(trials, soak, asked)
        soak.end()
        broken = [*soak.broken, *growth(soak.samples), *left_over(server, before)]
        broken += [f"an upload gave {each[:60]!r}" for each in soak.uploads if each != alone]
        broken += [f"logged: {line}" for line in server.log if " ERROR " in line]
        if (code := server.end()) != 0:
            broken.append(f"it ended with {code}")
    print(f"{summary(rounds, soak)}\n")
    print("\n".join(broken) or "Nothing was broken.")
    if asked.json is not None:
        report = {
            "machine": asdict(machine()),
            "seed": seed,
            "broken": broken,
            "bad": soak.bad,
            "rounds": {door: [asdict(each) for each in found] for door, found in rounds.items()},
            "samples": [asdict(each) for each in soak.samples],
        }
        asked.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return int(bool(broken))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_settings(parser)
    add = parser.add_argument
    add("--doors", nargs="+", choices=tuple(DOORS), default=list(DOORS), help="default: all")
    add("--minutes", type=float, default=30.0, help="default: %(default)g")
    add("--clients", type=int, default=3, help="good ones at once (default: %(default)s)")
    add("--bad-clients", type=int, default=6, help="at once (default: %(default)s)")
    add("--kinds", nargs="+", choices=tuple(KINDS), default=list(KINDS), help="default: all")
    add("--round-s", type=float, default=20.0, help="of good clients (default: %(default)g)")
    add("--recording-s", type=float, default=10.0, help="of an upload (default: %(default)g)")
    add("--serving-cores", type=int, help="for recognition (default: three of four)")
    add("--seed", type=int, help="of the bad clients (default: another one each time)")
    add("--json", type=Path, metavar="FILE", help="also write all numbers there")
    return parser


if __name__ == "__main__":
    sys.exit(main())
