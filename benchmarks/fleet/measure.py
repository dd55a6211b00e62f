"""What one replica does with some numbers of streams, measured, as the JSON that `fleet.fit` reads.

python -m benchmarks.fleet.measure --json FILE                      four minutes, tiny-en
python -m benchmarks.fleet.measure FOLDER --context 10-2-2 --cached --streams 4 8 12 16 --json FILE

Each number is one trial of `live.trial`: streams that speak all the time, paced by the clock, into
`LiveEngine` as it is. A trial ends early where too many texts are late. The machine is in the file.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from benchmarks.live.arrivals import RATE_HZ, RealClock
from benchmarks.live.trial import Cut, Held, Setting, hold
from benchmarks.report.machine import machine
from benchmarks.report.tables import say
from parakeet_streaming import ContextConfig, DelayRange, LiveEngine, load
from parakeet_streaming.timeline import SAMPLE_RATE_HZ


def with_full_windows(held: Held, cut: Cut, *, cached: bool) -> Held:
    """The same with the share of the time that steps would take if every window were full.

    Windows are shorter until the left context has filled; a trial's busy share has these steps in
    it. Time is taken as proportional to the audio that a step encodes. Cached steps encode no left.
    """
    if cached:
        return held
    chunk, fixed = cut.chunk / RATE_HZ, (cut.chunk + cut.right) / RATE_HZ
    left_s, chunks = cut.left / RATE_HZ, max(1, int(held.took_s / chunk))
    encoded_s = sum(min(left_s, at * chunk) + fixed for at in range(chunks))
    return replace(held, busy_share=held.busy_share * chunks * (left_s + fixed) / encoded_s)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, and writes the file."""
    asked = _parser().parse_args(arguments)
    context: ContextConfig = DelayRange.parse(asked.context, SAMPLE_RATE_HZ).context
    setting = Setting(context, asked.cached, False, asked.seed)
    recognizer = load(asked.model, runtime=asked.runtime, threads=asked.threads)
    trials = []
    for streams in asked.streams:
        engine = LiveEngine(recognizer, None, most_streams=streams)
        try:
            held = hold(engine, setting, streams, asked.seconds, RealClock())
        finally:
            engine.close(drain=False)
        say(
            f"{streams} streams: {held.carried} carried, late by {held.late_s[1]:.3f} s (95 %), "
            f"{held.streams_a_step:.1f} a step, {held.busy_share:.0%} of the time in steps"
        )
        trials.append(with_full_windows(held, Cut.of(context), cached=asked.cached))
    how = {key: str(value) for key, value in vars(asked).items() if key != "json"}
    report = {
        "machine": asdict(machine()),
        "asked": how,
        "trials": [asdict(each) for each in trials],
    }
    asked.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("model", nargs="?", default="tiny-en", help="folder, name or hub id (default: %(default)s)")
    add("--context", default="5-0.5-0.5", help="preset or left-chunk-right (default: %(default)s)")
    add("--cached", action="store_true", help="cached streams; the model must have such an encoder")
    add("--streams", type=int, nargs="+", default=[4, 8, 12, 16, 20, 24], metavar="N")
    add("--seconds", type=float, default=30.0, help="that count (default: %(default)g)")
    add("--runtime", default="auto", help="as in `load` (default: %(default)s)")
    add("--threads", type=int, help="of the encoder (default: one per core)")
    add("--seed", type=int, default=0, help="of the offsets of the streams")
    add("--json", type=Path, metavar="FILE", required=True)
    return parser


if __name__ == "__main__":
    main()
