"""A folder with an ONNX model in; what steps of streams cost with ONNX Runtime on a GPU out.

python -m benchmarks.gpu.onnx_steps --model FOLDER                     on the GPU, by CUDA
python -m benchmarks.gpu.onnx_steps --model FOLDER --provider tensorrt
python -m benchmarks.gpu.onnx_steps --make FOLDER                      a random 0.6B model for it
python -m benchmarks.gpu.onnx_steps --model FOLDER --provider cpu      to count what would be copied

Each case is measured with arrays that stay on the device, and with arrays that go back and forth at
every call. It says how long a step takes, and how many bytes the host sends to the graphs and reads
from them. On the processor nothing is copied: then only the bytes mean something.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.gpu.models import FULL, SMALL, random_model, sound
from benchmarks.gpu.streams import Streams
from parakeet_streaming import load
from parakeet_streaming.engine.recognizer import Recognizer
from parakeet_streaming.runtime.onnx_runtime import HOST, OnnxRuntimeSession, version
from parakeet_streaming.runtime.session import Session
from parakeet_streaming.timeline import ContextConfig

CONTEXTS: Final = ("10-2-2", "5-0.5-0.5", "2-0.25-0.25")
_TIMED: Final = 5


@dataclass
class Traffic:
    """Bytes between the host and the graphs."""

    sent: int = 0
    read: int = 0


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what the command line asks for."""
    asked = _parser().parse_args(arguments)
    if asked.make is not None:
        make(asked.make, small=asked.small)
        return
    if asked.model is None:
        raise SystemExit("name a folder with a model: --model")
    found: list[dict[str, object]] = []
    contexts = CONTEXTS[-1:] if asked.small else CONTEXTS
    for context in contexts:
        for kept in (True, False):
            recognizer = load(asked.model, provider=asked.provider, wrap=_kept if kept else _plain)
            told: dict[str, object] = {"onnxruntime": version(), "on": recognizer.runs_on}
            for row in step_rows(recognizer, context, asked.batches, asked.cached):
                found.append(told | {"context": context, "stays": kept} | row)
                print(json.dumps(found[-1]), flush=True)
    if asked.to is not None:
        asked.to.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


def make(folder: Path, *, small: bool = False) -> None:
    """Writes a model with random weights, whose encoder serves windows and cached streams."""
    import torch

    from parakeet_streaming.export.onnx_files import write_model

    model = random_model(SMALL if small else FULL, torch.device("cpu"))
    size = model.config.vocabulary
    folder.mkdir(parents=True, exist_ok=True)
    write_model(model, ["<unk>", *(f"▁{at}" for at in range(size - 2))], folder, cached=True)


def step_rows(
    recognizer: Recognizer, context: str, batches: Sequence[int], cached: bool
) -> Iterator[dict[str, object]]:
    """The median of a few steps of so many streams, and what they copy."""
    audio = sound()
    for batch in batches:
        streams = Streams(recognizer, ContextConfig.parse(context), batch, audio, cached=cached)
        streams.fill()
        with counted() as traffic:
            times = [streams.step() for _ in range(_TIMED)]
        yield {
            "streams": batch,
            "encode_ms": round(1000 * float(np.median([each.encode_s for each in times])), 2),
            "decode_ms": round(1000 * float(np.median([each.decode_s for each in times])), 2),
            "sent_kb": round(traffic.sent / _TIMED / 1000, 1),
            "read_kb": round(traffic.read / _TIMED / 1000, 1),
        }


@contextmanager
def counted() -> Iterator[Traffic]:
    """Counts what all sessions are given by the host, and give to it, meanwhile."""
    traffic, run, run_bound = Traffic(), OnnxRuntimeSession.run, OnnxRuntimeSession.run_bound

    def counting(made: Callable[..., Any]) -> Callable[..., Any]:
        def call(session: OnnxRuntimeSession, feeds: Mapping[str, Any], **options: Any) -> Any:
            found = made(session, feeds, **options)
            read = found[0] if isinstance(found, tuple) else found
            traffic.sent += _bytes(feeds.values())
            traffic.read += _bytes(read.values())
            return found

        return call

    OnnxRuntimeSession.run = counting(run)  # type: ignore[method-assign]
    OnnxRuntimeSession.run_bound = counting(run_bound)  # type: ignore[method-assign]
    try:
        yield traffic
    finally:
        OnnxRuntimeSession.run = run  # type: ignore[method-assign]
        OnnxRuntimeSession.run_bound = run_bound  # type: ignore[method-assign]


def _bytes(values: Any) -> int:
    return sum(each.nbytes for each in values if isinstance(each, np.ndarray))


def _kept(session: Session, _: str) -> Session:
    if isinstance(session, OnnxRuntimeSession):
        session.device = session.device or HOST
    return session


def _plain(session: Session, _: str) -> Session:
    if isinstance(session, OnnxRuntimeSession):
        session.device = None
    return session


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", metavar="FOLDER")
    parser.add_argument("--make", type=Path, metavar="FOLDER", help="write a random model, and end")
    parser.add_argument("--provider", default="cuda", help="of ONNX Runtime (%(default)s)")
    parser.add_argument("--windows", dest="cached", action="store_false", help="not cached streams")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--small", action="store_true", help="a tiny model, one context")
    parser.add_argument("--to", type=Path, metavar="FILE", help="for the results, as JSON")
    return parser


if __name__ == "__main__":
    main()
