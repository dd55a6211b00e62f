"""Where the time of a step goes that many streams share.

python -m benchmarks.speed.shared_step FOLDER --mode cached --context 10-2-2 --streams 1 8 32
python -m benchmarks.speed.shared_step FOLDER --runtime 'openvino int8' --mode cached --streams 32

Left contexts are full, tentative text is decoded, and every stream reads another part of the book.
Needs the dependency group `bench`. The table goes to standard output, progress to standard error.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.models.runtimes import RUNTIMES, AbsentError
from benchmarks.models.sizes import CACHED, WINDOW
from benchmarks.report.machine import machine_table
from benchmarks.report.tables import percent, say, table
from benchmarks.speed.lockstep import filling_steps, timed_steps
from benchmarks.speed.stages import ENCODER_GRAPH, OUTSIDE, TimedModel
from parakeet_streaming import ContextConfig


@dataclass(frozen=True)
class SharedStep:
    """Means over some steps of so many streams."""

    runtime: str
    streams: int
    step_s: float
    chunk_s: float
    stages_s: dict[str, float]

    @property
    def carried(self) -> float:
        """Streams that would fill the time if all of them were always in step."""
        return self.streams * self.chunk_s / self.step_s


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what the command line asks for."""
    asked = _parser().parse_args(arguments)
    print(f"{machine_table()}\n", flush=True)
    found = []
    for name in asked.runtime or RUNTIMES:
        try:
            model = TimedModel(
                asked.model, name, cached=asked.mode == CACHED, threads=asked.threads
            )
        except AbsentError as reason:
            print(f"Not taking part: {name}: {reason}.\n", flush=True)
            continue
        for streams in asked.streams:
            say(f"{name}: {streams} streams")
            found.append(_shared(asked, model, name, streams))
    print(f"Model `{asked.model}`, context {asked.context}, {asked.mode}.\n")
    print(shared_table(found), flush=True)


def _shared(asked: argparse.Namespace, model: TimedModel, name: str, streams: int) -> SharedStep:
    context = ContextConfig.parse(asked.context)
    cached = asked.mode == CACHED
    opened = [model.recognizer.stream(context, cached=cached) for _ in range(streams)]
    filling = filling_steps(context)

    def forget(step: int) -> None:
        if step == filling:
            model.stopwatch.reset()

    took_s = sum(timed_steps(opened, filling + asked.steps, model.step, forget)[filling:])
    stages_s = model.stopwatch.stages(took_s)
    return SharedStep(
        name,
        streams,
        took_s / asked.steps,
        context.effective[1],
        {stage: each / asked.steps for stage, each in stages_s.items()},
    )


def shared_table(found: Sequence[SharedStep]) -> str:
    """Shares of the stages, and what lies outside the encoder's graph."""
    rows = [
        (
            f"{each.runtime}, {each.streams}",
            f"{1000 * each.step_s:.0f} ms",
            f"{each.carried:.1f}",
            *(percent(each.stages_s[stage] / each.step_s) for stage in (ENCODER_GRAPH, *OUTSIDE)),
            percent(1 - each.stages_s[ENCODER_GRAPH] / each.step_s),
        )
        for each in found
    ]
    head = (
        "streams in one step", "a step", "streams x chunk / step", ENCODER_GRAPH, *OUTSIDE,
        "all but the encoder graph",
    )  # fmt: skip
    return table(head, rows)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("model", nargs="?", default="tiny-en", help="folder, name or hub id (default: %(default)s)")
    add(
        "--runtime",
        action="append",
        choices=RUNTIMES,
        help="can be repeated (default: all that run here)",
    )
    add("--mode", choices=(WINDOW, CACHED), default=WINDOW, help="default: %(default)s")
    add("--context", default="10-2-2", help="preset or left-chunk-right (default: %(default)s)")
    add("--streams", type=int, nargs="+", default=(32,), metavar="N", help="default: 32")
    add("--steps", type=int, default=4, help="timed (default: %(default)s)")
    add("--threads", type=int, help="of the encoder (default: one per core)")
    return parser


if __name__ == "__main__":
    main()
