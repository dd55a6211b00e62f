"""What a model takes to start and of memory, and what each further stream takes.

python -m benchmarks.memory.footprint FOLDER           tiny-en without a folder
python -m benchmarks.memory.footprint FOLDER --streams 1 4 16 --runtime openvino

Start: seconds to import, to load and to the first second of audio decoded, in a fresh process; with
OpenVINO, whose compiled models are kept on disk, with an empty store and then with a full one. The
files themselves may lie in the system's cache. Memory: of a fresh process, at its highest while it
loads the model and decodes a second, for runtimes lay out weights in the first call; at its highest
while it decodes 10 s more; and after. Streams: all of them in one step whose left contexts are
full; each number of streams in a fresh process. Memory grows with the batch as well as with
what each stream keeps between steps. Needs the dependency group `bench`. Tables go to
standard output, progress to standard error.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import Any

from benchmarks.report.tables import say, table

_STREAMS = (1, 2, 4, 8, 16, 32, 64)
_START, _MEMORY, _STREAMED = "start", "memory", "streams"
_MIB = 2**20
_THIS = "benchmarks.memory.footprint"


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what the command line asks for."""
    asked = _parser().parse_args(arguments)
    if asked.measure is not None:
        from benchmarks.memory.fresh_process import MEASURES

        print(json.dumps(MEASURES[asked.measure](asked)))
        return
    from benchmarks.models.runtimes import RUNTIMES, AbsentError, parts_of
    from benchmarks.report.machine import machine_table

    print(f"{machine_table()}\n\nModel `{asked.model}`, {asked.mode}.\n", flush=True)
    runtimes = []
    for name in asked.runtime or RUNTIMES:
        try:
            parts_of(asked.model, name, cached=asked.mode == "cached")
            runtimes.append(name)
        except AbsentError as reason:
            print(f"Not taking part: {name}: {reason}.\n", flush=True)
    for title in asked.only or (_START, _MEMORY, _STREAMED):
        print(f"{_TABLES[title](asked, runtimes)}\n", flush=True)


def _start_table(asked: argparse.Namespace, runtimes: Sequence[str]) -> str:
    rows = []
    for name in runtimes:
        with tempfile.TemporaryDirectory() as store:
            first = _fresh(asked, _START, name, store=store)
            later = [_fresh(asked, _START, name, store=store) for _ in range(asked.runs)]
        if name.startswith("openvino"):
            rows.append(_start_row(f"{name}, nothing compiled yet", [first]))
        rows.append(_start_row(name, later))
    head = ("start", "import", "load", "first second of audio", "the process in all")
    return table(head, rows)


def _start_row(name: str, runs: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    middles = (
        statistics.median(run[key] for run in runs)
        for key in ("import_s", "load_s", "first_s", "process_s")
    )
    return (name, *(f"{each:.2f} s" for each in middles))


def _memory_table(asked: argparse.Namespace, runtimes: Sequence[str]) -> str:
    rows = []
    for name in runtimes:
        found = _fresh(asked, _MEMORY, name)
        files_mib = found["files_bytes"] / _MIB
        rows.append(
            (
                name,
                f"{files_mib:.0f} MiB",
                f"{found['imported_mib']:.0f} MiB",
                f"{found['loaded_peak_mib']:.0f} MiB",
                f"{found['peak_mib']:.0f} MiB",
                f"{found['after_mib']:.0f} MiB",
                f"{found['loaded_peak_mib'] / files_mib:.2f}",
                f"{found['peak_mib'] / files_mib:.2f}",
                f"{found['after_mib'] / files_mib:.2f}",
            )
        )
    head = (
        "resident memory", "files", "before loading", "highest in loading", "highest", "after",
        "loading / files", "highest / files", "after / files",
    )  # fmt: skip
    return table(head, rows)


def _stream_table(asked: argparse.Namespace, runtimes: Sequence[str]) -> str:
    rows = []
    for name in runtimes:
        alone_mib = None
        for count in asked.streams:
            found = _fresh(asked, _STREAMED, name, count=count)
            alone_mib = alone_mib or (count, found["after_mib"])
            more = count - alone_mib[0]
            each = f"{(found['after_mib'] - alone_mib[1]) / more:.2f} MiB" if more else "–"
            rows.append(
                (
                    f"{name}, {count}",
                    f"{1000 * found['step_s']:.1f} ms",
                    f"{1000 * found['step_s'] / count:.1f} ms",
                    f"{found['after_mib']:.0f} MiB",
                    f"{found['peak_mib']:.0f} MiB",
                    each,
                    f"{found['kept_mib']:.2f} MiB",
                )
            )
    head = (
        f"streams in one step, `{asked.context}`", "a step", "for each stream", "resident",
        "highest", "resident, each further stream", "what a stream keeps",
    )  # fmt: skip
    return table(head, rows)


_TABLES = {_START: _start_table, _MEMORY: _memory_table, _STREAMED: _stream_table}


def _fresh(
    asked: argparse.Namespace, measure: str, runtime: str, *, count: int = 1, store: str = ""
) -> dict[str, Any]:
    """One measurement in a process of its own; `store` is for compiled models."""
    say(f"{measure}: {runtime}, {count} stream{'s' if count > 1 else ''}")
    command = [sys.executable, "-m", _THIS, asked.model, "--measure", measure, "--runtime", runtime]
    command += ["--mode", asked.mode, "--context", asked.context, "--streams", str(count)]
    command += ["--steps", str(asked.steps)]
    if asked.threads:
        command += ["--threads", str(asked.threads)]
    elsewhere = {"XDG_CACHE_HOME": store, "LOCALAPPDATA": store} if store else {}
    started_s = time.perf_counter()
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | elsewhere,
    )
    if done.returncode:
        raise SystemExit(f"{measure} with {runtime} failed:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found | {"process_s": time.perf_counter() - started_s}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("model", nargs="?", default="tiny-en", help="folder, name or hub id (default: %(default)s)")
    add(
        "--only",
        action="append",
        choices=(_START, _MEMORY, _STREAMED),
        help="can be repeated (default: all three)",
    )
    add(
        "--runtime",
        action="append",
        help="onnxruntime, openvino or 'openvino bf16'; can be repeated (default: all that run)",
    )
    add("--mode", choices=("window", "cached"), default="window", help="default: %(default)s")
    add("--context", default="balanced", help="of the streams (default: %(default)s)")
    add(
        "--streams",
        type=int,
        nargs="+",
        default=_STREAMS,
        metavar="N",
        help=f"numbers of streams (default: {' '.join(map(str, _STREAMS))})",
    )
    add("--steps", type=int, default=5, help="timed per number of streams (default: %(default)s)")
    add("--runs", type=int, default=3, help="of the start (default: %(default)s)")
    add("--threads", type=int, help="of the encoder (default: one per core)")
    add("--measure", choices=(_START, _MEMORY, _STREAMED), help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    main()
