"""Boosting: listed words that are found, and what becomes of all others, by strength and fences.

python -m benchmarks.accuracy.boosting SPEECH [--list dev.jsonl] [--model tiny-en] [--json FILE]

SPEECH is as for `contexts`. True phrases are rare words of the references: of five letters or
more, in three utterances at most, drawn from a seed. Beside them stand nine hundred words of this
repository's own pages that no reference has. Each utterance is decoded as a whole; the encoder runs
once. Needs the dependency group `bench`.

Recall is of the listed words that were said; precision of those that were written. All other words
have a word error rate of their own.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import jiwer
import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.scores import normalised
from benchmarks.report.machine import machine_table
from benchmarks.report.tables import percent, progress, table
from benchmarks.speech.corpora import Utterance, read_utterances
from parakeet_streaming import Boosting, Recognizer, load
from parakeet_streaming.boosting.phrases import checked_phrases
from parakeet_streaming.runtime.session import Session

_SEED: Final = 20
_PAGES: Final = Path(__file__).parents[2] / "docs"
_WORD: Final = re.compile(r"[a-z]{5,14}")
_RARE: Final = 3
_SWEEP: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"window": 3.0},
    {"window": 7.0},
    {"boost": 0.5},
    {"boost": 2.0},
    {"share": 0.0},
    {"share": 2.0},
    {"other_splits": 0},
    {"window": None, "most_step": None, "share": 0.0, "cases": False, "other_splits": 0},
)
"""What differs from the defaults; the last is NeMo's rule without fences."""


@dataclass(frozen=True)
class Found:
    """Words that were said and written."""

    listed: int = 0
    """Of the references."""
    hits: int = 0
    written: int = 0
    """Listed words, false ones among them, in what was decoded."""
    missed: int = 0
    """Of the references, those that are not found without phrases."""
    gained: int = 0
    """Those of them that are found."""
    others: int = 0
    errors: int = 0
    """Of all words that are not listed."""

    def __add__(self, other: Found) -> Found:
        return Found(*(mine + its for mine, its in zip(_counts(self), _counts(other), strict=True)))

    @property
    def recall(self) -> float | None:
        return self.hits / self.listed if self.listed else None

    @property
    def precision(self) -> float | None:
        return self.hits / self.written if self.written else None

    @property
    def gain(self) -> float | None:
        """Part of the words that are missed without phrases."""
        return self.gained / self.missed if self.missed else None

    @property
    def others_rate(self) -> float | None:
        return self.errors / self.others if self.others else None


class KeptAnswers:
    """A session that computes each input once."""

    def __init__(self, session: Session) -> None:
        self.inputs = session.inputs
        self.outputs = session.outputs
        self.providers = session.providers
        self.threads = session.threads
        self._session = session
        self._known: dict[bytes, dict[str, NDArray[Any]]] = {}

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """As the session."""
        key = b"".join(feeds[name].tobytes() for name in sorted(feeds))
        if key not in self._known:
            answers = self._session.run(feeds)
            self._known[key] = {name: np.array(each) for name, each in answers.items()}
        return self._known[key]


def _kept(session: Session, role: str) -> Session:
    return KeptAnswers(session) if role == "encoder" else session


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what the command line asks for."""
    asked = _parser().parse_args(arguments)
    said = read_utterances(asked.speech, asked.list, asked.limit)
    recognizer = load(asked.model, wrap=_kept)
    true, false = true_phrases(said, asked.true), false_phrases(said, asked.false)
    if asked.others is not None:
        said = about_phrases(said, true, asked.others)
    print(machine_table(), flush=True)
    print(
        f"\nModel `{recognizer.name}`, list `{asked.list}`, {len(said)} utterances; {len(true)} "
        f"words that are said in them, and {len(false)} that are not.\n",
        flush=True,
    )
    plain = [recognizer.transcribe(each.samples).text for each in progress(said, "without")]
    results = [("without phrases", measure(said, plain, plain, (*true, *false)))]
    for changed in _SWEEP:
        chosen = replace(Boosting(checked_phrases((*true, *false))), **changed)
        name = ", ".join(f"{key} {value}" for key, value in changed.items()) or "defaults"
        texts = decoded(recognizer, said, chosen, name)
        results.append((name, measure(said, texts, plain, (*true, *false))))
        print(sweep_table(results[-1:]), flush=True)
    print(f"\n{sweep_table(results)}")
    if asked.json is not None:
        found = {name: asdict(each) for name, each in results}
        asked.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def decoded(
    recognizer: Recognizer, said: Sequence[Utterance], chosen: Boosting, name: str
) -> list[str]:
    """What is written of each utterance."""
    return [
        recognizer.transcribe(each.samples, phrases=chosen).text for each in progress(said, name)
    ]


def about_phrases(
    said: Sequence[Utterance], phrases: Iterable[str], others: int
) -> list[Utterance]:
    """The utterances in which one of the phrases is said, and so many others."""
    wanted = set(phrases)
    chosen = [each for each in said if wanted & set(normalised(each.text).split())]
    rest = [each for each in said if not wanted & set(normalised(each.text).split())]
    return chosen + random.Random(_SEED).sample(rest, min(others, len(rest)))


def true_phrases(said: Iterable[Utterance], most: int) -> list[str]:
    """Rare words of the references."""
    counts = Counter(word for each in said for word in set(normalised(each.text).split()))
    rare = sorted(
        word for word, count in counts.items() if count <= _RARE and _WORD.fullmatch(word)
    )
    return random.Random(_SEED).sample(rare, min(most, len(rare)))


def false_phrases(said: Iterable[Utterance], most: int) -> list[str]:
    """Words of our own pages that no reference has."""
    spoken = {word for each in said for word in normalised(each.text).split()}
    texts = (page.read_text(encoding="utf-8").lower() for page in sorted(_PAGES.glob("*.md")))
    words = sorted({word for text in texts for word in _WORD.findall(text)} - spoken)
    return random.Random(_SEED).sample(words, min(most, len(words)))


def measure(
    said: Sequence[Utterance], texts: Sequence[str], plain: Sequence[str], phrases: Iterable[str]
) -> Found:
    """Counts words of all utterances."""
    listed = frozenset(phrases)
    found = Found()
    for each, text, before in zip(said, texts, plain, strict=True):
        found += compare(normalised(each.text), normalised(text), normalised(before), listed)
    return found


def compare(spoken: str, text: str, before: str, listed: frozenset[str]) -> Found:
    """Counts words of one utterance; `before`: what is written without phrases."""
    hits, wrong, written = _aligned(spoken, text, listed)
    known, _, _ = _aligned(spoken, before, listed)
    words = spoken.split()
    places = [place for place, word in enumerate(words) if word in listed]
    return Found(
        listed=len(places),
        hits=sum(place in hits for place in places),
        written=written,
        missed=sum(place not in known for place in places),
        gained=sum(place not in known and place in hits for place in places),
        others=len(words) - len(places),
        errors=wrong,
    )


def _aligned(spoken: str, text: str, listed: frozenset[str]) -> tuple[set[int], int, int]:
    """Places of words that are right, errors beside listed words, and listed words written."""
    words, found = spoken.split(), text.split()
    written = sum(word in listed for word in found)
    if not words:
        return set(), len(found) - written, written
    hits: set[int] = set()
    wrong = 0
    for chunk in jiwer.process_words(spoken, text or " ").alignments[0] if found else ():
        first, last = chunk.ref_start_idx, chunk.ref_end_idx
        if chunk.type == "equal":
            hits |= set(range(first, last))
        elif chunk.type == "insert":
            inserted = found[chunk.hyp_start_idx : chunk.hyp_end_idx]
            wrong += sum(word not in listed for word in inserted)
        else:
            wrong += sum(word not in listed for word in words[first:last])
    if not found:
        wrong = sum(word not in listed for word in words)
    return hits, wrong, written


def sweep_table(results: Iterable[tuple[str, Found]]) -> str:
    """One row for each setting."""
    rows = [
        (
            name,
            percent(each.recall),
            percent(each.gain),
            percent(each.precision),
            str(each.written - each.hits),
            percent(each.others_rate),
        )
        for name, each in results
    ]
    head = (
        "setting", "recall", "of those missed", "precision", "wrongly written", "WER of others",
    )  # fmt: skip
    return table(head, rows)


def _counts(found: Found) -> tuple[int, ...]:
    return tuple(asdict(found).values())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("speech", type=Path, help="folder with recordings and a list of them")
    parser.add_argument("--list", default="dev.jsonl", help="the list (default: %(default)s)")
    parser.add_argument("--model", default="tiny-en", help="as in `load` (default: %(default)s)")
    parser.add_argument("--limit", type=int, help="only the first N recordings of each corpus")
    parser.add_argument(
        "--others", type=int, help="only so many utterances without any listed word (default: all)"
    )
    parser.add_argument("--true", type=int, default=100, help="words that are said")
    parser.add_argument("--false", type=int, default=900, help="words that are not")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all numbers there")
    return parser


if __name__ == "__main__":
    main()
