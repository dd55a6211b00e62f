"""What it costs to take sound from clients, here and in a server that a user would pick instead.

python -m benchmarks.server.peer --peer VENV/bin/python              20 clients, 20 s each
python -m benchmarks.server.peer                                     only ours

The peer is WhisperLive, whose own server runs with a model that never recognises anything
(`whisper_live_stub.py` says how its virtual environment is made), since no weights of Whisper
are here. So this compares protocols, threads and buffers, not recognition. Ours gets digital
silence, of which nothing is decoded, but voice activity looks at all of it; the engine alone with
the same packets is shown beside it. Clients send packets of 20 ms on an absolute clock, from
another process.

Others that were looked at: speaches is not on the package index; wyoming-faster-whisper speaks
another protocol; sherpa-onnx's WebSocket servers need a streaming model in its own layout, which
none of these models is.
Needs the dependency groups `bench` and `server`. The table goes to standard output, progress to
standard error.
"""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import psutil

from benchmarks.report.machine import machine, machine_table
from benchmarks.report.tables import say, table
from benchmarks.server.child import Child, Cores, started
from benchmarks.server.engine_alone import ENGINE
from benchmarks.server.serving import OPEN_HOUSE, Server
from benchmarks.server.speakers import Trial

PEER: Final = "whisper_live"
_STUB: Final = Path(__file__).with_name("whisper_live_stub.py")
_STARTS_WITHIN_S: Final = 120.0
_MIB: Final = 2**20
_WARM_UP_S: Final = 2.0
_SETTLE_S: Final = 3.0
"""For what a server does once it has begun, and for places to be free again."""


@dataclass(frozen=True)
class Cost:
    """Of so many clients that send silence."""

    server: str
    clients: int
    cores_used: float
    resident_mib: float
    threads: int
    lost: int

    @property
    def packet_us(self) -> float:
        """Processor time for each packet."""
        return 1e6 * self.cores_used / (50 * self.clients)


def cost(name: str, pid: int, url: str, speakers: Child, trial: Trial) -> Cost:
    """Lets clients send silence to a server, and looks at its process."""
    short = replace(trial, seconds=_WARM_UP_S)
    speakers.ask({"trial": asdict(short), "url": url, "apart_s": 0.5, "ends": [0]})
    time.sleep(_SETTLE_S)
    process = psutil.Process(pid)
    began_s, before = time.perf_counter(), process.cpu_times()
    speakers.tell({"trial": asdict(trial), "url": url, "apart_s": 0.5, "ends": [0]})
    time.sleep(trial.seconds / 2)
    resident_mib, threads = process.memory_info().rss / _MIB, process.num_threads()
    answer = speakers.answer()
    after, took_s = process.cpu_times(), time.perf_counter() - began_s
    used_s = after.user + after.system - before.user - before.system
    lost = sum(bool(each["lost"]) for each in answer["heard"])
    # Packets are sent for as long as the trial says, whatever connecting takes.
    found = Cost(name, trial.clients, used_s / trial.seconds, resident_mib, threads, lost)
    say(f"{found}, {took_s:.1f} s")
    return found


@contextmanager
def peer_server(python: Path, cores: tuple[int, ...] | None) -> Iterator[tuple[int, str]]:
    """WhisperLive in a process of its own: its process, and its address.

    Raises:
        RuntimeError: it does not start.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = started(
        [str(python), str(_STUB), "--port", str(port)], cores, stderr=subprocess.DEVNULL
    )
    try:
        until_s = time.monotonic() + _STARTS_WITHIN_S
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            if process.poll() is not None or time.monotonic() > until_s:
                raise RuntimeError(f"{_STUB.name} does not start: {process.poll()}")
            time.sleep(0.2)
        yield process.pid, f"ws://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def cost_table(found: Sequence[Cost]) -> str:
    """One row for each server."""
    rows = [
        (each.server, each.clients, f"{each.packet_us:.0f} µs", f"{each.cores_used:.2f}",
         f"{each.resident_mib:.0f} MiB", each.threads, each.lost)
        for each in found
    ]  # fmt: skip
    head = ("server", "clients", "a packet of 20 ms", "cores", "memory", "threads", "lost")
    return table(head, rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what the command line asks for."""
    asked = _parser().parse_args(arguments)
    cores = Cores.divided(asked.serving_cores)
    print(f"{machine_table()}\n\n{cores}\n", flush=True)
    found = []

    def trial(door: str) -> Trial:
        return Trial(door, asked.clients, asked.seconds, 0, silence=True)

    with Child("benchmarks.server.speakers", [], cores.clients) as speakers:
        options = ["tiny-en", "--max-streams", str(asked.clients), *OPEN_HOUSE]
        with Server(options, cores.serving) as server:
            for door in ("native", "realtime"):
                url = server.socket_url
                found.append(cost(door, server.process.pid, url, speakers, trial(door)))
        if asked.peer is not None:
            with peer_server(asked.peer, cores.serving) as (pid, url):
                found.append(cost(PEER, pid, url, speakers, trial(PEER)))
    with Child("benchmarks.server.engine_alone", ["tiny-en"], cores.serving) as engine:
        question = {"what": "run", "trial": asdict(trial(ENGINE)), "apart_s": 0.5, "ends": [0]}
        alone = engine.ask(question)["cores_used"]
    print(f"{cost_table(found)}\n")
    print(
        f"The engine alone, with the same packets: {alone:.2f} cores, "
        f"{1e6 * alone / (50 * asked.clients):.0f} µs for a packet."
    )
    if asked.json is not None:
        report = {"machine": asdict(machine()), "found": [asdict(each) for each in found]}
        asked.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--peer", type=Path, metavar="PYTHON", help="of a virtual environment with whisper-live")
    add("--clients", type=int, default=20, help="default: %(default)s")
    add("--seconds", type=float, default=20.0, help="of each server (default: %(default)g)")
    add("--serving-cores", type=int, help="for the servers (default: three of four)")
    add("--json", type=Path, metavar="FILE", help="also write all numbers there")
    return parser


if __name__ == "__main__":
    main()
