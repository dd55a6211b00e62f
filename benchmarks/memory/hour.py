"""What an hour of streamed audio does to the memory of a process.

python -m benchmarks.memory.hour
python -m benchmarks.memory.hour FOLDER --minutes 10 --context offline_like

Needs the dependency group `bench`. The table goes to standard output, progress to standard error.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.memory.process import resident_mib
from benchmarks.report.machine import machine_table
from benchmarks.report.tables import progress, table
from benchmarks.speech.book import BOOK_S, looped, speech_of
from parakeet_streaming import ContextConfig, Partial, Recognizer, load
from parakeet_streaming.timeline import SAMPLE_RATE_HZ

_BLOCK_SAMPLES: Final = SAMPLE_RATE_HZ // 10
_MINUTE_SAMPLES: Final = 60 * SAMPLE_RATE_HZ
_SHOWN_MINUTES: Final = 10


@dataclass(frozen=True)
class Memory:
    """Memory at the end of one minute of audio."""

    minute: int
    """0 is the moment before the first sample."""
    resident_mib: float
    tokens: int
    """Committed so far; the stream keeps them for its transcript."""


def memory_over(
    recognizer: Recognizer, context: ContextConfig, samples: NDArray[np.float32], minutes: int
) -> list[Memory]:
    """Streams `minutes` of audio, samples (n,) at 16 kHz over and over, in blocks of 0.1 s."""
    stream = recognizer.stream(context)
    measured = [Memory(0, resident_mib(), 0)]
    tokens = 0
    for minute in progress(range(1, minutes + 1), "minutes of audio"):
        minute_start = (minute - 1) * _MINUTE_SAMPLES
        for start in range(minute_start, minute_start + _MINUTE_SAMPLES, _BLOCK_SAMPLES):
            events = stream.feed(looped(samples, start, _BLOCK_SAMPLES))
            tokens += sum(len(event.tokens) for event in events if isinstance(event, Partial))
        measured.append(Memory(minute, resident_mib(), tokens))
    return measured


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what the command line asks for."""
    asked = _parser().parse_args(arguments)
    print(f"{machine_table()}\n", flush=True)
    context = ContextConfig.parse(asked.context)
    recognizer = load(asked.model, threads=asked.threads)
    measured = memory_over(recognizer, context, speech_of(BOOK_S), asked.minutes)
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("model", nargs="?", default="tiny-en", help="folder, name or hub id (default: %(default)s)")
    add("--context", default="balanced", help="preset or left-chunk-right (default: %(default)s)")
    add("--minutes", type=int, default=60, help="of audio (default: %(default)s)")
    add("--threads", type=int, help="of the encoder (default: one per core)")
    return parser


if __name__ == "__main__":
    main()
