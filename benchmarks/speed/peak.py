"""How fast this machine multiplies matrices at best, and how near the encoder comes to that.

python -m benchmarks.speed.peak FOLDER                 tiny-en without a folder
python -m benchmarks.speed.peak FOLDER --streams 1 4 16 --window-s 14

The peak is that of square matrices in torch and numpy, the better of both, with as many threads as
the encoder has; in bfloat16 where torch is and the processor multiplies it. Operations of the
encoder are counted from the sizes of its weights (`models/operations.py`), and the time is that of
its graph alone. An int8 model has no peak of its own here: it is compared with float32, and may be
above it. Needs the dependency group `bench`. Tables go to standard output, progress to standard
error.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec

import numpy as np

from benchmarks.models.operations import EncoderShape, shape_of
from benchmarks.models.runtimes import RUNTIMES, AbsentError, parts_of
from benchmarks.report.machine import machine_table
from benchmarks.report.tables import percent, say, table
from benchmarks.speech.book import speech_of
from benchmarks.speed.stages import ENCODER, TimedModel
from parakeet_streaming.catalog.spec import read_spec
from parakeet_streaming.runtime.cores import usable_cores
from parakeet_streaming.runtime.openvino_runtime import multiplies_bfloat16
from parakeet_streaming.timeline import encoder_frames, seconds_to_samples

_FLOAT32, _BFLOAT16 = "float32", "bfloat16"


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what the command line asks for."""
    asked = _parser().parse_args(arguments)
    threads = asked.threads or usable_cores()
    print(f"{machine_table()}\n", flush=True)
    peaks = measured_peaks(asked.side, threads, asked.runs)
    rows = [(kind, f"{each / 1e9:.0f} GFLOP/s") for kind, each in peaks.items()]
    print(f"{table((f'product of {asked.side} x {asked.side}, {threads} threads', ''), rows)}\n")
    for name in asked.runtime or RUNTIMES:
        try:
            model = TimedModel(asked.model, name, threads=threads)
        except AbsentError as reason:
            print(f"Not taking part: {name}: {reason}.\n", flush=True)
            continue
        halved = RUNTIMES[name].precision == "bf16" and _BFLOAT16 in peaks
        best = peaks[_BFLOAT16 if halved else _FLOAT32]
        print(f"{_share_table(asked, model, name, best)}\n", flush=True)


def measured_peaks(side: int, threads: int, runs: int) -> dict[str, float]:
    """Operations a second of a product of square matrices, by type; the best of some runs."""
    say("multiplying matrices")
    peaks: dict[str, float] = {}
    for kind, product in _products(side, threads):
        peaks[kind] = max(peaks.get(kind, 0.0), 2 * side**3 / min(_times(product, runs)))
    return peaks


def _products(side: int, threads: int) -> Iterator[tuple[str, Callable[[], object]]]:
    left, right = np.random.default_rng(0).standard_normal((2, side, side), np.float32)
    yield _FLOAT32, lambda: left @ right
    if find_spec("torch") is None:
        return
    import torch

    torch.set_num_threads(threads)
    values = torch.randn(2, side, side)
    yield _FLOAT32, lambda: values[0] @ values[1]
    if multiplies_bfloat16():
        halves = values.bfloat16()
        yield _BFLOAT16, lambda: halves[0] @ halves[1]


def _times(act: Callable[[], object], runs: int) -> list[float]:
    """Seconds of each of some runs, after one that does not count."""
    act()
    times = []
    for _ in range(runs):
        started_s = time.perf_counter()
        act()
        times.append(time.perf_counter() - started_s)
    return times


def _share_table(asked: argparse.Namespace, model: TimedModel, name: str, peak: float) -> str:
    shape = _shape(asked.model)
    frames = encoder_frames(seconds_to_samples(asked.window_s))
    rows = []
    for streams in asked.streams:
        say(f"{name}: {streams} windows of {asked.window_s:g} s")
        took_s = statistics.median(_graph_times(model, streams, asked.window_s, asked.runs))
        work = shape.operations(frames, streams)
        rows.append(
            (
                f"{name}, {streams}",
                f"{work / 1e9:.1f} GFLOP",
                f"{1000 * took_s:.0f} ms",
                f"{work / took_s / 1e9:.0f} GFLOP/s",
                percent(work / took_s / peak),
                f"{streams * asked.window_s / took_s:.1f}",
            )
        )
    head = (
        f"windows of {asked.window_s:g} s in one call", "work", "encoder graph", "speed",
        "of the peak", "RTFx of the graph",
    )  # fmt: skip
    return table(head, rows)


def _graph_times(model: TimedModel, streams: int, window_s: float, runs: int) -> list[float]:
    """Seconds in the encoder's graph alone, of each of some calls."""
    recognizer, speech = model.recognizer, speech_of(window_s)
    context = recognizer.offline_context(window_s)
    opened = [recognizer.stream(context, tentative=False) for _ in range(streams)]
    for stream in opened:
        stream.push(speech)
        stream.end()
    times = []
    for run in range(runs + 1):
        model.stopwatch.reset()
        # A step that is not committed leaves the streams where they are.
        recognizer.prepare([stream.windowed for stream in opened]).encode()
        if run:
            times.append(model.stopwatch.seconds[ENCODER])
    return times


def _shape(model: str) -> EncoderShape:
    parts = parts_of(model, "onnxruntime")
    spec = read_spec(parts)
    return shape_of(parts.encoder.path, spec.mel_bins, spec.encoder_width)


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
    add("--streams", type=int, nargs="+", default=(1, 2, 4, 8, 16), metavar="N",
        help="windows in one call (default: 1 2 4 8 16)")  # fmt: skip
    add("--window-s", type=float, default=10.0, help="seconds (default: %(default)g)")
    add("--side", type=int, default=2048, help="of the matrices (default: %(default)s)")
    add("--runs", type=int, default=5, help="of everything (default: %(default)s)")
    add("--threads", type=int, help="of the encoder (default: one per core)")
    return parser


if __name__ == "__main__":
    main()
