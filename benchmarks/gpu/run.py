"""What a GPU does with this model, in eight minutes, on a machine with numpy and torch alone.

python -m benchmarks.gpu.run --prepare                      here: the golden model, for over there
python -m benchmarks.gpu.run --to FOLDER                    over there: all parts, in order
python -m benchmarks.gpu.run --to FOLDER --device cpu --small    to see that it works

Parts: parity with NeMo's answers in float32, and of streams with phrases in a mixed batch with each
alone; one step of 1 to 512 streams by context, mode and precision; all of it once more with CUDA
graphs, steps in bfloat16; steps of streams with phrases; recordings in batches; paced streams for a
minute by context; a profile of one step. Paced and profiled are graphs, if parity held with them.
`results.json` is written after each. A part that fails is written down, and the next one begins.
A GPU that was brought out of order by a graph fails in all parts after that: --no-graphs.
Carry `build/gpu` along: that is where --prepare puts the golden model.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import torch

from benchmarks.gpu.measures import Row, offline_rows, profile_rows, step_rows
from benchmarks.gpu.models import (
    FULL,
    SMALL,
    boosted,
    make_ready,
    random_model,
    recognizer_of,
    sound,
)
from benchmarks.gpu.paced import capacity
from benchmarks.gpu.parity import PREPARED, parity, phrases_parity, prepare
from benchmarks.gpu.streams import Streams
from parakeet_streaming.engine.recognizer import Recognizer
from parakeet_streaming.timeline import ContextConfig
from parakeet_streaming.torch_runtime.devices import in_words, open_device

CONTEXTS: Final = ("10-2-2", "5-0.5-0.5", "2-0.25-0.25")
_MINUTES: Final = 8.0
_SHARES: Final = {"steps": 0.2, "steps_graphs": 0.14, "steps_phrases": 0.04, "offline": 0.06}
"""Of the time, what a part may take at most; paced streams take the minute that they are given."""


class Run:
    """One run of the program, and what it has found so far."""

    def __init__(self, asked: argparse.Namespace) -> None:
        self.asked = asked
        self.device = open_device(asked.device, threads=1 if asked.small else None)
        self.audio = sound()
        config = SMALL if asked.small else FULL
        self.model = random_model(config, self.device)
        self.batches = (1, 2) if asked.small else (1, 8, 32, 128, 256, 512)
        self._began_s = time.monotonic()
        self._known: dict[tuple[bool, bool], Recognizer] = {}
        self.found: dict[str, object] = {
            "device": in_words(self.device),
            "torch": torch.__version__,
            "model": "small" if asked.small else "0.6b, random weights",
        }

    def recognizer(self, bfloat16: bool, *, graphs: bool | None = None) -> Recognizer:
        graphs = self.graphs if graphs is None else graphs
        key = bfloat16, graphs
        if key not in self._known:
            made = recognizer_of(self.model, self.device, bfloat16=bfloat16, graphs=graphs)
            self._known[key] = made
        return self._known[key]

    def part(self, name: str, work: Callable[[], object]) -> None:
        """Does a part and writes what it found, or how it failed."""
        began_s = time.monotonic()
        try:
            found = work()
        except Exception as error:  # whatever it is, the next part may work
            found = {"failed": f"{type(error).__name__}: {error}", "where": traceback.format_exc()}
        self.found[name] = found
        self.found[f"{name}_took_s"] = round(time.monotonic() - began_s, 1)
        self.asked.to.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.found, indent=1, ensure_ascii=False) + "\n"
        (self.asked.to / "results.json").write_text(text, "utf-8")
        print(f"{name}: {self.found[f'{name}_took_s']} s", flush=True)

    def deadline(self, share: float) -> Callable[[], bool]:
        """Whether there is still time for a part that may take that share of all."""
        end_s = time.monotonic() + share * 60 * self.asked.minutes
        return lambda: time.monotonic() < end_s

    @property
    def graphs(self) -> bool:
        """Whether graphs are used, and have given the right answers."""
        told: Any = self.found.get("parity_graphs", {})
        return not self.asked.no_graphs and bool(told) and told.get("alike") == told.get("cases")

    def steps(self, *, graphs: bool) -> dict[str, list[Row]]:
        in_time = self.deadline(_SHARES["steps_graphs" if graphs else "steps"])
        contexts = CONTEXTS[-1:] if self.asked.small else CONTEXTS
        return {
            _named(context, cached, bfloat16): list(
                step_rows(
                    self.recognizer(bfloat16, graphs=graphs),
                    context,
                    self.batches,
                    self.audio,
                    cached=cached,
                    in_time=in_time,
                )
            )
            for bfloat16, cached, context in _cases(contexts, graphs=graphs)
        }

    def steps_phrases(self) -> dict[str, list[Row]]:
        """Of streams with forty phrases each, one context alone."""
        in_time = self.deadline(_SHARES["steps_phrases"])
        ways = {"graphs": True, "plain": False} if self.graphs else {"plain": False}
        return {
            name: list(
                step_rows(
                    self.recognizer(True, graphs=graphs),
                    CONTEXTS[-1],
                    self.batches[::2],
                    self.audio,
                    cached=True,
                    in_time=in_time,
                    boosting=boosted(),
                )
            )
            for name, graphs in ways.items()
        }

    def offline(self) -> list[Row]:
        batches, seconds = ((1, 2), 4.0) if self.asked.small else ((1, 32, 128), 30.0)
        return list(offline_rows(self.recognizer(True), batches, seconds, self.audio))

    def paced(self) -> list[dict[str, object]]:
        batch, seconds = (2, 2.0) if self.asked.small else (512, self.asked.paced_s)
        told: list[dict[str, object]] = []
        for context in CONTEXTS:
            # Slots of thousands of streams of the context before would fill the memory.
            self._known.clear()
            gc.collect()
            found = capacity(
                self.recognizer(True),
                context,
                self.audio,
                cached=True,
                batch=batch,
                seconds=seconds,
                step_s=self._step_s(context, batch),
            )
            told.append(found)
        return told

    def profile(self) -> dict[str, Row]:
        batch = 2 if self.asked.small else 256
        return {
            f"{context} {'cached' if cached else 'windows'}": profile_rows(
                self._filled(context, batch, cached)
            )
            for context, cached in (("2-0.25-0.25", True), ("10-2-2", False))
        }

    def _filled(self, context: str, batch: int, cached: bool) -> Streams:
        streams = Streams(
            self.recognizer(True), ContextConfig.parse(context), batch, self.audio, cached=cached
        )
        make_ready(streams.recognizer, ContextConfig.parse(context), batch, batch, cached=cached)
        streams.fill()
        return streams

    def _step_s(self, context: str, batch: int) -> float:
        """What a step of a batch takes, of the largest that was measured."""
        steps: Any = self.found.get("steps_graphs" if self.graphs else "steps", {})
        rows = steps.get(_named(context, True, True), []) if isinstance(steps, dict) else []
        known = [row for row in rows if "whole_ms" in row]
        if not known:
            return self._filled(context, batch, True).step().whole_s
        last = known[-1]
        return float(last["whole_ms"]) / 1000 * batch / int(last["batch"])


def _named(context: str, cached: bool, bfloat16: bool) -> str:
    return f"{context} {'cached' if cached else 'windows'} {'bf16' if bfloat16 else 'fp32'}"


def _cases(contexts: Sequence[str], *, graphs: bool) -> Iterator[tuple[bool, bool, str]]:
    """What matters most comes first; with graphs it is bfloat16 alone."""
    for bfloat16 in (True,) if graphs else (True, False):
        for cached in (True, False):
            for context in contexts:
                yield bfloat16, cached, context


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what the command line asks for."""
    asked = _parser().parse_args(arguments)
    if asked.prepare:
        print(prepare())
        return
    if asked.to is None:
        raise SystemExit("name a folder for the results with --to")
    run = Run(asked)
    most_s = 0.2 if asked.small else math.inf
    run.part("parity", lambda: parity(run.device, asked.golden, most_s))
    run.part("phrases", lambda: phrases_parity(run.device, asked.golden, most_s))
    run.part("steps", lambda: run.steps(graphs=False))
    if not asked.no_graphs:
        run.part("parity_graphs", lambda: parity(run.device, asked.golden, most_s, graphs=True))
        run.part(
            "phrases_graphs",
            lambda: phrases_parity(run.device, asked.golden, most_s, graphs=True),
        )
        run.part("steps_graphs", lambda: run.steps(graphs=True))
    run.part("steps_phrases", run.steps_phrases)
    run.part("offline", run.offline)
    run.part("paced", run.paced)
    run.part("profile", run.profile)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--prepare", action="store_true", help="write the golden model, and end")
    parser.add_argument("--to", type=Path, metavar="FOLDER", help="for results.json")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--small", action="store_true", help="a tiny model, few streams, seconds")
    parser.add_argument("--no-graphs", action="store_true", help="launch kernel by kernel")
    parser.add_argument("--minutes", type=float, default=_MINUTES, help="default: %(default)s")
    parser.add_argument("--paced-s", type=float, default=60.0, help="by context (%(default)s)")
    parser.add_argument("--golden", type=Path, default=PREPARED, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    main()
