"""What half the bits cost: words and tokens of torch's precisions, against float32, by context.

python -m benchmarks.accuracy.precision SPEECH [--context 5-0.5-0.5] [--limit N] [--device cuda]

SPEECH is as for `contexts`. Windows in bfloat16, and cached streams in bfloat16 with keys and
values in bfloat16 and in 8 bits, are compared with the same in float32: the word error rate of
each, and how many of float32's tokens are the same. Needs the extra `torch` and the dependency
group `bench`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from benchmarks.accuracy.decoding import decode
from benchmarks.accuracy.scores import WordErrors, word_errors
from benchmarks.models.contexts import checked_name
from benchmarks.report.machine import machine, machine_table
from benchmarks.report.tables import percent, progress, table
from benchmarks.speech.corpora import Utterance, digit_strings, read_utterances
from parakeet_streaming import Recognizer, Transcript, load

CONTEXTS: Final = ("10-2-2", "5-0.5-0.5", "2-0.25-0.25")
CASES: Final = {
    "windows, float32": ("auto", "auto", False),
    "windows, bfloat16": ("bf16", "auto", False),
    "cached, float32": ("auto", "auto", True),
    "cached, float32, keys and values in 8 bits": ("auto", "int8", True),
    "cached, bfloat16": ("bf16", "auto", True),
    "cached, bfloat16, keys and values in 8 bits": ("bf16", "int8", True),
}
"""Precision, keys and values, and whether streams are cached. Of each mode float32 comes first."""


@dataclass(frozen=True)
class Cost:
    """One case in one context."""

    context: str
    case: str
    words: WordErrors
    tokens: WordErrors
    """Tokens of float32 in the same mode, and how many of them came out differently."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what the command line asks for."""
    asked = _parser().parse_args(arguments)
    recorded = read_utterances(asked.speech, asked.list, asked.limit)
    said = recorded + digit_strings(recorded, asked.seed)
    print(machine_table(), flush=True)
    recognizers = recognizers_of(asked.model, asked.device, asked.threads)
    name, runs_on = recognizers["auto", "auto"].name, recognizers["bf16", "auto"].runs_on
    print(f"\nModel `{name}` on {runs_on}, list `{asked.list}`, {len(said)} utterances.\n")
    costs = [
        each
        for context in asked.context or CONTEXTS
        for each in compare(recognizers, context, said)
    ]
    print(cost_table(costs))
    if asked.json is not None:
        origin = {"machine": asdict(machine()), "model": name, "list": asked.list}
        found = {"costs": [asdict(each) for each in costs]}
        asked.json.write_text(json.dumps(origin | found, indent=1) + "\n", encoding="utf-8")


def recognizers_of(
    model: str, device: str, threads: int | None
) -> dict[tuple[str, str], Recognizer]:
    """By precision, and by what keys and values are kept in."""
    return {
        (precision, kept): load(
            model,
            runtime="torch",
            device=device,
            precision=precision,
            kv_cache=kept,
            threads=threads,
        )
        for precision, kept, _ in CASES.values()
    }


def compare(
    recognizers: dict[tuple[str, str], Recognizer], context: str, said: Sequence[Utterance]
) -> list[Cost]:
    """Decodes everything in each case."""
    words = dict.fromkeys(CASES, WordErrors())
    tokens = dict.fromkeys(CASES, WordErrors())
    for utterance in progress(said, context):
        in_float32: dict[bool, str] = {}
        for case, (precision, kept, cached) in CASES.items():
            recognizer = recognizers[precision, kept]
            heard = decode(recognizer, context, utterance.samples, cached=cached).transcript
            ids = _ids(heard)
            words[case] += word_errors(utterance.text, heard.text)
            tokens[case] += word_errors(in_float32.setdefault(cached, ids), ids)
    return [Cost(context, case, words[case], tokens[case]) for case in CASES]


def cost_table(costs: Sequence[Cost]) -> str:
    """One row per case and context."""
    rows = [
        (
            f"`{each.context}`",
            each.case,
            percent(each.words.rate),
            f"{1 - (each.tokens.rate or 0.0):.2%}",
        )
        for each in costs
    ]
    return table(("context", "streams", "WER", "float32's tokens that are the same"), rows)


def _ids(transcript: Transcript) -> str:
    return " ".join(str(token.id) for token in transcript.tokens)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("speech", type=Path, help="folder with recordings and a list of them")
    add("--list", default="dev.jsonl", help="the list (default: %(default)s)")
    add("--model", default="tiny-en", help="folder, name or hub id (default: %(default)s)")
    add(
        "--context",
        action="append",
        type=checked_name,
        help=f"a preset or left-chunk-right; can be repeated (default: {', '.join(CONTEXTS)})",
    )
    add("--limit", type=int, help="only the first N recordings of each corpus")
    add("--seed", type=int, default=0, help="of the order of digits in strings")
    add("--device", default="cpu", help="as in `load` (default: %(default)s)")
    add("--threads", type=int, help="of torch (default: one per core)")
    add("--json", type=Path, metavar="FILE", help="also write all numbers there")
    return parser


if __name__ == "__main__":
    main()
