"""Word error rate of two models on the same speech: by corpus, context and mode, side by side.

python -m benchmarks.accuracy.before_after SPEECH --before FOLDER --after FOLDER

Both folders have a cached encoder (`parakeet export MODEL --to FOLDER --streaming cached`), which
serves both modes. SPEECH is as for `contexts`. Needs the dependency group `bench`. The two models
run beside each other, on one core each, so no times are told.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.accuracy.decoding import decode
from benchmarks.accuracy.scores import WordErrors, total, word_errors
from benchmarks.models.contexts import OFFLINE, checked_name
from benchmarks.report.machine import machine, machine_table
from benchmarks.report.tables import percent, progress, table
from benchmarks.speech.corpora import DIGIT_STRINGS, Utterance, digit_strings, read_utterances
from parakeet_streaming import Recognizer, load

ALL = "all recordings"
CONTEXTS = (OFFLINE, "10-2-2", "5-0.5-0.5", "2-0.25-0.25")
LISTS = ("dev.jsonl", "dev-2.jsonl")


@dataclass(frozen=True, order=True)
class Column:
    """A way to decode."""

    context: str
    cached: bool

    @property
    def title(self) -> str:
        return f"{self.context} cached" if self.cached else self.context


@dataclass(frozen=True)
class Errors:
    """Of one model in one way, by corpus; `ALL` has no digit strings."""

    column: Column
    by_corpus: dict[str, WordErrors]


def columns(contexts: Sequence[str]) -> list[Column]:
    """Each context in both modes; offline is one window in either."""
    return [
        Column(context, cached)
        for context in contexts
        for cached in ((False,) if context == OFFLINE else (False, True))
    ]


def judge(recognizer: Recognizer, column: Column, said: Sequence[Utterance], name: str) -> Errors:
    """Decodes everything in one way."""
    found: dict[str, list[WordErrors]] = {}
    for utterance in progress(said, f"{name}, {column.title}"):
        decoded = decode(recognizer, column.context, utterance.samples, cached=column.cached)
        errors = word_errors(utterance.text, decoded.transcript.text)
        found.setdefault(utterance.corpus, []).append(errors)
    by_corpus = {corpus: total(each) for corpus, each in found.items()}
    recorded = total(each for corpus, each in by_corpus.items() if corpus != DIGIT_STRINGS)
    return Errors(column, by_corpus | {ALL: recorded})


def wer_table(before: Sequence[Errors], after: Sequence[Errors]) -> str:
    """One row per corpus, and for each way the rate before and after."""
    corpora = list(before[0].by_corpus) if before else []
    rows = [
        (
            corpus,
            before[0].by_corpus[corpus].words,
            *(
                f"{_bare(old.by_corpus[corpus])} → {percent(new.by_corpus[corpus].rate)}"
                for old, new in zip(before, after, strict=True)
            ),
        )
        for corpus in corpora
    ]
    return table(("WER", "words", *(each.column.title for each in before)), rows)


def _bare(errors: WordErrors) -> str:
    return percent(errors.rate).removesuffix(" %")


def _judged(task: tuple[str, str, argparse.Namespace]) -> list[Errors]:
    name, model, asked = task
    said = _utterances(asked)
    recognizer = load(model, precision=asked.precision, threads=1)
    return [judge(recognizer, column, said, name) for column in columns(asked.context or CONTEXTS)]


def _utterances(asked: argparse.Namespace) -> list[Utterance]:
    recorded = [
        utterance
        for listing in asked.list or LISTS
        for utterance in read_utterances(asked.speech, listing, asked.limit)
    ]
    return recorded + digit_strings(recorded, asked.seed)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what the command line asks for."""
    asked = _parser().parse_args(arguments)
    print(machine_table(), flush=True)
    tasks = [("before", asked.before, asked), ("after", asked.after, asked)]
    with ProcessPoolExecutor(len(tasks)) as pool:
        before, after = pool.map(_judged, tasks)
    print(f"\n`{asked.before}` → `{asked.after}`, {asked.precision}\n\n{wer_table(before, after)}")
    if asked.json is not None:
        found = {
            "machine": asdict(machine()),
            "before": [asdict(each) for each in before],
            "after": [asdict(each) for each in after],
        }
        asked.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("speech", type=Path, help="folder with recordings and lists of them")
    parser.add_argument("--before", required=True, metavar="FOLDER", help="a model")
    parser.add_argument("--after", required=True, metavar="FOLDER", help="the other")
    parser.add_argument(
        "--list", action="append", help=f"can be repeated (default: {' and '.join(LISTS)})"
    )
    parser.add_argument(
        "--context",
        action="append",
        type=checked_name,
        help=f"can be repeated (default: {', '.join(CONTEXTS)})",
    )
    parser.add_argument("--limit", type=int, help="only the first N recordings of each corpus")
    parser.add_argument("--seed", type=int, default=0, help="of the order of digits in strings")
    parser.add_argument("--precision", default="auto", help="as in `load` (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all numbers there")
    return parser


if __name__ == "__main__":
    main()
