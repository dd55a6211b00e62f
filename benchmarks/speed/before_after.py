"""Two source trees of the package in; how much faster or slower the other one is, out.

python -m benchmarks.speed.before_after OTHER/src                       steps and recordings
python -m benchmarks.speed.before_after OTHER/src FOLDER --cached --contexts 10-2-2 --streams 1
python -m benchmarks.speed.before_after OTHER/src --part live --streams 16 --seconds 30
python -m benchmarks.speed.before_after OTHER/src --part capacity --context 2-0.25-0.25

OTHER/src is the source tree before, such as that of a `git worktree`; this repository's own is the
one after. The same benchmark runs under both, in processes of their own that take turns: before,
after, after, before, and so on. A ratio is that of the two runs of one pair, after by before, so
that what the machine does to both at a time divides out; above 1 the tree after is slower.

`steps`: the times of `speed.step`, where a pair is one run of one case under each tree. `live`: so
many streams in real time through `live.trial`; the processor time that they take, and how late
texts are. `capacity`: the greatest number of streams that `live.trial` carries, looked for under
each tree, once for each pair.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.live.search import greatest
from benchmarks.report.tables import progress, say, table

REPOSITORY: Final = Path(__file__).resolve().parents[2]
STEPS, LIVE, CAPACITY = "steps", "live", "capacity"
_PAUSE_S: Final = 0.02
"""Threads of a runtime go on spinning for a moment after a call."""
_STREAMS: Final = {STEPS: (1, 32), LIVE: (16,), CAPACITY: (16,)}


@dataclass
class Pairs:
    """What was measured of one thing, pair by pair."""

    before: list[float] = field(default_factory=list)
    after: list[float] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        """After by before, where there is something to divide by."""
        return [b / a for a, b in zip(self.before, self.after, strict=True) if a]


def in_pairs(
    count: int, before: Callable[[], Mapping[str, float]], after: Callable[[], Mapping[str, float]]
) -> dict[str, Pairs]:
    """Runs both `count` times; which of them goes first alternates."""
    found: dict[str, Pairs] = {}
    for pair in progress(range(count), "pairs"):
        measured = (before(), after()) if pair % 2 == 0 else (after(), before())[::-1]
        for name in measured[0]:
            of_it = found.setdefault(name, Pairs())
            of_it.before.append(measured[0][name])
            of_it.after.append(measured[1][name])
    return found


def ratio_table(found: Mapping[str, Pairs]) -> str:
    """Least and median under both trees, and ratios: of the least, and of the pairs."""
    rows = []
    for name, each in found.items():
        ratios = each.ratios
        quarters = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
        numbers = (min(each.before), min(each.after))
        medians = (statistics.median(each.before), statistics.median(each.after))
        rows.append(
            (
                name,
                *(f"{number:.4g}" for number in (*numbers, *medians)),
                f"{numbers[1] / numbers[0]:.3f}" if numbers[0] else "–",
                f"{quarters[1]:.3f}" if quarters else "–",
                f"{quarters[0]:.3f} to {quarters[2]:.3f}" if quarters else "–",
            )
        )
    head = (
        "", "least: before", "after", "median: before", "after", "ratio: of the least",
        "median of the pairs", "their middle half",
    )  # fmt: skip
    return table(head, rows)


@contextmanager
def served(tree: Path, arguments: Iterable[object]) -> Iterator[Callable[[str], float]]:
    """`speed.step` under a tree, as a function that runs a case and gives its seconds."""
    with subprocess.Popen(
        _command("speed.step", "--serve", *arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=_environment(tree),
    ) as process:
        wanted, answers = process.stdin, process.stdout
        assert wanted is not None
        assert answers is not None

        def run(case: str) -> float:
            print(case, file=wanted, flush=True)
            return float(answers.readline())

        if not answers.readline():
            raise SystemExit(f"speed.step with {tree} failed")
        yield run


def measure_steps(asked: argparse.Namespace) -> dict[str, Pairs]:
    """Steps and recordings; a pair is one run of one case under each tree."""
    recordings = [] if asked.cached else ["10", "60"]
    options = [asked.model, "--context", *asked.contexts, "--streams", *asked.streams]
    options += ["--recording-s", *recordings, *_cached(asked)]
    names = [
        f"step, {count} x {context}{', cached' if asked.cached else ''}"
        for context in asked.contexts
        for count in asked.streams
    ] + [f"recording, {seconds} s" for seconds in recordings]
    say("filling left contexts under both trees")
    with served(asked.other, options) as before, served(REPOSITORY / "src", options) as after:

        def run(tree: Callable[[str], float], case: str) -> Mapping[str, float]:
            time.sleep(_PAUSE_S)
            return {f"{case}, ms": 1000 * tree(case)}

        found: dict[str, Pairs] = {}
        for case in names:
            say(case)
            found |= in_pairs(
                asked.pairs,
                lambda case=case: run(before, case),  # type: ignore[misc]
                lambda case=case: run(after, case),  # type: ignore[misc]
            )
    return found


def measure_live(asked: argparse.Namespace) -> dict[str, Pairs]:
    """So many streams in real time under each tree."""
    (streams,) = asked.streams

    def run(tree: Path) -> Mapping[str, float]:
        found = _trial(asked, tree, streams)
        median_s, late_s, *_ = found["late_s"]
        return {
            f"{streams} streams: cores used": found["cores_used"],
            "time in steps": found["busy_share"],
            "text late, median, s": median_s,
            "text late, 95 %, s": late_s,
            "streams carried": found["carried"],
        }

    return in_pairs(asked.pairs, lambda: run(asked.other), lambda: run(REPOSITORY / "src"))


def measure_capacity(asked: argparse.Namespace) -> dict[str, Pairs]:
    """The greatest number of streams that each tree carries."""
    (start,) = asked.streams

    def run(tree: Path) -> Mapping[str, float]:
        found = greatest(
            lambda streams: bool(_trial(asked, tree, streams)["all_carried"]),
            start,
            growth=1.25,
            near=asked.near,
        )
        say(f"{found} streams are carried")
        return {"streams carried": found}

    return in_pairs(asked.pairs, lambda: run(asked.other), lambda: run(REPOSITORY / "src"))


def _trial(asked: argparse.Namespace, tree: Path, streams: int) -> Mapping[str, Any]:
    """What `live.trial` prints under a tree."""
    options = ["--context", asked.context, "--seconds", asked.seconds, "--streams", streams]
    command = _command("live.trial", asked.model, *options, *_cached(asked))
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=_environment(tree)
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} with {tree} failed:\n{done.stderr}")
    found: Mapping[str, Any] = json.loads(done.stdout)
    say(f"{tree}: {streams} streams, {found['carried']} carried")
    return found


def _command(name: str, *arguments: object) -> list[str]:
    return [sys.executable, "-m", f"benchmarks.{name}", *map(str, arguments)]


def _environment(tree: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(tree)}


def _cached(asked: argparse.Namespace) -> Sequence[str]:
    return ["--cached"] if asked.cached else []


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what the command line asks for."""
    asked = _parser().parse_args(arguments)
    asked.other = asked.other.resolve()
    asked.streams = asked.streams or _STREAMS[asked.part]
    parts = {STEPS: measure_steps, LIVE: measure_live, CAPACITY: measure_capacity}
    found = parts[asked.part](asked)
    print(f"`{asked.model}`, {asked.part}, {asked.pairs} pairs.\n\n{ratio_table(found)}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("other", type=Path, metavar="OTHER/src", help="the source tree before")
    add("model", nargs="?", default="tiny-en", help="folder, name or hub id (default: %(default)s)")
    add("--part", choices=(STEPS, LIVE, CAPACITY), default=STEPS, help="default: %(default)s")
    add("--pairs", type=int, default=15, help="of each case, or trial (default: %(default)s)")
    add("--cached", action="store_true", help="cached streams; the model must have such an encoder")
    contexts = ("10-2-2", "5-0.5-0.5", "2-0.25-0.25")
    add("--contexts", nargs="+", default=contexts, help=f"of steps (default: {' '.join(contexts)})")
    add("--context", default="5-0.5-0.5", help="of live streams (default: %(default)s)")
    add(
        "--streams",
        type=int,
        nargs="+",
        metavar="N",
        help="of a step (default: 1 32), in a live trial or to begin with (default: 16)",
    )
    add("--seconds", type=float, default=30.0, help="of a live trial (default: %(default)g)")
    add("--near", type=float, default=0.05, help="part that it may be too low (%(default)g)")
    return parser


if __name__ == "__main__":
    main()
