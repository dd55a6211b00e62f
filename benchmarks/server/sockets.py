"""What a socket costs, with one process and with several I/O processes, at packets of 20 and 80 ms.

python -m benchmarks.server.sockets                       a few minutes
python -m benchmarks.server.sockets --sockets 200 --seconds 30 --io-processes 1 2 4

The model sleeps (`sleeping_server.py`), so what the processor does is the work of sockets and of
the engine's book-keeping. So many clients as are asked for speak on one absolute clock, fewer than
the machine can carry; counted is the processor's time of each of the server's processes meanwhile,
and divided by the seconds of audio that they read of it. Where they read less than was said, the
machine was too slow, or others used it. A core carries as many sockets as their time goes into a
second; a real server needs some of it free.
Needs the dependency groups `bench` and `server`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import asdict, dataclass

import psutil

from benchmarks.report.machine import machine_table
from benchmarks.report.tables import say, table
from benchmarks.server.child import Child
from benchmarks.server.serving import OPEN_HOUSE

_READ = "parakeet_received_bytes_total"
_BYTES_A_SECOND = 32_000
_SETTLES_S = 3.0
"""Until all streams have their windows; not counted."""


@dataclass(frozen=True)
class Cost:
    """Of one trial, in seconds of processor time for each second of audio that was read."""

    io_processes: int
    packet_ms: int
    sockets: int
    engine: float
    """Of the process with the engine; with one process, of all."""
    io: float
    """Of all I/O processes together."""
    read: float
    """Part of what was said that was read."""

    @property
    def carried(self) -> float:
        """Sockets that a core's whole time is enough for, in the processes that have them."""
        return 1 / (self.io or self.engine)


def trial(io_processes: int, packet_ms: int, asked: argparse.Namespace) -> Cost:
    """Runs a server and its clients."""
    command = [sys.executable, "-m", "benchmarks.server.sleeping_server", "serve", "--port", "0"]
    command += ["--max-streams", "100000", "--io-processes", str(io_processes), *OPEN_HOUSE]
    command += ["--context", asked.context, "--fixed"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            url = _ready(server)
            with Child("benchmarks.server.crowd", [], None) as crowd:
                seconds = asked.seconds + 2 * _SETTLES_S
                question = {"url": url, "sockets": asked.sockets, "packet_ms": packet_ms}
                crowd.tell(question | {"seconds": seconds})
                return _measured((server.pid, url), crowd, io_processes, packet_ms, asked)
        finally:
            server.terminate()
            server.wait(60)


def _ready(server: subprocess.Popen[str]) -> str:
    assert server.stderr is not None, "it is a pipe"
    said = []
    for line in server.stderr:
        said.append(line)
        if line.startswith("ready "):
            # What it says later must not fill the pipe.
            threading.Thread(target=server.stderr.read, daemon=True).start()
            return line.split()[1]
    raise RuntimeError(f"the server did not start: {''.join(said)}")


def _measured(
    server: tuple[int, str],
    crowd: Child,
    io_processes: int,
    packet_ms: int,
    asked: argparse.Namespace,
) -> Cost:
    pid, url = server
    engine = psutil.Process(pid)
    children = engine.children()
    time.sleep(_SETTLES_S)
    heard_s, began_s = _heard_s(url), time.monotonic()
    before = [_cpu_s(each) for each in (engine, *children)]
    time.sleep(asked.seconds)
    after = [_cpu_s(each) for each in (engine, *children)]
    took_s = time.monotonic() - began_s
    heard_s = _heard_s(url) - heard_s
    told = crowd.answer()
    if told["opened"] < asked.sockets or told["left"] < asked.sockets:
        raise RuntimeError(f"not all sockets stayed open: {told}")
    own, *io = ((b - a) / heard_s for a, b in zip(before, after, strict=True))
    read = heard_s / took_s / asked.sockets
    return Cost(io_processes, packet_ms, asked.sockets, own, sum(io), read)


def _heard_s(url: str) -> float:
    """Seconds of audio that the server has read from all sockets."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=60) as reply:
        lines = reply.read().decode().splitlines()
    ours = [each for each in lines if each.startswith(_READ) and 'door="native"' in each]
    return sum(float(each.rpartition(" ")[2]) for each in ours) / _BYTES_A_SECOND


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def main() -> None:
    """Measures, and prints tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sockets", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--io-processes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--packets-ms", type=int, nargs="+", default=[20, 80])
    parser.add_argument("--context", default="balanced")
    parser.add_argument("--json", action="store_true", help="one object a trial instead of tables")
    asked = parser.parse_args()
    costs = []
    for packet_ms in asked.packets_ms:
        for io_processes in asked.io_processes:
            say(f"{asked.sockets} sockets, packets of {packet_ms} ms, {io_processes} I/O processes")
            costs.append(trial(io_processes, packet_ms, asked))
    if asked.json:
        for cost in costs:
            print(json.dumps(asdict(cost)))
        return
    print(machine_table())
    rows = [
        [
            f"{cost.packet_ms} ms",
            "one process" if cost.io_processes == 1 else f"{cost.io_processes} I/O processes",
            f"{1_000 * cost.io:.2f}" if cost.io else "–",
            f"{1_000 * cost.engine:.2f}",
            f"{cost.carried:.0f}",
            f"{100 * cost.read:.0f} %",
        ]
        for cost in costs
    ]
    head = ["packets", "server", "I/O, ms per second and socket", "engine, likewise"]
    print(table([*head, "sockets for a core of sockets", "read"], rows))


if __name__ == "__main__":
    main()
