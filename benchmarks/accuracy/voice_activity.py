"""What voice activity changes in the text, and what it saves, on recordings and on sparse speech.

python -m benchmarks.accuracy.voice_activity SPEECH       every recording of the list, and an hour
python -m benchmarks.accuracy.voice_activity SPEECH --limit 20 --sparse-minutes 5 --json vad.json

SPEECH is a folder with a list of recordings, as for `contexts`. Everything is decoded twice by a
live engine in a context that does not change: with voice activity and without (`vad_effect.py` has
the rules). Sparse speech is made of the same recordings, some seconds of made room noise before
each, and noise under all of it.

Needs the dependency group `bench`. Tables go to standard output, progress to standard error.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from benchmarks.accuracy.vad_effect import Decoder, Effect, measure
from benchmarks.report.machine import machine, machine_table
from benchmarks.report.tables import percent, table
from benchmarks.speech.corpora import read_utterances
from benchmarks.speech.sparse import Recording, sparse
from parakeet_streaming import ContextConfig, VadOptions, load, load_vad

SPARSE: Final = "sparse speech"


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what the command line asks for."""
    asked = _parser().parse_args(arguments)
    print(f"{machine_table()}\n", flush=True)
    utterances = read_utterances(asked.speech, asked.list, asked.limit)
    recognizer = load(asked.model, threads=asked.threads)
    context = ContextConfig.parse(asked.context)
    decoder = Decoder(recognizer, load_vad(), context, VadOptions())
    effects = []
    for corpus in dict.fromkeys(each.corpus for each in utterances):
        of_it = [Recording(each.samples, each.text) for each in utterances if each.corpus == corpus]
        effects.append(measure(corpus, of_it, decoder))
    if asked.sparse_minutes:
        made = sparse(utterances, 60 * asked.sparse_minutes, asked.seed)
        effects.append(measure(SPARSE, [made], decoder))
    print(f"`{asked.model}`, list `{asked.list}`, context {context}.\n")
    print(f"{text_table(effects)}\n\n{saving_table(effects)}")
    if asked.json is not None:
        origin = {"machine": asdict(machine()), "model": asked.model, "context": str(context)}
        report = origin | {"effects": [asdict(each) | {"saved": each.saved} for each in effects]}
        asked.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def text_table(effects: Sequence[Effect]) -> str:
    """What became of the text."""
    head = (
        "text", "recordings", "minutes", "tokens", "equal recordings",
        "tokens that differ in speech", "in speech after something made up", "in pauses",
        "WER without", "with",
    )  # fmt: skip
    rows = [
        (
            each.name,
            each.recordings,
            f"{each.audio_s / 60:.1f}",
            each.tokens,
            each.equal,
            *(
                sum(token.where == where for token in each.differences)
                for where in ("speech", "carried", "pause")
            ),
            percent(each.errors_off.rate),
            percent(each.errors_on.rate),
        )
        for each in effects
    ]
    return table(head, rows)


def saving_table(effects: Sequence[Effect]) -> str:
    """What became of the computing."""
    head = (
        "computing", "encoder steps: without", "with", "encoder: without", "with",
        "decoder: without", "with", "voice activity", "saved",
    )  # fmt: skip
    rows = [
        (
            each.name,
            each.steps_off,
            each.steps_on,
            *(
                f"{seconds:.1f} s"
                for seconds in (
                    each.encoder_off_s,
                    each.encoder_on_s,
                    each.decoder_off_s,
                    each.decoder_on_s,
                    each.vad_s,
                )
            ),
            percent(each.saved),
        )
        for each in effects
    ]
    return table(head, rows)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("speech", type=Path, help="folder with recordings and a list of them")
    add("--list", default="dev.jsonl", help="the list (default: %(default)s)")
    add("--model", default="tiny-en", help="folder, name or hub id (default: %(default)s)")
    add("--context", default="5-0.5-0.5", help="preset or left-chunk-right (default: %(default)s)")
    add("--limit", type=int, help="only the first N recordings of each corpus")
    add("--sparse-minutes", type=float, default=60.0, help="0 for none (default: %(default)g)")
    add("--threads", type=int, help="of the encoder (default: one per core)")
    add("--seed", type=int, default=0, help="of the order, the pauses and the noise")
    add("--json", type=Path, metavar="FILE", help="also write all numbers there")
    return parser


if __name__ == "__main__":
    main()
