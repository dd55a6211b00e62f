"""Word error rate, delay and speed of a model on labelled speech, by context and corpus.

python -m benchmarks.accuracy.contexts SPEECH [--context balanced] [--json FILE]
python -m benchmarks.accuracy.contexts SPEECH --stall-guard

SPEECH is a folder with a list of recordings, one JSON object per line: `audio` (a path within the
folder), `text`, `speaker`, `corpus`. Needs the dependency group `bench`. Tables go to standard
output, progress to standard error.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

from benchmarks.accuracy.decoding import decode
from benchmarks.accuracy.scores import (
    Delays,
    WordErrors,
    add_delays,
    median_and_late,
    total,
    word_errors,
)
from benchmarks.accuracy.stall_guard import guard_table, study, verdict
from benchmarks.models.contexts import OFFLINE, checked_name, in_code
from benchmarks.report.machine import machine, machine_table
from benchmarks.report.tables import percent, progress, table
from benchmarks.speech.corpora import Utterance, digit_strings, read_utterances
from parakeet_streaming import ContextConfig, Recognizer, StallGuard, load
from parakeet_streaming.timeline import PRESETS

ALL = "all recordings"


@dataclass(frozen=True)
class ContextResult:
    """How a model did in one context."""

    context: str
    errors: dict[str, WordErrors]
    """By corpus; `ALL` has no digit strings, which are made of recordings counted already."""
    delays: Delays
    audio_s: float
    processing_s: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what the command line asks for."""
    asked = _parser().parse_args(arguments)
    recorded = read_utterances(asked.speech, asked.list, asked.limit)
    made = digit_strings(recorded, asked.seed)
    said = recorded + made
    print(machine_table(), flush=True)
    minutes = sum(each.duration_s for each in recorded) / 60
    print(
        f"\nModel `{asked.model}`, {asked.precision}, list `{asked.list}`: {len(recorded)} "
        f"recordings of {minutes:.1f} min, and {len(made)} digit strings made of them.\n",
        flush=True,
    )
    contexts = asked.context or [OFFLINE, *reversed(PRESETS)]
    report = _compare_guards(asked, contexts, said) if asked.stall_guard else {}
    if not asked.stall_guard:
        recognizer = load(
            asked.model, precision=asked.precision, runtime=asked.runtime, threads=asked.threads
        )
        results = [measure(recognizer, context, recorded, made) for context in contexts]
        print(f"{wer_table(results)}\n\n{delay_table(results)}")
        report = {"contexts": [asdict(result) for result in results]}
    if asked.json is not None:
        origin = {"machine": asdict(machine()), "model": asked.model, "list": asked.list}
        asked.json.write_text(json.dumps(origin | report, indent=1) + "\n", encoding="utf-8")


def measure(
    recognizer: Recognizer, context: str, recorded: Sequence[Utterance], made: Sequence[Utterance]
) -> ContextResult:
    """Decodes everything in one context."""
    by_corpus: dict[str, list[WordErrors]] = {}
    delays = Delays()
    processing_s = 0.0
    said = [*recorded, *made]
    for utterance in progress(said, context):
        decoded = decode(recognizer, context, utterance.samples)
        found = word_errors(utterance.text, decoded.transcript.text)
        by_corpus.setdefault(utterance.corpus, []).append(found)
        processing_s += decoded.processing_s
        add_delays(delays, decoded.steps)
    errors = {corpus: total(each) for corpus, each in by_corpus.items()}
    names = dict.fromkeys(each.corpus for each in recorded)
    overall = {ALL: total(errors[name] for name in names)}
    audio_s = sum(each.duration_s for each in said)
    return ContextResult(context, errors | overall, delays, audio_s, processing_s)


def wer_table(results: Sequence[ContextResult]) -> str:
    """Word error rates, context by corpus."""
    corpora = list(results[0].errors) if results else []
    rows = [
        (in_code(result.context), *(percent(result.errors[name].rate) for name in corpora))
        for result in results
    ]
    return table(("WER", *corpora), rows)


def delay_table(results: Sequence[ContextResult]) -> str:
    """Delays of words, and speed."""
    rows = []
    for result in results:
        shown = median_and_late(result.delays.shown_s)
        committed = median_and_late(result.delays.committed_s)
        rows.append(
            (
                in_code(result.context),
                _latency(result.context),
                len(result.delays.committed_s),
                *(_seconds(each) for each in (*shown, *committed)),
                f"{result.audio_s / result.processing_s:.0f}" if result.processing_s else "–",
            )
        )
    head = (
        "delay of words", "latency", "words", "shown: median", "95 %", "committed: median", "95 %",
        "RTFx",
    )  # fmt: skip
    return table(head, rows)


def _compare_guards(
    asked: argparse.Namespace, contexts: Sequence[str], said: Sequence[Utterance]
) -> dict[str, object]:
    guards = [
        StallGuard(min_speech_s=speech_s, min_confidence=confidence)
        for speech_s, confidence in product(asked.min_speech_s, asked.min_confidence)
    ]
    trials = study(asked.model, contexts, guards, said, asked.threads)
    print(f"{guard_table(trials)}\n\n{verdict(trials)}")
    return {"stall_guard": [asdict(trial) for trial in trials]}


def _latency(context: str) -> str:
    return "–" if context == OFFLINE else _seconds(ContextConfig.parse(context).latency_s)


def _seconds(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.2f} s"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("speech", type=Path, help="folder with recordings and a list of them")
    parser.add_argument("--list", default="dev.jsonl", help="the list (default: %(default)s)")
    parser.add_argument(
        "--model", default="tiny-en", help="folder, name or hub id (default: %(default)s)"
    )
    parser.add_argument(
        "--context",
        action="append",
        type=checked_name,
        help=f"{OFFLINE}, a preset or left-chunk-right in seconds; can be repeated (default: "
        f"{OFFLINE} and every preset)",
    )
    parser.add_argument("--limit", type=int, help="only the first N recordings of each corpus")
    parser.add_argument("--seed", type=int, default=0, help="of the order of digits in strings")
    parser.add_argument("--precision", default="auto", help="as in `load` (default: %(default)s)")
    parser.add_argument("--runtime", default="auto", help="as in `load` (default: %(default)s)")
    parser.add_argument("--threads", type=int, help="of the encoder (default: one per core)")
    parser.add_argument(
        "--stall-guard", action="store_true", help="compare the stall guard with none instead"
    )
    guard, compared = StallGuard(), "settings of the guard to compare (default: its own)"
    for name, own in (("speech-s", guard.min_speech_s), ("confidence", guard.min_confidence)):
        parser.add_argument(f"--min-{name}", type=float, nargs="+", default=[own], help=compared)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all numbers there")
    return parser


if __name__ == "__main__":
    main()
