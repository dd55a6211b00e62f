"""How a live engine does with as many speakers as it carries, with twice as many, and after that.

python benchmarks/live.py                              forty minutes or so, tiny-en
python benchmarks/live.py --streams 8 --minutes 1 --overload-minutes 1 --after-minutes 1
python benchmarks/live.py FOLDER --delay medium --json live.json

Streams are paced by the clock (`talkers.py` has the exact rules) and go through `LiveEngine` as it
is: its worker, voice activity, endpointing and adaptation. The greatest number of streams that are
all carried is looked for in short trials, by doubling and bisection, unless it is given. Then, in
one engine: so many for the whole time; twice as many, which it must bear by longer chunks, without
loss; a look at the door, until one is refused; and the first ones alone, whose latency must come
back to what it was. The exit code is 1 where a rule is broken.
Needs the dependency group `bench`. Tables go to standard output, progress to standard error.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.live.arrivals import ALLOWED_S, Clock, RealClock
from benchmarks.live.phases import Phase, Quantiles, as_json
from benchmarks.live.search import confirmed, greatest
from benchmarks.live.speakers import Engine, Stage
from benchmarks.report.machine import machine, machine_table
from benchmarks.report.tables import say, table
from benchmarks.speech.book import speech_of
from parakeet_streaming import DelayRange, LiveEngine, LiveOptions, VadOptions, load, load_vad
from parakeet_streaming.live.adaptation import DELAYS
from parakeet_streaming.live.scheduler import MOST_LOAD
from parakeet_streaming.timeline import SAMPLE_RATE_HZ

_BOOK_S: Final = 45.0
_KNOCKS: Final = 512


@dataclass(frozen=True)
class Plan:
    """What every trial has in common."""

    open_engine: Callable[[], Engine]
    options: LiveOptions
    book: NDArray[np.float32]
    """(n,) at 16 kHz."""
    clock: Clock
    seed: int = 0

    def stage(self, engine: Engine) -> Stage:
        return Stage(engine, self.options, self.book, self.clock, self.seed)


@dataclass(frozen=True)
class Minutes:
    """How long each phase lasts."""

    hold: float = 10.0
    overload: float = 3.0
    recovery: float = 1.0
    """Behind the overload, before what comes after it counts."""
    after: float = 3.0


@dataclass(frozen=True)
class Course:
    """The three phases, and the door."""

    hold: Phase
    overload: Phase
    after: Phase
    missing_s: float
    """Seconds of audio that no stream decoded, of those that ended."""
    full_at: int | None
    """Streams that were open when one more was refused; None where none was."""
    told: str
    """What that one was told."""


@dataclass(frozen=True)
class Rule:
    """Something that must hold."""

    name: str
    holds: bool
    seen: str


def trial(plan: Plan, streams: int, seconds: float) -> bool:
    """Whether a new engine carries so many; a number is given up after two trials."""
    return any(_carries(plan, streams, seconds) for _ in range(2))


def run(plan: Plan, streams: int, minutes: Minutes) -> Course | None:
    """All phases; None where so many are not carried in the first."""
    engine = plan.open_engine()
    try:
        stage = plan.stage(engine)
        let_in = stage.invite(streams)
        hold = stage.hold(60 * minutes.hold)
        say(f"{streams} streams for {hold.took_s:.0f} s: {hold.carried} carried")
        if let_in < streams or not _is_carried(hold):
            return None
        return _beyond(stage, streams, minutes, hold)
    finally:
        engine.close()


def rules(course: Course, delay: DelayRange) -> list[Rule]:
    """What must hold of the phases."""
    hold, overload, after = course.hold, course.overload, course.after
    context = delay.context
    # A longest chunk that fills, one that waits for its step, and what is looked at beyond them.
    bound_s = 2 * delay.longest_chunk + context.right + 2 * ALLOWED_S
    behind_s = overload.backlog_s(0.5, 1.0)
    refused = sum(phase.refused_samples for phase in (hold, overload, after))
    gaps = sum(phase.gaps for phase in (hold, overload, after))
    return [
        Rule(
            "twice as many lag by so much, and no more",
            behind_s <= bound_s,
            f"backlog {behind_s:.2f} s in the second half, at most {bound_s:.2f} s",
        ),
        Rule(
            "nothing is lost",
            not refused and not gaps and course.missing_s == 0,
            f"{refused} samples refused, {gaps} gaps, {course.missing_s:.2f} s not decoded",
        ),
        Rule(
            "who is refused is told why",
            bool(course.told) or (not overload.refused and course.full_at is None),
            course.told or "nobody was refused",
        ),
        _returned("emission delay", hold, after),
        _returned("queue wait", hold, after),
    ]


def phase_table(course: Course) -> str:
    """Latencies by phase."""
    head = ("", "", "count", "50 %", "95 %", "99 %", "most")
    rows = []
    for name, phase in _phases(course):
        for what, found in {"text, from outside": phase.late, **phase.latencies}.items():
            rows.append((name, what, found.count, *map(_seconds, _numbers(found))))
    return table(head, rows)


def course_table(course: Course) -> str:
    """Everything else by phase."""
    head = (
        "", "streams", "refused", "carried", "streams a step: mean", "most", "RTF", "chunks grown",
        "shrunk", "in their own context", "load", "backlog: most",
    )  # fmt: skip
    rows = [
        (
            name,
            phase.streams,
            phase.refused,
            phase.carried,
            f"{phase.batch_mean:.1f}",
            phase.batch_most,
            f"{phase.real_time_factor:.4f}",
            phase.longer,
            phase.shorter,
            phase.own_context,
            f"{phase.load:.2f}",
            f"{phase.backlog_s(0.0, 1.0):.2f} s",
        )
        for name, phase in _phases(course)
    ]
    return table(head, rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what the command line asks for; 1 where a rule is broken."""
    asked = _parser().parse_args(arguments)
    print(f"{machine_table()}\n", flush=True)
    recognizer = load(asked.model, runtime=asked.runtime, threads=asked.threads)
    vad = load_vad() if asked.vad else None
    delay = DelayRange.parse(asked.delay, SAMPLE_RATE_HZ)
    options = LiveOptions(delay, VadOptions() if asked.vad else None)
    plan = Plan(
        lambda: LiveEngine(recognizer, vad), options, speech_of(_BOOK_S), RealClock(), asked.seed
    )
    found = asked.streams or greatest(
        lambda streams: trial(plan, streams, asked.trial_s),
        asked.start,
        asked.most,
        growth=asked.growth,
        near=asked.near,
    )
    minutes = Minutes(asked.minutes, asked.overload_minutes, asked.recovery, asked.after_minutes)
    course = _course(plan, found, minutes)
    if course is None:
        print(f"`{asked.model}`, delay {asked.delay}: not even 1 stream is carried.")
        return 1
    found_rules = rules(course, delay)
    print(f"`{asked.model}`, delay {asked.delay}: {course.hold.streams} streams.\n")
    print(f"{course_table(course)}\n\n{phase_table(course)}\n")
    print(
        table(("rule", "", ""), [(r.name, "yes" if r.holds else "NO", r.seen) for r in found_rules])
    )
    if asked.json is not None:
        asked.json.write_text(json.dumps(_report(asked, course, found_rules), indent=1) + "\n")
    return int(not all(rule.holds for rule in found_rules))


def _course(plan: Plan, found: int, minutes: Minutes) -> Course | None:
    held: list[Course] = []

    def carries(streams: int) -> bool:
        course = run(plan, streams, minutes)
        held.extend([course] if course else [])
        return course is not None

    return held[-1] if confirmed(carries, found) else None


def _carries(plan: Plan, streams: int, seconds: float) -> bool:
    engine = plan.open_engine()
    try:
        stage = plan.stage(engine)
        let_in = stage.invite(streams)
        phase = stage.hold(seconds)
    finally:
        engine.close(drain=False)
    say(
        f"{streams} streams for {phase.took_s:.0f} s: {phase.carried} carried, text late by "
        f"{_seconds(phase.late.p95)} (95 %), load {phase.load:.2f}, "
        f"batches of {phase.batch_mean:.1f}"
    )
    return let_in == streams and _is_carried(phase)


def _is_carried(phase: Phase) -> bool:
    """Whether all are, and the engine would let in as many that never change their chunks."""
    return phase.carried == phase.streams and phase.load <= MOST_LOAD


def _beyond(stage: Stage, streams: int, minutes: Minutes, hold: Phase) -> Course:
    stage.invite(streams)
    overload = stage.hold(60 * minutes.overload)
    say(f"{overload.streams} streams: backlog {overload.backlog_s(0.5, 1.0):.2f} s at most")
    full_at = stage.knock(_KNOCKS)
    missing_s = stage.dismiss(streams)
    stage.hold(60 * minutes.recovery)
    after = stage.hold(60 * minutes.after)
    missing_s += stage.dismiss(0)
    return Course(hold, overload, after, missing_s, full_at, stage.told)


def _returned(what: str, before: Phase, after: Phase) -> Rule:
    """Within a quarter, and a twentieth of a second, of what it was."""
    was, came = before.latencies[what], after.latencies[what]
    pairs = [(was.p50, came.p50), (was.p95, came.p95)]
    holds = all(
        now is not None and then is not None and now <= 1.25 * then + 0.05 for then, now in pairs
    )
    seen = ", ".join(f"{_seconds(then)} → {_seconds(now)}" for then, now in pairs)
    return Rule(f"{what} comes back", holds, f"50 % and 95 %: {seen}")


def _phases(course: Course) -> list[tuple[str, Phase]]:
    return [
        ("as many as are carried", course.hold),
        ("twice as many", course.overload),
        ("back", course.after),
    ]


def _numbers(found: Quantiles) -> tuple[float | None, ...]:
    return (found.p50, found.p95, found.p99, found.most)


def _seconds(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.3f} s"


def _report(asked: argparse.Namespace, course: Course, found: Sequence[Rule]) -> dict[str, object]:
    return {
        "machine": asdict(machine()),
        "asked": {key: str(value) for key, value in vars(asked).items()},
        "phases": {name: as_json(phase) for name, phase in _phases(course)},
        "missing_s": course.missing_s,
        "full_at": course.full_at,
        "told": course.told,
        "rules": [asdict(rule) for rule in found],
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    minutes = Minutes()
    add("model", nargs="?", default="tiny-en", help="folder, name or hub id (default: %(default)s)")
    add("--delay", choices=DELAYS, default="low", help="default: %(default)s")
    add("--streams", type=int, help="as many as are carried (default: found by trials)")
    add("--minutes", type=float, default=minutes.hold, help="with those (default: %(default)g)")
    add("--overload-minutes", type=float, default=minutes.overload, help="default: %(default)g")
    add("--recovery", type=float, default=minutes.recovery, help="minutes (default: %(default)g)")
    add("--after-minutes", type=float, default=minutes.after, help="default: %(default)g")
    add("--trial-s", type=float, default=30.0, help="of one trial (default: %(default)g)")
    add("--start", type=int, default=4, help="number to grow from (default: %(default)s)")
    add("--growth", type=float, default=2.0, help="of it (default: %(default)g)")
    add("--near", type=float, default=0.05, help="part that it may be too low (%(default)g)")
    add("--most", type=int, default=512, help="streams to try (default: %(default)s)")
    add("--vad", action=argparse.BooleanOptionalAction, default=True, help="default: on")
    add("--runtime", default="auto", help="as in `load` (default: %(default)s)")
    add("--threads", type=int, help="of the encoder (default: one per core)")
    add("--seed", type=int, default=0, help="of the offsets of the streams")
    add("--json", type=Path, metavar="FILE", help="also write all numbers there")
    return parser


if __name__ == "__main__":
    sys.exit(main())
