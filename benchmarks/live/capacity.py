"""How many people a machine can transcribe at once, when they speak as people do: in real time.

python -m benchmarks.live.capacity FOLDER --context 10-2-2         an hour or so; tiny-en if none
python -m benchmarks.live.capacity FOLDER --context 10-2-2 --mode cached --runtime openvino
python -m benchmarks.live.capacity FOLDER --context 10-2-2 --start 24 --growth 1.25 --near 0.1
python -m benchmarks.live.capacity --context balanced --trial-s 5 --minutes 0.2      a quick look

Streams are paced by the clock, never by what the machine can do, and go through `LiveEngine`. The
events of a chunk must be there within 0.5 s of the moment at which the last sample of its chunk +
right context was spoken: its first sample then has its text within chunk + right + 0.5 s. A stream
counts while 99 % of its chunks keep to that (`trial.py` has the exact rules). The greatest number
of streams that all count is looked for in short trials, by growing and bisection, and then held
for the whole time; a number that fails twice is given up. `overload` shows what happens beyond.
Needs the dependency group `bench`. The table goes to standard output, progress to standard error.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.live.arrivals import RealClock
from benchmarks.live.search import confirmed, greatest
from benchmarks.live.trial import Cut, Held, Setting, hold
from benchmarks.models.runtimes import RUNTIMES, open_model
from benchmarks.models.sizes import CACHED, WINDOW
from benchmarks.report.machine import machine, machine_table
from benchmarks.report.tables import percent, say, table
from parakeet_streaming import BatchLimits, ContextConfig, LiveEngine, Recognizer, load_vad


class Trials:
    """Trials with one model and one setting; each has a new engine."""

    def __init__(self, recognizer: Recognizer, setting: Setting, limits: BatchLimits) -> None:
        self.last: Held | None = None
        """The last one that carried all of its streams."""
        self._recognizer = recognizer
        self._setting = setting
        self._limits = limits
        self._vad = load_vad() if setting.vad else None

    def all_carried(self, streams: int, trial_s: float) -> bool:
        """Whether every stream counts; a number is given up after two trials.

        In the first, a runtime may still have to prepare for sizes that it has not seen.
        """
        return self._carried(streams, trial_s) or self._carried(streams, trial_s)

    def _carried(self, streams: int, trial_s: float) -> bool:
        engine = LiveEngine(self._recognizer, self._vad, most_streams=streams, limits=self._limits)
        try:
            held = hold(engine, self._setting, streams, trial_s, RealClock())
        finally:
            engine.close(drain=False)
        say(
            f"{streams} streams for {held.took_s:.0f} s: {held.carried} carried, lateness "
            f"{held.late_s[1]:.2f} s (95 %), {held.streams_a_step:.1f} streams a step"
        )
        if held.all_carried:
            self.last = held
        return held.all_carried


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what the command line asks for."""
    asked = _parser().parse_args(arguments)
    print(f"{machine_table()}\n", flush=True)
    cached = asked.mode == CACHED
    context = ContextConfig.parse(asked.context)
    setting = Setting(context, cached, asked.vad, asked.seed)
    recognizer = open_model(asked.model, asked.runtime, cached=cached, threads=asked.threads)
    limits = BatchLimits(asked.streams_per_step, asked.audio_per_step_s)
    trials = Trials(recognizer, setting, limits)
    say(f"a trial is {Cut.of(context).warm_up_s + asked.trial_s:.0f} s, warm-up included")
    found = greatest(
        lambda streams: trials.all_carried(streams, asked.trial_s),
        asked.start,
        asked.most,
        growth=asked.growth,
        near=asked.near,
    )
    say(f"{found} streams in short trials; now for {asked.minutes:g} minutes")
    carried = confirmed(lambda streams: trials.all_carried(streams, 60 * asked.minutes), found)
    what = f"`{asked.model}`, context {context}, {asked.mode}, {asked.runtime}"
    if not carried or trials.last is None:
        print(f"{what}: not even 1 stream is carried.")
        return
    bound = "at least " if carried == asked.most else ""
    print(f"{what}: {bound}{carried} streams, held for {asked.minutes:g} minutes.\n")
    print(held_table(trials.last), flush=True)
    if asked.json is not None:
        how = {key: str(value) for key, value in vars(asked).items()}
        found_here = {"machine": asdict(machine()), "asked": how, "held": asdict(trials.last)}
        asked.json.write_text(json.dumps(found_here, indent=1) + "\n", encoding="utf-8")


def held_table(held: Held) -> str:
    """One row."""
    head = (
        "streams", "chunks", "late: median", "95 %", "99 %", "worst", "streams a step",
        "time in steps", "of it decoding", "cores used",
    )  # fmt: skip
    row = (
        held.streams,
        held.chunks,
        *(f"{each:.3f} s" for each in held.late_s),
        f"{held.streams_a_step:.1f}",
        percent(held.busy_share),
        percent(held.decoding_share),
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
    add("--vad", action="store_true", help="with voice activity")
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
