"""What the encoder's time is spent on: milliseconds by kind of operator, as OpenVINO counts them.

python -m benchmarks.speed.operators FOLDER              16 windows of 4 s, in bfloat16
python -m benchmarks.speed.operators FOLDER --precision f32 --file encoder-model.int8.onnx
python -m benchmarks.speed.operators FOLDER --file cached/encoder-cached-model.onnx

Needs OpenVINO and the dependency group `bench`. The table goes to standard output.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openvino
from numpy.typing import NDArray

from benchmarks.report.machine import machine_table
from benchmarks.report.tables import percent, table
from parakeet_streaming.runtime.cores import usable_cores
from parakeet_streaming.timeline import SUBSAMPLING

_FRAMES_A_SECOND = 100


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what the command line asks for."""
    asked = _parser().parse_args(arguments)
    print(f"{machine_table()}\n", flush=True)
    options = {
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": asked.threads or usable_cores(),
        "INFERENCE_PRECISION_HINT": asked.precision,
        "PERF_COUNT": True,
    }
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(asked.model / asked.file), "CPU", options)
    request = compiled.create_infer_request()
    feeds = _feeds(compiled, asked)
    runs = []
    for run in range(asked.runs + 2):
        request.infer(feeds)
        if run >= 2:
            runs.append(_by_kind(request))
    means = {
        kind: sum(each.get(kind, 0.0) for each in runs) / len(runs)
        for kind in {kind for each in runs for kind in each}
    }
    print(f"`{asked.file}`, {asked.precision}, {asked.streams} x {asked.seconds:g} s.\n")
    print(_kind_table(means), flush=True)


def _by_kind(request: Any) -> dict[str, float]:
    """Milliseconds of the last call."""
    found: dict[str, float] = defaultdict(float)
    for node in request.profiling_info:
        found[f"{node.node_type}, {node.exec_type}"] += 1000 * node.real_time.total_seconds()
    return found


def _kind_table(means: dict[str, float]) -> str:
    total = sum(means.values())
    ordered = sorted(means.items(), key=lambda each: -each[1])
    rows = [
        (kind, f"{each:.1f} ms", percent(each / total))
        for kind, each in ordered
        if each > 0.005 * total
    ]
    rows.append(("all the rest", f"{total - sum(ms for _, ms in ordered[: len(rows)]):.1f} ms", ""))
    return table(("operator, how", "a call", "share"), rows)


def _feeds(compiled: Any, asked: argparse.Namespace) -> dict[str, NDArray[Any]]:
    """Random features, and a past that is full."""
    random = np.random.default_rng(0)
    streams, past = asked.streams, asked.past_frames
    fixed = {each.any_name: each.get_partial_shape() for each in compiled.inputs}
    back = SUBSAMPLING if "look_back" in fixed else 0
    frames = round(asked.seconds * _FRAMES_A_SECOND) + back
    features = (streams, fixed["audio_signal"][1].get_length(), frames)
    feeds: dict[str, NDArray[Any]] = {
        "audio_signal": random.standard_normal(features, np.float32),
        "length": np.full(streams, frames),
    }
    if back:
        layers, width = (fixed["past_keys"][axis].get_length() for axis in (0, 3))
        reach = fixed["past_convolved"][2].get_length()
        kept = (layers, streams, past, width)
        feeds |= {
            "look_back": np.full(streams, back),
            "past_keys": random.standard_normal(kept, np.float32),
            "past_values": random.standard_normal(kept, np.float32),
            "past_convolved": np.zeros((layers, streams, reach, width), np.float32),
            "past_filled": np.full(streams, past),
        }
    return feeds


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("model", type=Path, help="folder that `parakeet export` or `make_model` wrote")
    add("--file", default="encoder-model.onnx", help="of it (default: %(default)s)")
    add("--precision", choices=("f32", "bf16"), default="bf16", help="default: %(default)s")
    add("--streams", type=int, default=16, metavar="N", help="default: %(default)s")
    add("--seconds", type=float, default=4.0, help="of each (default: %(default)g)")
    add("--past-frames", type=int, default=125, help="of a cached encoder (default: %(default)s)")
    add("--runs", type=int, default=5, help="default: %(default)s")
    add("--threads", type=int, help="default: one per core")
    return parser


if __name__ == "__main__":
    main()
