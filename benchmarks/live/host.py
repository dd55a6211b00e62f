"""What the host does for each stream and step in front of a device: processor time of its threads.

python -m benchmarks.live.host                         1,000 streams at 2-0.25-0.25, cached
python -m benchmarks.live.host --streams 4000 --vad none --profile 40
python -m benchmarks.live.host --by-hand              the loop alone, in one thread, without a clock

Streams of a real `LiveEngine` stand before a device that sleeps for as long as an H100 would
compute (`sleeping_device.py`), and are fed in real time by one thread, in packets of 80 ms, int16.
Counted is the processor time of the engine's one thread, divided by streams and steps; what the
device's own book-keeping takes of it is shown apart, and so is what the feeding thread takes. The
goal is 30 µs: half a core for 4,000 streams with a step each in 0.24 s.
Needs the dependency group `bench`. Tables go to standard output, progress to standard error.
"""

from __future__ import annotations

import argparse
import cProfile
import io
import json
import pstats
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from benchmarks.live.host_by_hand import measure_by_hand
from benchmarks.live.host_trial import Case, HostCost, measure
from benchmarks.report.machine import machine, machine_table
from benchmarks.report.tables import percent, say, table
from parakeet_streaming.processes.collector import collecting_seldom

GOAL_US: Final = 30.0


def parts(profile: cProfile.Profile, steps: int, most: int) -> str:
    """Time of each file, and of the longest functions, for each stream and step."""
    told = io.StringIO()
    stats = pstats.Stats(profile, stream=told)
    by_file: dict[str, float] = {}
    rows: list[tuple[float, int, str]] = []
    for (path, _, name), (_, calls, own_s, _, _) in stats.stats.items():  # type: ignore[attr-defined]
        file = "/".join(Path(path).parts[-2:]) if "/" in path else "built in"
        by_file[file] = by_file.get(file, 0.0) + own_s
        rows.append((own_s, calls, f"{file}: {name}"))
    files = sorted(by_file.items(), key=lambda each: -each[1])[:most]
    return "\n\n".join(
        (
            table(("file", "µs"), [(name, f"{1e6 * s / steps:.1f}") for name, s in files]),
            table(
                ("function", "µs", "calls"),
                [
                    (name, f"{1e6 * own_s / steps:.1f}", f"{calls / steps:.1f}")
                    for own_s, calls, name in sorted(rows, reverse=True)[:most]
                ],
            ),
        )
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what the command line asks for."""
    asked = _parser().parse_args(arguments)
    print(f"{machine_table()}\n", flush=True)
    found: dict[str, HostCost] = {}
    for vad in {"both": (False, True), "none": (False,), "only": (True,)}[asked.vad]:
        name = "with voice activity" if vad else "all of it decoded"
        say(f"{asked.streams} streams, {name}")
        case = Case(
            asked.streams, asked.context, not asked.windows, vad, asked.seconds, asked.batch
        )
        profile = cProfile.Profile() if asked.profile and not asked.by_hand else None
        # As `parakeet serve --io-processes` does.
        with collecting_seldom():
            found[name] = cost = measure_by_hand(case) if asked.by_hand else measure(case, profile)
        if profile is not None:
            print(f"{name}:\n\n{parts(profile, cost.steps, asked.profile)}\n", flush=True)
    mode = "windows" if asked.windows else "cached"
    print(f"Context {asked.context}, {mode}; goal: {GOAL_US:g} µs for each stream and step.\n")
    print(_table(found))
    if asked.json:
        told = {"machine": asdict(machine())} | {name: asdict(each) for name, each in found.items()}
        asked.json.write_text(json.dumps(told, indent=2) + "\n")


def _table(found: dict[str, HostCost]) -> str:
    head = (
        "streams that say something",
        "number",
        "in a step",
        "host, µs",
        "device's book-keeping, µs",
        "of a core",
        "on half a core",
        "a push, µs",
        "pushes late, ms",
        "texts late, ms: p50",
        "p95",
        "p99",
    )
    rows = [
        (
            name,
            each.streams,
            f"{each.batch:.0f}",
            f"{each.worker_us:.1f}",
            f"{each.device_us:.1f}",
            percent(each.worker_share),
            f"{each.streams_on_half_a_core:.0f}",
            f"{each.push_us:.1f}",
            f"{1000 * each.push_late_s:.0f}",
            *(f"{1000 * late_s:.0f}" for late_s in each.late_s),
        )
        for name, each in found.items()
    ]
    return table(head, rows)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--streams", type=int, default=1_000, help="default: %(default)s")
    add("--seconds", type=float, default=10.0, help="that count (default: %(default)g)")
    add("--context", default="2-0.25-0.25", help="preset or left-chunk-right")
    add("--windows", action="store_true", help="whole windows in place of cached streams")
    add("--vad", choices=("both", "none", "only"), default="both", help="with voice activity")
    add("--batch", type=int, default=512, help="streams of a step, at most (default: %(default)s)")
    add("--by-hand", action="store_true", help="turn the loop in this thread; counts less noise")
    add("--profile", type=int, default=0, metavar="N", help="show the N longest parts")
    add("--json", type=Path, metavar="FILE", help="write all of it there, too")
    return parser


if __name__ == "__main__":
    main()
