"""How many people a machine can listen to at once, when they speak as people do: in real time.

python benchmarks/capacity.py FOLDER --context 10-2-2                 an hour or so; tiny-en if none
python benchmarks/capacity.py FOLDER --context 10-2-2 --mode cached --runtime openvino
python benchmarks/capacity.py FOLDER --context 10-2-2 --start 24 --growth 1.25 --near 0.1
python benchmarks/capacity.py --context balanced --trial-s 5 --minutes 0.2      a quick look

Streams are paced by the clock, never by what the machine can do. The events of a chunk must be
there within 0.5 s of the moment at which the last sample of its chunk + right context was spoken:
its first sample then has its text within chunk + right + 0.5 s. A stream counts while 99 % of its
chunks keep to that (`pacing.py` has the exact rules). The greatest number of streams that all
count is looked for in short trials, by doubling and bisection, and then held for the whole time;
a number that fails twice is given up.
Needs the dependency group `bench`. The table goes to standard output, progress to standard error.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import psutil

from benchmarks.live.arrivals import Course, RealClock, Trial, carry, warm_up_s
from benchmarks.live.search import confirmed, greatest
from benchmarks.models.runtimes import RUNTIMES
from benchmarks.models.sizes import CACHED, WINDOW
from benchmarks.report.machine import machine, machine_table
from benchmarks.report.tables import percent, say, table
from benchmarks.speech.book import speech_of
from benchmarks.speed.stages import ENCODER_GRAPH
from benchmarks.speed.timing import Bench
from parakeet_streaming import ContextConfig
from parakeet_streaming.live.scheduler import BatchLimits
from parakeet_streaming.runtime.cores import usable_cores

_BOOK_S = 45.0


@dataclass(frozen=True)
class Held:
    """What one trial showed."""

    streams: int
    carried: int
    """Streams of which 99 % of the chunks were in time."""
    took_s: float
    chunks: int
    late_s: tuple[float, float, float, float]
    """Lateness: median, 95 %, 99 % and the worst."""
    batch_mean: float
    batch_most: int
    busy_share: float
    """Of the time, that the engine was in a step."""
    outside_share: float
    """Of the time in steps, that was not the encoder's graph."""
    cores_used: float
    """Processor time of the whole process by time."""


class Trials:
    """Trials with one model and one context."""

    def __init__(self, bench: Bench, course: Course) -> None:
        self.last: Held | None = None
        """The last one that carried all of its streams."""
        self._bench = bench
        self._course = course
        self._process = psutil.Process()

    def all_carried(self, streams: int, trial_s: float) -> bool:
        """Whether every stream counts; a number is given up after two trials.

        In the first, a runtime may still have to prepare for sizes it has not seen.
        """
        return self._carried(streams, trial_s) or self._carried(streams, trial_s)

    def _carried(self, streams: int, trial_s: float) -> bool:
        held = self._hold(streams, trial_s)
        say(
            f"{streams} streams for {held.took_s:.0f} s: {held.carried} carried, lateness "
            f"{held.late_s[1]:.2f} s (95 %), batches of {held.batch_mean:.1f}"
        )
        if held.carried == streams:
            self.last = held
        return held.carried == streams

    def _hold(self, streams: int, trial_s: float) -> Held:
        self._bench.stopwatch.reset()
        before = self._process.cpu_times()
        trial = carry(self._course, streams, trial_s, RealClock())
        after = self._process.cpu_times()
        used_s = after.user + after.system - before.user - before.system
        graph_s = self._bench.stopwatch.stages(trial.busy_s)[ENCODER_GRAPH]
        return held_of(trial, used_s, graph_s)


def held_of(trial: Trial, used_s: float, graph_s: float) -> Held:
    """The figures of a trial: seconds of processor time, and in the encoder's graph, besides."""
    late_s = trial.late_s or [0.0]
    batches = trial.batches or (0,)
    return Held(
        streams=len(trial.speakers),
        carried=trial.carried if trial.late_s else 0,
        took_s=trial.took_s,
        chunks=len(trial.late_s),
        late_s=tuple(float(each) for each in np.quantile(late_s, [0.5, 0.95, 0.99, 1.0])),  # type: ignore[arg-type]  # four of them
        batch_mean=float(np.mean(batches)),
        batch_most=max(batches),
        busy_share=trial.busy_s / trial.took_s,
        outside_share=1 - graph_s / trial.busy_s if trial.busy_s else 0.0,
        cores_used=used_s / trial.took_s,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what the command line asks for."""
    asked = _parser().parse_args(arguments)
    print(f"{machine_table()}\n", flush=True)
    threads = asked.threads or usable_cores()
    cached = asked.mode == CACHED
    context = ContextConfig.parse(asked.context)
    bench = Bench(asked.model, replace(RUNTIMES[asked.runtime], threads=threads, cached=cached))
    limits = BatchLimits(asked.streams_per_step, asked.audio_per_step_s)
    course = Course(bench.recognizer, context, cached, speech_of(_BOOK_S), limits, asked.seed)
    trials = Trials(bench, course)
    say(f"a trial is {warm_up_s(context) + asked.trial_s:.0f} s, warm-up included")
    found = greatest(
        lambda streams: trials.all_carried(streams, asked.trial_s),
        asked.start,
        asked.most,
        growth=asked.growth,
        near=asked.near,
    )
    say(f"{found} streams in short trials; now for {asked.minutes:g} minutes")
    carried = confirmed(lambda streams: trials.all_carried(streams, 60 * asked.minutes), found)
    told = f"`{asked.model}`, context {context}, {asked.mode}, {asked.runtime}, {threads} threads"
    if not carried or trials.last is None:
        print(f"{told}: not even 1 stream is carried.")
        return
    bound = "at least " if carried == asked.most else ""
    print(f"{told}: {bound}{carried} streams, held for {asked.minutes:g} minutes.\n")
    print(held_table(trials.last), flush=True)
    if asked.json is not None:
        how = {key: str(value) for key, value in vars(asked).items()}
        found_here = {"machine": asdict(machine()), "asked": how, "held": asdict(trials.last)}
        asked.json.write_text(json.dumps(found_here, indent=1) + "\n", encoding="utf-8")


def held_table(held: Held) -> str:
    """One row."""
    head = (
        "streams", "chunks", "late: median", "95 %", "99 %", "worst", "streams a step: mean",
        "most", "time in steps", "of it outside the encoder", "cores used",
    )  # fmt: skip
    row = (
        held.streams,
        held.chunks,
        *(f"{each:.3f} s" for each in held.late_s),
        f"{held.batch_mean:.1f}",
        held.batch_most,
        percent(held.busy_share),
        percent(held.outside_share),
        f"{held.cores_used:.2f}",
    )
    return table(head, [row])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    limits = BatchLimits()
    add("model", nargs="?", default="tiny-en", help="folder, name or hub id (default: %(default)s)")
    add("--context", default="10-2-2", help="preset or left-chunk-right (default: %(default)s)")
    add("--mode", choices=(WINDOW, CACHED), default=WINDOW, help="default: %(default)s")
    add("--runtime", choices=RUNTIMES, default="onnxruntime", help="default: %(default)s")
    add("--minutes", type=float, default=10.0, help="to hold the number (default: %(default)g)")
    add("--trial-s", type=float, default=30.0, help="that count (default: %(default)g)")
    add("--start", type=int, default=1, help="number to grow from (default: %(default)s)")
    add("--growth", type=float, default=2.0, help="of it (default: %(default)g)")
    add(
        "--near", type=float, default=0.0, help="part that it may be too low (default: %(default)g)"
    )
    add("--most", type=int, default=1024, help="streams to try (default: %(default)s)")
    add(
        "--streams-per-step",
        type=int,
        default=limits.max_streams,
        help="at most (default: %(default)s)",
    )
    add(
        "--audio-per-step-s",
        type=float,
        default=limits.max_audio_s,
        help="seconds of audio to encode at most (default: %(default)g)",
    )
    add("--threads", type=int, help="of the encoder (default: one per core)")
    add("--seed", type=int, default=0, help="of the offsets of the streams")
    add("--json", type=Path, metavar="FILE", help="also write all numbers there")
    return parser


if __name__ == "__main__":
    main()
