"""Two source trees of the package in; how much faster or slower the other one is, out.

python -m benchmarks.speed.before_after OTHER/src                       steps and recordings
python -m benchmarks.speed.before_after OTHER/src FOLDER --cached --contexts 10-2-2
python -m benchmarks.speed.before_after OTHER/src --part live --streams 16 --seconds 30
python -m benchmarks.speed.before_after OTHER/src --part capacity --context 2-0.25-0.25

OTHER/src is the source tree before, such as that of a `git worktree`; this repository's own is the
one after. The same benchmark runs under both, in processes of their own that take turns: before,
after, after, before, and so on. A ratio is that of the two runs of one pair, after by before, so
what a machine does to both at a time divides out; above 1 the tree after is slower.

`steps`: the times of `speed.step`. `live`: so many streams in real time through `live.trial`; the
processor time that they take, and how late texts are. `capacity`: the greatest number of streams
that `live.trial` carries, looked for under each tree, once for each pair.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.live.search import greatest
from benchmarks.report.tables import say, table

REPOSITORY: Final = Path(__file__).resolve().parents[2]
STEPS, LIVE, CAPACITY = "steps", "live", "capacity"
Run = Callable[[Path], Mapping[str, float]]
"""What was measured under one source tree, by name."""
Pair = tuple[Mapping[str, float], Mapping[str, float]]
"""Before and after."""


def pairs(
    before: Path, after: Path, count: int, run: Run
) -> Iterator[tuple[Mapping[str, float], Mapping[str, float]]]:
    """What `run` measured under both trees, pair by pair; the tree that goes first alternates."""
    for pair in range(count):
        order = (before, after) if pair % 2 == 0 else (after, before)
        found = {tree: run(tree) for tree in order}
        yield found[before], found[after]


def ratio_table(measured: Sequence[Pair]) -> str:
    """Medians under both trees, and the ratio of every pair."""
    rows = []
    for name in measured[0][0]:
        ratios = [after[name] / before[name] for before, after in measured if before[name]]
        shown = " ".join(f"{each:.3f}" for each in ratios)
        medians = (statistics.median(each[side][name] for each in measured) for side in (0, 1))
        middle = f"{statistics.median(ratios):.3f}" if ratios else "–"
        rows.append((name, *(f"{each:.4g}" for each in medians), middle, shown))
    return table(("", "before", "after", "ratio: median", "of every pair"), rows)


def fresh(tree: Path, name: str, *arguments: object) -> Any:
    """What `benchmarks.NAME` prints as JSON, in a process with that source tree."""
    command = [sys.executable, "-m", f"benchmarks.{name}", *map(str, arguments)]
    say(f"{tree}: {name} {' '.join(command[3:])}")
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(tree)},
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} with {tree} failed:\n{done.stderr}")
    return json.loads(done.stdout)


def runner(asked: argparse.Namespace) -> Run:
    """How the part that was asked for is measured under one tree."""
    return {STEPS: _steps, LIVE: _live, CAPACITY: _capacity}[asked.part](asked)


def _steps(asked: argparse.Namespace) -> Run:
    options = ["--json", "--runs", asked.runs, "--context", *asked.contexts, "--recording-s"]
    options += [] if asked.cached else ["10", "60"]

    def run(tree: Path) -> Mapping[str, float]:
        found = fresh(tree, "speed.step", asked.model, *options, *_cached(asked))
        return {
            f"{name}: {what[:-2]}, ms": 1000 * seconds
            for name, each in found.items()
            for what, seconds in each.items()
        }

    return run


def _trial(asked: argparse.Namespace, tree: Path, streams: int) -> Mapping[str, Any]:
    options = ["--context", asked.context, "--seconds", asked.seconds, "--streams", streams]
    found: Mapping[str, Any] = fresh(tree, "live.trial", asked.model, *options, *_cached(asked))
    return found


def _live(asked: argparse.Namespace) -> Run:
    def run(tree: Path) -> Mapping[str, float]:
        found = _trial(asked, tree, asked.streams)
        median_s, late_s, *_ = found["late_s"]
        return {
            f"{asked.streams} streams: cores used": found["cores_used"],
            "time in steps": found["busy_share"],
            "text late, median, s": median_s,
            "text late, 95 %, s": late_s,
            "streams carried": found["carried"],
        }

    return run


def _capacity(asked: argparse.Namespace) -> Run:
    def run(tree: Path) -> Mapping[str, float]:
        found = greatest(
            lambda streams: bool(_trial(asked, tree, streams)["all_carried"]),
            asked.streams,
            growth=1.25,
            near=asked.near,
        )
        return {"streams carried": found}

    return run


def _cached(asked: argparse.Namespace) -> list[str]:
    return ["--cached"] if asked.cached else []


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what the command line asks for."""
    asked = _parser().parse_args(arguments)
    measured = []
    for pair in pairs(asked.other.resolve(), REPOSITORY / "src", asked.pairs, runner(asked)):
        measured.append(pair)
        say(ratio_table(measured))
    print(f"`{asked.model}`, {asked.part}, {asked.pairs} pairs.\n\n{ratio_table(measured)}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("other", type=Path, metavar="OTHER/src", help="the source tree before")
    add("model", nargs="?", default="tiny-en", help="folder, name or hub id (default: %(default)s)")
    add("--part", choices=(STEPS, LIVE, CAPACITY), default=STEPS, help="default: %(default)s")
    add("--pairs", type=int, default=5, help="default: %(default)s")
    add("--cached", action="store_true", help="cached streams; the model must have such an encoder")
    contexts = ("10-2-2", "5-0.5-0.5", "2-0.25-0.25")
    add("--contexts", nargs="+", default=contexts, help=f"of steps (default: {' '.join(contexts)})")
    add("--runs", type=int, default=20, help="of each step (default: %(default)s)")
    add("--context", default="5-0.5-0.5", help="of live streams (default: %(default)s)")
    add("--streams", type=int, default=16, help="live, or to begin with (default: %(default)s)")
    add("--seconds", type=float, default=30.0, help="of a live trial (default: %(default)g)")
    add("--near", type=float, default=0.05, help="part that it may be too low (%(default)g)")
    return parser


if __name__ == "__main__":
    main()
