"""The time of a step, of one stream and of many, and of whole recordings.

python -m benchmarks.speed.step                                 the built-in model, whole windows
python -m benchmarks.speed.step FOLDER --cached --runs 20       a model with a cached encoder
python -m benchmarks.speed.step --serve                         for `before_after`

Steps are those of streams whose left contexts are full, tentative text included, each stream at
another place of a book. Each case runs many times, in turn with the others; the least and the
median are shown.

With `--serve` it prints the names of its cases as JSON, then runs the case of each line that comes
in, and prints its seconds. It uses the package's public names only, and few of them:
`before_after.py` runs this very file under other versions of the package.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Final

from benchmarks.report.tables import progress, table
from benchmarks.speech.book import BOOK_S, looped, speech_of
from parakeet_streaming import ContextConfig, Recognizer, load

CONTEXTS: Final = ("10-2-2", "5-0.5-0.5", "2-0.25-0.25")
STREAMS: Final = (1, 32)
RECORDINGS_S: Final = (10.0, 60.0)
_FRAME_SAMPLES: Final = 1_280
_APART_SAMPLES: Final = 59_200


class SteppedStreams:
    """Streams of one context that take all their steps together."""

    def __init__(self, recognizer: Recognizer, context: str, count: int, *, cached: bool) -> None:
        config = ContextConfig.parse(context)
        self._left, self._chunk, self._right = (
            _FRAME_SAMPLES * math.floor(each / 0.08 + 1e-6)
            for each in (config.left, config.chunk, config.right)
        )
        self._recognizer = recognizer
        self._streams = [recognizer.stream(config, cached=cached) for _ in range(count)]
        self._book = speech_of(BOOK_S)
        self._steps = self._pushed = 0

    def fill(self) -> None:
        """Steps until the left contexts are full, and one of full length, not timed."""
        for _ in range(self._left // self._chunk + 2):
            self.step_s()

    def step_s(self) -> float:
        """The seconds of one more step."""
        self._steps += 1
        # A window needs one sample beyond its right context.
        needed = self._steps * self._chunk + self._right + 1
        for at, stream in enumerate(self._streams):
            start = at * _APART_SAMPLES + self._pushed
            stream.push(looped(self._book, start, needed - self._pushed))
        self._pushed = needed
        started_s = time.perf_counter()
        self._recognizer.step(self._streams)
        return time.perf_counter() - started_s


def cases(
    recognizer: Recognizer,
    contexts: Sequence[str],
    streams: Sequence[int],
    recordings_s: Sequence[float],
    *,
    cached: bool,
) -> dict[str, Callable[[], float]]:
    """By name, what runs a case once and gives its seconds."""
    found: dict[str, Callable[[], float]] = {}
    for context in contexts:
        for count in streams:
            stepped = SteppedStreams(recognizer, context, count, cached=cached)
            stepped.fill()
            found[f"step, {count} x {context}{', cached' if cached else ''}"] = stepped.step_s
    for seconds in recordings_s:
        found[f"recording, {seconds:g} s"] = _recording(recognizer, seconds)
    return found


def _recording(recognizer: Recognizer, seconds: float) -> Callable[[], float]:
    speech = speech_of(seconds)

    def run() -> float:
        started_s = time.perf_counter()
        recognizer.transcribe(speech)
        return time.perf_counter() - started_s

    run()
    return run


def measured(found: dict[str, Callable[[], float]], runs: int) -> dict[str, dict[str, float]]:
    """The least and the median seconds of each case."""
    took: dict[str, list[float]] = {name: [] for name in found}
    for _ in progress(range(runs), "runs of every case"):
        for name, run in found.items():
            took[name].append(run())
    return {
        name: {"least_s": min(each), "median_s": statistics.median(each)}
        for name, each in took.items()
    }


def serve(found: dict[str, Callable[[], float]]) -> None:
    """Runs the cases that lines of standard input name."""
    print(json.dumps(list(found)), flush=True)
    for line in sys.stdin:
        print(found[line.strip()](), flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what the command line asks for."""
    asked = _parser().parse_args(arguments)
    recognizer = load(asked.model, runtime=asked.runtime, threads=asked.threads)
    found = cases(recognizer, asked.context, asked.streams, asked.recording_s, cached=asked.cached)
    if asked.serve:
        serve(found)
        return
    times = measured(found, asked.runs)
    rows = [
        (name, f"{1000 * each['least_s']:.2f} ms", f"{1000 * each['median_s']:.2f} ms")
        for name, each in times.items()
    ]
    print(table((f"`{asked.model}`, {asked.runs} runs", "least", "median"), rows))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("model", nargs="?", default="tiny-en", help="folder, name or hub id (default: %(default)s)")
    add("--context", nargs="+", default=CONTEXTS, help=f"default: {' '.join(CONTEXTS)}")
    add("--streams", type=int, nargs="+", default=STREAMS, metavar="N", help="default: 1 32")
    add(
        "--recording-s",
        type=float,
        nargs="*",
        default=RECORDINGS_S,
        metavar="S",
        help="lengths of whole recordings (default: 10 60)",
    )
    add("--cached", action="store_true", help="cached streams; the model must have such an encoder")
    add("--runs", type=int, default=20, help="of each case (default: %(default)s)")
    add("--runtime", default="onnxruntime", help="as in `load` (default: %(default)s)")
    add("--threads", type=int, help="of the encoder (default: one per core)")
    add("--serve", action="store_true", help="run what lines of standard input name")
    return parser


if __name__ == "__main__":
    main()
