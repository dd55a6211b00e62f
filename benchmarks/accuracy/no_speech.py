"""Sound in which nobody speaks: what is written of it without phrases, and with many.

python -m benchmarks.accuracy.no_speech [--minutes 60] [--phrases 1000] [--model tiny-en]

As many minutes each of silence, noise, hum, tones and music, in pieces of one minute: noise from
white to brown, all at levels of their own from -60 to -10 dB of full scale, drawn from a seed.
Each piece is decoded as a whole and as a stream of three presets, without voice activity, which
would keep most of it from the model. The phrases are words of this repository's own pages. Needs
the dependency groups `bench` and `training`, whose sounds these are.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from benchmarks.accuracy.boosting import false_phrases
from benchmarks.report.machine import machine_table
from benchmarks.report.tables import progress, table
from parakeet_streaming import Boosting, ContextConfig, Recognizer, load
from parakeet_streaming.boosting.phrases import checked_phrases
from parakeet_streaming.ports import Floats
from parakeet_streaming.results import Final as FinalEvent
from parakeet_streaming.timeline import seconds_to_samples
from training.noises import KINDS, at_level

_SEED: Final = 20
_PIECE_S: Final = 60.0
_LEVELS_DB: Final = (-60.0, -10.0)
_CONTEXTS: Final = (None, "10-2-2", "5-0.5-0.5", "2-0.25-0.25")


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what the command line asks for."""
    asked = _parser().parse_args(arguments)
    recognizer = load(asked.model)
    phrases = Boosting(checked_phrases(false_phrases((), asked.phrases)))
    each = max(1, round(asked.minutes / (len(KINDS) + 1)))
    print(machine_table(), flush=True)
    print(
        f"\nModel `{recognizer.name}`, {each} minutes of each sound, {len(phrases.phrases)} "
        "phrases; words that were written.\n",
        flush=True,
    )
    words: Counter[tuple[str, str]] = Counter()
    pieces = list(sounds(each))
    for name, samples in progress(pieces, "minutes"):
        for column, text in written(recognizer, samples, phrases):
            words[name, column] += len(text.split())
    columns = [f"{context or 'whole'}{how}" for how in ("", ", phrases") for context in _CONTEXTS]
    rows = [[name, *(words[name, column] for column in columns)] for name in ("silence", *KINDS)]
    print(table(["sound", *columns], rows))


def sounds(minutes: int) -> Iterator[tuple[str, Floats]]:
    """So many pieces of each sound, with its name."""
    count = seconds_to_samples(_PIECE_S)
    generator = np.random.default_rng(_SEED)
    for _ in range(minutes):
        yield "silence", np.zeros(count, np.float32)
        for name, made in KINDS.items():
            level = 10 ** (generator.uniform(*_LEVELS_DB) / 20)
            yield name, np.clip(at_level(made(count, generator), level), -1, 1)


def written(
    recognizer: Recognizer, samples: Floats, phrases: Boosting
) -> Iterator[tuple[str, str]]:
    """The text by context, without the phrases and with them."""
    for how, chosen in (("", None), (", phrases", phrases)):
        for context in _CONTEXTS:
            if context is None:
                text = recognizer.transcribe(samples, phrases=chosen).text
            else:
                stream = recognizer.stream(ContextConfig.parse(context), phrases=chosen)
                stream.feed(samples)
                last = stream.finish()[-1]
                assert isinstance(last, FinalEvent), "a stream ends with its last utterance"
                text = last.transcript.text
            yield f"{context or 'whole'}{how}", text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60, help="of all sounds together")
    parser.add_argument("--phrases", type=int, default=1_000, help="how many (default: 1000)")
    parser.add_argument("--model", default="tiny-en", help="as in `load` (default: %(default)s)")
    return parser


if __name__ == "__main__":
    main()
