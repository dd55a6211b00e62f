"""Cached streaming compared with window mode: tokens, words and cost, by context.

python -m benchmarks.accuracy.cached SPEECH --model FOLDER [--context balanced] [--json FILE]

FOLDER is a model with a cached encoder (`parakeet export MODEL --to FOLDER --streaming cached`),
which serves both modes. SPEECH is as for `contexts`. Needs the dependency group `bench`. A
single long recording shows a left context that is full; short ones hardly have any.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.accuracy.decoding import decode
from benchmarks.accuracy.scores import WordErrors, word_errors
from benchmarks.models.contexts import OFFLINE, checked_name
from benchmarks.report.machine import machine, machine_table
from benchmarks.report.tables import percent, progress, table
from benchmarks.speech.corpora import Utterance, digit_strings, read_utterances
from parakeet_streaming import Recognizer, Transcript, load
from parakeet_streaming.timeline import PRESETS


@dataclass(frozen=True)
class Comparison:
    """Both modes in one context."""

    context: str
    window: WordErrors
    cached: WordErrors
    tokens: WordErrors
    """Tokens of the window's text, and how many of them cached mode changed."""
    window_s: float
    cached_s: float
    audio_s: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what the command line asks for."""
    asked = _parser().parse_args(arguments)
    recorded = read_utterances(asked.speech, asked.list, asked.limit)
    said = recorded + digit_strings(recorded, asked.seed)
    recognizer = load(
        asked.model,
        precision=asked.precision,
        runtime=asked.runtime,
        threads=asked.threads,
        kv_cache=asked.kv_cache,
    )
    print(machine_table(), flush=True)
    print(
        f"\nModel `{recognizer.name}` on {recognizer.runs_on}, {asked.precision}, list "
        f"`{asked.list}`, {len(said)} utterances.\n",
        flush=True,
    )
    offline = WordErrors()
    for utterance in progress(said, OFFLINE):
        decoded = decode(recognizer, OFFLINE, utterance.samples)
        offline += word_errors(utterance.text, decoded.transcript.text)
    contexts = asked.context or list(reversed(PRESETS))
    results = [compare(recognizer, context, said) for context in contexts]
    print(f"Offline: WER {percent(offline.rate)}.\n\n{comparison_table(results)}")
    if asked.json is not None:
        origin = {"machine": asdict(machine()), "model": recognizer.name, "list": asked.list}
        found = {"offline": asdict(offline), "contexts": [asdict(result) for result in results]}
        asked.json.write_text(json.dumps(origin | found, indent=1) + "\n", encoding="utf-8")


def compare(recognizer: Recognizer, context: str, said: Sequence[Utterance]) -> Comparison:
    """Decodes everything in both modes."""
    window, cached, tokens = WordErrors(), WordErrors(), WordErrors()
    window_s = cached_s = 0.0
    for utterance in progress(said, context):
        whole = decode(recognizer, context, utterance.samples)
        kept = decode(recognizer, context, utterance.samples, cached=True)
        window += word_errors(utterance.text, whole.transcript.text)
        cached += word_errors(utterance.text, kept.transcript.text)
        tokens += word_errors(_ids(whole.transcript), _ids(kept.transcript))
        window_s += whole.processing_s
        cached_s += kept.processing_s
    audio_s = sum(utterance.duration_s for utterance in said)
    return Comparison(context, window, cached, tokens, window_s, cached_s, audio_s)


def comparison_table(results: Sequence[Comparison]) -> str:
    """One row per context."""
    rows = [
        (
            f"`{each.context}`",
            percent(each.window.rate),
            percent(each.cached.rate),
            percent(1 - (each.tokens.rate or 0.0)),
            f"{1000 * each.window_s / each.audio_s:.1f} ms",
            f"{1000 * each.cached_s / each.audio_s:.1f} ms",
            f"{each.window_s / each.cached_s:.1f} x" if each.cached_s else "–",
        )
        for each in results
    ]
    head = (
        "context", "WER: window", "cached", "tokens alike", "cost of a second: window", "cached",
        "cheaper",
    )  # fmt: skip
    return table(head, rows)


def _ids(transcript: Transcript) -> str:
    return " ".join(str(token.id) for token in transcript.tokens)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("speech", type=Path, help="folder with recordings and a list of them")
    parser.add_argument("--list", default="dev.jsonl", help="the list (default: %(default)s)")
    parser.add_argument("--model", default="tiny-en", help="a folder with a cached encoder")
    parser.add_argument(
        "--context",
        action="append",
        type=checked_name,
        help="a preset or left-chunk-right; can be repeated (default: every preset)",
    )
    parser.add_argument("--limit", type=int, help="only the first N recordings of each corpus")
    parser.add_argument("--seed", type=int, default=0, help="of the order of digits in strings")
    parser.add_argument("--precision", default="auto", help="as in `load` (default: %(default)s)")
    parser.add_argument("--runtime", default="auto", help="as in `load` (default: %(default)s)")
    parser.add_argument("--kv-cache", default="auto", help="as in `load` (default: %(default)s)")
    parser.add_argument("--threads", type=int, help="of the encoder (default: one per core)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all numbers there")
    return parser


if __name__ == "__main__":
    main()
