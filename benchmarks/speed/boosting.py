"""What phrases cost in steps of many streams.

python -m benchmarks.speed.boosting RECORDING [--streams 32] [--phrases 5000] [--context balanced]

All streams hear the recording, each from another moment on. Half the steps are of streams without
phrases, half of streams that share a list; they take turns, and processor time is counted. On a
busy machine that differs from step to step by more than phrases cost, so the part of a step that
names tokens with phrases is counted, too. The list is drawn from this repository's own pages.
"""

from __future__ import annotations

import argparse
import random
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.report.machine import machine_table
from parakeet_streaming import Boosting, ContextConfig, Recognizer, Stream, load, read_audio
from parakeet_streaming.boosting.phrases import checked_phrases
from parakeet_streaming.model import biased_choice, label_looping
from parakeet_streaming.model.biased_choice import Emitting
from parakeet_streaming.model.decoder_row import Choice
from parakeet_streaming.ports import Floats

_PAGES: Final = Path(__file__).parents[2] / "docs"
_SEED: Final = 20


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what the command line asks for."""
    asked = _parser().parse_args(arguments)
    recognizer = load(asked.model, threads=1)
    begun_s = time.process_time()
    chosen = Boosting(checked_phrases(phrases(asked.phrases)), asked.boost)
    recognizer.stream(phrases=chosen)
    compiled_s = time.process_time() - begun_s
    audio = read_audio(asked.recording)
    naming = Naming()
    plain_s, boosted_s, tokens = measure(recognizer, audio, asked, chosen)
    print(machine_table())
    print(
        f"\nModel `{recognizer.name}`, {asked.streams} streams, {asked.context}, "
        f"{len(chosen.phrases)} phrases (compiled in {compiled_s:.2f} s), {len(plain_s)} steps, "
        f"{tokens} tokens.\n\nProcessor time of a step: {1000 * np.mean(plain_s):.1f} ms without "
        f"phrases, {1000 * np.mean(boosted_s):.1f} ms with them; the median of the ratios is "
        f"{np.median(np.array(boosted_s) / np.array(plain_s)) - 1:+.1%}. Naming tokens with "
        f"phrases takes {1000 * naming.taken_s / len(boosted_s):.2f} ms of a step, in "
        f"{naming.calls / len(boosted_s):.1f} calls: {naming.taken_s / sum(boosted_s):.2%}."
    )


class Naming:
    """Counts what is computed only for streams with phrases."""

    def __init__(self) -> None:
        self.taken_s = 0.0
        self.calls = 0
        self._choose = biased_choice.choose
        vars(label_looping)["choose"] = self.choose

    def choose(
        self, emitting: Sequence[Emitting], logits: Floats, blank_id: int
    ) -> dict[int, Choice]:
        """As `biased_choice.choose`."""
        begun_s = time.thread_time()
        found = self._choose(emitting, logits, blank_id)
        self.taken_s += time.thread_time() - begun_s
        self.calls += 1
        return found


def measure(
    recognizer: Recognizer,
    audio: NDArray[np.float32],
    asked: argparse.Namespace,
    chosen: Boosting,
) -> tuple[list[float], list[float], int]:
    """Processor times of steps without and with phrases, and how many tokens were told."""
    context = ContextConfig.parse(asked.context)
    both = [
        [recognizer.stream(context, phrases=each) for _ in range(asked.streams)]
        for each in (None, chosen)
    ]
    for streams in both:
        for number, stream in enumerate(streams):
            stream.push(np.roll(audio, number * 7_919))
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(asked.steps):
        if not all(stream.ready for streams in both for stream in streams):
            break
        for streams, taken in zip(both, times, strict=True):
            taken.append(_step_s(recognizer, streams))
    return *times, sum(len(stream.tokens) for stream in both[1])


def phrases(count: int) -> list[str]:
    """Words, and pairs of words, of our own pages."""
    texts = (page.read_text(encoding="utf-8").lower() for page in sorted(_PAGES.glob("*.md")))
    words = sorted({word for text in texts for word in re.findall(r"[a-z]{5,14}", text)})
    draw = random.Random(_SEED)
    pairs = (" ".join(draw.sample(words, 2)) for _ in range(2 * count))
    return list(dict.fromkeys([*draw.sample(words, min(count // 2, len(words))), *pairs]))[:count]


def _step_s(recognizer: Recognizer, streams: list[Stream]) -> float:
    begun_s = time.process_time()
    recognizer.step(streams)
    return time.process_time() - begun_s


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recording", help="half a minute of speech or more")
    parser.add_argument("--model", default="tiny-en", help="as in `load` (default: %(default)s)")
    parser.add_argument("--streams", type=int, default=32)
    parser.add_argument("--phrases", type=int, default=5_000)
    parser.add_argument("--boost", type=float, default=1.0)
    parser.add_argument("--context", default="balanced")
    parser.add_argument("--steps", type=int, default=40)
    return parser


if __name__ == "__main__":
    main()
