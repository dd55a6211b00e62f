"""Where the time of a step goes, and what an hour of audio does to memory.

python benchmarks/overhead.py                      the built-in model
python benchmarks/overhead.py --full-size          one of Parakeet TDT 0.6B's shape (2.5 GB on disk)
python benchmarks/overhead.py --full-size --frames-per-call 1 2 4 8 16
python benchmarks/overhead.py --hour               the memory of an hour of streaming

Needs the dependency group `bench`. Tables go to standard output, progress to standard error.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.decoding import OFFLINE, context_name
from benchmarks.report.machine import machine_table
from benchmarks.models.make_model import make
from benchmarks.memory.process import memory_over
from benchmarks.models.opening import Choice
from parakeet_streaming import ContextConfig, load
from parakeet_streaming.audio.files import read_audio
from parakeet_streaming.timeline import seconds_to_samples
from benchmarks.models.sizes import FULL, SIZES
from benchmarks.speech.book import BOOK
from benchmarks.speed.stages import ENCODER_GRAPH, OUTSIDE
from benchmarks.report.tables import percent, table
from benchmarks.speed.timing import Bench, Case, Timing

_CONTEXTS = (OFFLINE, "offline_like", "balanced", "low_latency")
_HOUR_MINUTES = 60
_SHOWN_MINUTES = 10


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what the command line asks for."""
    asked = _parser().parse_args(arguments)
    samples = read_audio(asked.audio)
    print(f"{machine_table()}\n", flush=True)
    if asked.minutes:
        _measure_memory(asked, samples)
    else:
        part = samples[: seconds_to_samples(asked.seconds)]
        with _model(asked) as model:
            _measure_time(asked, model, part)


def _measure_time(asked: argparse.Namespace, model: str, samples: NDArray[np.float32]) -> None:
    bench = Bench(model, Choice(threads=asked.threads))
    cases = [
        Case(context, frames)
        for context in asked.context or _CONTEXTS
        for frames in asked.frames_per_call or (None,)
    ]
    timings = bench.timings(cases, samples, asked.runs, "passes over the audio")
    called = "full size, random weights" if asked.full_size else f"`{asked.model}`"
    print(f"Model {called}, {timings[0].audio_s:.1f} s of audio, medians of {asked.runs} runs.\n")
    print(f"{stage_table(cases, timings)}\n\n{call_table(cases, timings)}", flush=True)


def _measure_memory(asked: argparse.Namespace, samples: NDArray[np.float32]) -> None:
    context = ContextConfig.parse((asked.context or ["balanced"])[0])
    recognizer = load(asked.model, threads=asked.threads)
    measured = memory_over(recognizer, context, samples, asked.minutes)
    shown = [each for each in measured if each.minute < 2 or not each.minute % _SHOWN_MINUTES]
    rows = [(each.minute, f"{each.resident_mib:.1f} MiB", each.tokens) for each in shown]
    print(table(("minute of audio", "resident memory", "tokens kept"), rows))
    growth = measured[-1].resident_mib - measured[1].resident_mib
    highest = max(each.resident_mib for each in measured)
    print(
        f"\nModel `{asked.model}`, context {context}: {growth:+.1f} MiB from the end of the first "
        f"minute to that of the last, {highest:.1f} MiB at most.",
        flush=True,
    )


def stage_table(cases: Sequence[Case], timings: Sequence[Timing]) -> str:
    """Shares of the stages."""
    rows = [
        (
            _called(case),
            f"{timing.audio_s / timing.total_s:.1f}",
            f"{1000 * timing.total_s / timing.steps:.1f} ms",
            percent(timing.share(ENCODER_GRAPH)),
            *(percent(timing.share(stage)) for stage in OUTSIDE),
            percent(timing.outside_share),
        )
        for case, timing in zip(cases, timings, strict=True)
    ]
    head = ("share of time", "RTFx", "a step", ENCODER_GRAPH, *OUTSIDE, "all but the encoder graph")
    return table(head, rows)


def call_table(cases: Sequence[Case], timings: Sequence[Timing]) -> str:
    """Calls, and milliseconds, of the decoder."""
    rows = [
        (
            _called(case),
            timing.steps,
            f"{timing.tokens / timing.audio_s:.1f}",
            timing.predictor_calls,
            timing.joint_calls,
            *(
                f"{1000 * timing.stages_s[stage] / timing.audio_s:.2f} ms"
                for stage in (ENCODER_GRAPH, *OUTSIDE)
            ),
        )
        for case, timing in zip(cases, timings, strict=True)
    ]
    head = (
        "time per second of audio", "steps", "tokens/s", "prediction calls", "joint calls",
        ENCODER_GRAPH, *OUTSIDE,
    )  # fmt: skip
    return table(head, rows)


@contextmanager
def _model(asked: argparse.Namespace) -> Iterator[str]:
    """The model to open: the one asked for, or a full-size one in a temporary folder."""
    if not asked.full_size:
        yield asked.model
        return
    with tempfile.TemporaryDirectory() as name:
        make(Path(name), replace(SIZES[FULL], layers=asked.encoder_layers))
        yield name


def _called(case: Case) -> str:
    name = case.context if case.context == OFFLINE else f"`{case.context}`"
    return name if case.frames_per_call is None else f"{name}, {case.frames_per_call} frames a call"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--audio",
        type=Path,
        default=BOOK,
        metavar="FILE",
        help="speech (default: 45 s of a book)",
    )
    parser.add_argument(
        "--seconds", type=float, default=20.0, help="of it to time (default: %(default)g)"
    )
    parser.add_argument(
        "--model", default="tiny-en", help="folder, name or hub id (default: %(default)s)"
    )
    parser.add_argument(
        "--full-size", action="store_true", help="a random model of Parakeet TDT 0.6B's shape"
    )
    parser.add_argument(
        "--encoder-layers",
        type=int,
        default=SIZES[FULL].layers,
        help="of it (default: %(default)s)",
    )
    parser.add_argument(
        "--context",
        action="append",
        type=context_name,
        help=f"{OFFLINE}, a preset or left-chunk-right in seconds; can be repeated (default: "
        f"{', '.join(_CONTEXTS)}; of memory: balanced)",
    )
    parser.add_argument(
        "--frames-per-call",
        type=int,
        nargs="+",
        metavar="N",
        help="frames that one call of the joint scores ahead (default: the model's own)",
    )
    parser.add_argument("--runs", type=int, default=5, help="per context (default: %(default)s)")
    parser.add_argument("--threads", type=int, help="of the encoder (default: one per core)")
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--hour",
        dest="minutes",
        action="store_const",
        const=_HOUR_MINUTES,
        help="instead of time, measure memory over an hour of streamed audio",
    )
    length.add_argument("--minutes", type=int, metavar="N", help="the same over N minutes")
    return parser


if __name__ == "__main__":
    main()
