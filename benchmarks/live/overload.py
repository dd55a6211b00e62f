"""How a live engine does with as many streams as it carries, with twice as many, and after that.

python -m benchmarks.live.overload                              forty minutes or so, tiny-en
python -m benchmarks.live.overload --streams 8 --minutes 1 --overload-minutes 1 --after-minutes 1
python -m benchmarks.live.overload FOLDER --context high_quality --json overload.json

Streams are paced by the clock (`load.py` has the exact rules) and go through `LiveEngine` as it is:
its worker, voice activity, endpointing and adaptation. The greatest number of streams that are all
carried is looked for in short trials, by growing and bisection, unless it is given. Then, in one
engine: so many for the whole time; twice as many, which it must bear by longer chunks, without
loss; more joins, until one is refused; and the first streams alone, whose latency must come back to
what it was. The exit code is 1 where a rule is broken.
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

from benchmarks.live.arrivals import Clock, RealClock
from benchmarks.live.load import Engine, Load
from benchmarks.live.overload_report import (
    Overload,
    Rule,
    figure_table,
    latency_table,
    rule_table,
    rules,
    seconds_of,
)
from benchmarks.live.phases import Phase, as_json
from benchmarks.live.search import confirmed, greatest
from benchmarks.report.machine import machine, machine_table
from benchmarks.report.tables import say
from benchmarks.speech.book import BOOK_S, speech_of
from parakeet_streaming import DelayRange, LiveEngine, LiveOptions, VadOptions, load, load_vad
from parakeet_streaming.live.admission import MOST_LOAD
from parakeet_streaming.timeline import SAMPLE_RATE_HZ

_MOST_JOINS: Final = 512


@dataclass(frozen=True)
class Setting:
    """What every trial has in common."""

    open_engine: Callable[[], Engine]
    options: LiveOptions
    book: NDArray[np.float32]
    """(n,) at 16 kHz."""
    clock: Clock
    seed: int = 0

    def load(self, engine: Engine) -> Load:
        return Load(engine, self.options, self.book, self.clock, self.seed)


@dataclass(frozen=True)
class Minutes:
    """How long each phase lasts."""

    hold: float = 10.0
    overload: float = 3.0
    recovery: float = 1.0
    """After the overload, before the last phase counts."""
    after: float = 3.0


def trial(setting: Setting, streams: int, seconds: float) -> bool:
    """Whether a new engine carries so many; a number is given up after two trials."""
    return any(_carries(setting, streams, seconds) for _ in range(2))


def run(setting: Setting, streams: int, minutes: Minutes) -> Overload | None:
    """All phases; None where so many are not carried in the first."""
    engine = setting.open_engine()
    try:
        load = setting.load(engine)
        let_in = load.open(streams)
        hold = load.run(60 * minutes.hold)
        say(f"{streams} streams for {hold.took_s:.0f} s: {hold.carried} carried")
        if let_in < streams or not _is_carried(hold):
            return None
        return _beyond(load, streams, minutes, hold)
    finally:
        engine.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what the command line asks for; 1 where a rule is broken."""
    asked = _parser().parse_args(arguments)
    print(f"{machine_table()}\n", flush=True)
    recognizer = load(asked.model, runtime=asked.runtime, threads=asked.threads)
    vad = load_vad() if asked.vad else None
    delay = DelayRange.parse(asked.context, SAMPLE_RATE_HZ)
    options = LiveOptions(delay, VadOptions() if asked.vad else None)
    setting = Setting(
        lambda: LiveEngine(recognizer, vad), options, speech_of(BOOK_S), RealClock(), asked.seed
    )
    found = asked.streams or greatest(
        lambda streams: trial(setting, streams, asked.trial_s),
        asked.start,
        asked.most,
        growth=asked.growth,
        near=asked.near,
    )
    minutes = Minutes(asked.minutes, asked.overload_minutes, asked.recovery, asked.after_minutes)
    overload = _confirmed(setting, found, minutes)
    if overload is None:
        print(f"`{asked.model}`, context {asked.context}: not even 1 stream is carried.")
        return 1
    found_rules = rules(overload, delay)
    print(f"`{asked.model}`, context {asked.context}: {overload.hold.streams} streams.\n")
    print(f"{figure_table(overload)}\n\n{latency_table(overload)}\n\n{rule_table(found_rules)}")
    if asked.json is not None:
        asked.json.write_text(json.dumps(_report(asked, overload, found_rules), indent=1) + "\n")
    return int(not all(rule.holds for rule in found_rules))


def _confirmed(setting: Setting, found: int, minutes: Minutes) -> Overload | None:
    held: list[Overload] = []

    def carries(streams: int) -> bool:
        overload = run(setting, streams, minutes)
        held.extend([overload] if overload else [])
        return overload is not None

    return held[-1] if confirmed(carries, found) else None


def _carries(setting: Setting, streams: int, seconds: float) -> bool:
    engine = setting.open_engine()
    try:
        load = setting.load(engine)
        let_in = load.open(streams)
        phase = load.run(seconds)
    finally:
        engine.close(drain=False)
    say(
        f"{streams} streams for {phase.took_s:.0f} s: {phase.carried} carried, text late by "
        f"{seconds_of(phase.late.p95)} (95 %), load {phase.load:.2f}, "
        f"{phase.batch_mean:.1f} streams a step"
    )
    return let_in == streams and _is_carried(phase)


def _is_carried(phase: Phase) -> bool:
    """Whether all are, and the engine would let in as many that never change their chunks."""
    return phase.carried == phase.streams and phase.load <= MOST_LOAD


def _beyond(load: Load, streams: int, minutes: Minutes, hold: Phase) -> Overload:
    load.open(streams)
    overload = load.run(60 * minutes.overload)
    say(f"{overload.streams} streams: backlog {overload.backlog_s(0.5, 1.0):.2f} s at most")
    full_at = load.open_until_refused(_MOST_JOINS)
    missing_s = load.finish(streams)
    load.run(60 * minutes.recovery)
    after = load.run(60 * minutes.after)
    missing_s += load.finish(0)
    return Overload(hold, overload, after, missing_s, full_at, load.refusal)


def _report(
    asked: argparse.Namespace, overload: Overload, found: Sequence[Rule]
) -> dict[str, object]:
    return {
        "machine": asdict(machine()),
        "asked": {key: str(value) for key, value in vars(asked).items()},
        "phases": {name: as_json(phase) for name, phase in overload.phases},
        "missing_s": overload.missing_s,
        "full_at": overload.full_at,
        "refusal": overload.refusal,
        "rules": [asdict(rule) for rule in found],
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    minutes = Minutes()
    add("model", nargs="?", default="tiny-en", help="folder, name or hub id (default: %(default)s)")
    add("--context", default="balanced", help="preset or left-chunk-right (default: %(default)s)")
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
