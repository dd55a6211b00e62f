"""Where the time of a step goes.

python -m benchmarks.speed.overhead                the built-in model
python -m benchmarks.speed.overhead --full-size    one of Parakeet TDT 0.6B's shape (2.5 GB on disk)
python -m benchmarks.speed.overhead --full-size --frames-per-call 1 2 4 8 16

Needs the dependency group `bench`. Tables go to standard output, progress to standard error.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from benchmarks.models.contexts import OFFLINE, checked_name, in_code
from benchmarks.models.make_model import make
from benchmarks.models.runtimes import RUNTIMES
from benchmarks.models.sizes import FULL, SIZES
from benchmarks.report.machine import machine_table
from benchmarks.report.tables import percent, table
from benchmarks.speech.book import speech_of
from benchmarks.speed.stages import ENCODER_GRAPH, OUTSIDE, TimedModel
from benchmarks.speed.timing import Timing, timings
from parakeet_streaming.model import decoder_joint

_CONTEXTS = (OFFLINE, "offline_like", "balanced", "low_latency")


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what the command line asks for."""
    asked = _parser().parse_args(arguments)
    speech = speech_of(asked.seconds)
    print(f"{machine_table()}\n", flush=True)
    found: dict[str, Timing] = {}
    with _model(asked) as name:
        for frames in asked.frames_per_call or [decoder_joint.FRAMES_PER_CALL]:
            with patch.object(decoder_joint, "FRAMES_PER_CALL", frames):
                model = TimedModel(name, asked.runtime, threads=asked.threads)
            called = f", {frames} frames a call" if asked.frames_per_call else ""
            measured = timings(model, asked.context or _CONTEXTS, speech, asked.runs)
            found |= {f"{in_code(context)}{called}": each for context, each in measured.items()}
    what = "full size, random weights" if asked.full_size else f"`{asked.model}`"
    print(f"Model {what}, {asked.seconds:.1f} s of audio, medians of {asked.runs} runs.\n")
    print(f"{stage_table(found)}\n\n{call_table(found)}", flush=True)


def stage_table(found: Mapping[str, Timing]) -> str:
    """Shares of the stages."""
    rows = [
        (
            name,
            f"{timing.audio_s / timing.total_s:.1f}",
            f"{1000 * timing.total_s / timing.steps:.1f} ms",
            percent(timing.share(ENCODER_GRAPH)),
            *(percent(timing.share(stage)) for stage in OUTSIDE),
            percent(timing.outside_share),
        )
        for name, timing in found.items()
    ]
    head = ("share of time", "RTFx", "a step", ENCODER_GRAPH, *OUTSIDE, "all but the encoder graph")
    return table(head, rows)


def call_table(found: Mapping[str, Timing]) -> str:
    """Calls, and milliseconds, of the decoder."""
    rows = [
        (
            name,
            timing.steps,
            f"{timing.tokens / timing.audio_s:.1f}",
            timing.predictor_calls,
            timing.joint_calls,
            *(
                f"{1000 * timing.stages_s[stage] / timing.audio_s:.2f} ms"
                for stage in (ENCODER_GRAPH, *OUTSIDE)
            ),
        )
        for name, timing in found.items()
    ]
    head = (
        "time per second of audio", "steps", "tokens/s", "prediction calls", "joint calls",
        ENCODER_GRAPH, *OUTSIDE,
    )  # fmt: skip
    return table(head, rows)


@contextmanager
def _model(asked: argparse.Namespace) -> Iterator[str]:
    """The model that was asked for, or a full-size one in a temporary folder."""
    if not asked.full_size:
        yield asked.model
        return
    with tempfile.TemporaryDirectory() as name:
        make(Path(name), replace(SIZES[FULL], layers=asked.encoder_layers))
        yield name


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--seconds", type=float, default=20.0, help="of a book to time (default: %(default)g)")
    add("--model", default="tiny-en", help="folder, name or hub id (default: %(default)s)")
    add("--runtime", choices=RUNTIMES, default="onnxruntime", help="default: %(default)s")
    add("--full-size", action="store_true", help="a random model of Parakeet TDT 0.6B's shape")
    layers = SIZES[FULL].layers
    add("--encoder-layers", type=int, default=layers, help="of it (default: %(default)s)")
    add(
        "--context",
        action="append",
        type=checked_name,
        help=f"{OFFLINE}, a preset or left-chunk-right in seconds; can be repeated (default: "
        f"{', '.join(_CONTEXTS)})",
    )
    add(
        "--frames-per-call",
        type=int,
        nargs="+",
        metavar="N",
        help="frames that one call of the joint scores ahead (default: the model's own)",
    )
    add("--runs", type=int, default=5, help="per context (default: %(default)s)")
    add("--threads", type=int, help="of the encoder (default: one per core)")
    return parser


if __name__ == "__main__":
    main()
