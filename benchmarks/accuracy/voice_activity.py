"""What voice activity changes in the text, and what it saves, on recordings and on sparse speech.

python benchmarks/silence.py SPEECH                       every recording of the list, and an hour
python benchmarks/silence.py SPEECH --limit 20 --sparse-minutes 5 --json silence.json

SPEECH is a folder with a list of recordings, as for `accuracy.py`. Everything is heard twice by a
live engine in a context that does not change: with voice activity and without. Sparse speech is
made of the same recordings, some seconds of made room noise before each, and noise under all of it.

Rules of this file:

1. Tokens are compared, with their frames. One that differs counts as one within speech or on a
   stretch without: in sparse speech that is told by where recordings lie; in a recording, by what
   voice activity itself said, with its padding.
2. The decoder remembers what it said. Where it makes something up in a pause, as it does without
   voice activity, it goes on from there: what differs in the first speech behind is told apart.
3. Computing is what the engine measured: encoder steps, their seconds, those of voice activity.

Needs the dependency group `bench`. Tables go to standard output, progress to standard error.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.scores import WordErrors, total, word_errors
from benchmarks.report.machine import machine, machine_table
from benchmarks.report.tables import percent, progress, table
from benchmarks.speech.corpora import read_utterances
from benchmarks.speech.sparse import Recording, Stretch, sparse
from parakeet_streaming import (
    ContextConfig,
    DelayRange,
    Event,
    LiveEngine,
    LiveOptions,
    Recognizer,
    SpeechEnded,
    SpeechStarted,
    Token,
    VadOptions,
    load,
    load_vad,
)
from parakeet_streaming.ports import VoiceActivity
from parakeet_streaming.timeline import samples_to_seconds

Where = Literal["speech", "carried", "elsewhere"]

SPARSE: Final = "sparse speech"
_ALL_AT_ONCE_S: Final = 7_200.0
_EDGE_S: Final = 0.2
"""A token may begin so much before its sound, or end so much behind it, by the model's account."""


@dataclass(frozen=True)
class Listened:
    """One recording, heard by a live engine."""

    tokens: tuple[Token, ...]
    text: str
    speech: tuple[Stretch, ...]
    """Seconds between which voice activity heard speech."""
    steps: int
    skipped: int
    encoder_s: float
    decoder_s: float
    vad_s: float


@dataclass(frozen=True)
class Difference:
    """A token that only one of both has."""

    at_s: float
    text: str
    with_vad: bool
    """Whether it is the one with voice activity that has it."""
    where: Where


@dataclass(frozen=True)
class Effect:
    """What voice activity did to one kind of recording."""

    name: str
    recordings: int
    audio_s: float
    equal: int
    """Recordings whose text is the same."""
    tokens: int
    """Without voice activity."""
    differences: tuple[Difference, ...]
    errors_on: WordErrors
    errors_off: WordErrors
    steps_on: int
    steps_off: int
    encoder_on_s: float
    encoder_off_s: float
    decoder_on_s: float
    decoder_off_s: float
    vad_s: float

    @property
    def saved(self) -> float:
        """Part of the seconds of computing, those of voice activity counted."""
        on_s = self.encoder_on_s + self.decoder_on_s + self.vad_s
        off_s = self.encoder_off_s + self.decoder_off_s
        return 1 - on_s / off_s if off_s else 0.0


class Listener:
    """Hears samples with and without voice activity."""

    def __init__(
        self,
        recognizer: Recognizer,
        vad: VoiceActivity,
        context: ContextConfig,
        options: VadOptions,
    ) -> None:
        self._recognizer = recognizer
        self._vad = vad
        self._delay = DelayRange.fixed(context)
        self._options = options

    def hear(self, samples: NDArray[np.float32], *, with_vad: bool) -> Listened:
        """Samples (n,) at 16 kHz, as fast as it can be done."""
        options = LiveOptions(self._delay, self._options if with_vad else None, None)
        with LiveEngine(self._recognizer, self._vad, most_ring_s=_ALL_AT_ONCE_S) as engine:
            stream = engine.open(options)
            stream.push(samples)
            stream.finish()
            events = list(stream)
            stats, metrics = stream.stats(), engine.metrics
            transcript = stream.transcript()
        return Listened(
            transcript.tokens,
            transcript.text,
            _speech_in(events, self._options, samples_to_seconds(samples.shape[0])),
            stats.steps,
            stats.skipped,
            metrics.encoder_step_seconds.snapshot().sum,
            metrics.decoder_step_seconds.snapshot().sum,
            metrics.vad_step_seconds.snapshot().sum,
        )


def measure(name: str, recordings: Sequence[Recording], listener: Listener) -> Effect:
    """Hears everything twice."""
    pairs = []
    found: list[Difference] = []
    for each in progress(recordings, name):
        on, off = (listener.hear(each.samples, with_vad=vad) for vad in (True, False))
        pairs.append((on, off))
        found += differences(off.tokens, on.tokens, each.speech or on.speech)
    texts = [each.text for each in recordings]
    return Effect(
        name=name,
        recordings=len(recordings),
        audio_s=sum(samples_to_seconds(each.samples.shape[0]) for each in recordings),
        equal=sum(on.text == off.text for on, off in pairs),
        tokens=sum(len(off.tokens) for _, off in pairs),
        differences=tuple(found),
        errors_on=total(
            word_errors(text, on.text) for text, (on, _) in zip(texts, pairs, strict=True)
        ),
        errors_off=total(
            word_errors(text, off.text) for text, (_, off) in zip(texts, pairs, strict=True)
        ),
        steps_on=sum(on.steps for on, _ in pairs),
        steps_off=sum(off.steps for _, off in pairs),
        encoder_on_s=sum(on.encoder_s for on, _ in pairs),
        encoder_off_s=sum(off.encoder_s for _, off in pairs),
        decoder_on_s=sum(on.decoder_s for on, _ in pairs),
        decoder_off_s=sum(off.decoder_s for _, off in pairs),
        vad_s=sum(on.vad_s for on, _ in pairs),
    )


def differences(
    off: Sequence[Token], on: Sequence[Token], speech: Sequence[Stretch]
) -> list[Difference]:
    """Tokens that are not the same, and where they are; rules 1 and 2."""
    found = _only_in_one(off, on)
    made_up_s = [token.start for token, _ in found if _stretch(token, speech) is None]

    def where(token: Token) -> Where:
        stretch = _stretch(token, speech)
        if stretch is None:
            return "elsewhere"
        before_s = max((end for _, end in speech if end <= stretch[0]), default=0.0)
        carried = any(before_s <= at_s < stretch[0] + _EDGE_S for at_s in made_up_s)
        return "carried" if carried else "speech"

    return [Difference(token.start, token.text, vad, where(token)) for token, vad in found]


def _only_in_one(off: Sequence[Token], on: Sequence[Token]) -> list[tuple[Token, bool]]:
    keys = [[(token.id, token.start_frame) for token in tokens] for tokens in (off, on)]
    found: list[tuple[Token, bool]] = []
    for what, off_from, off_to, on_from, on_to in SequenceMatcher(
        None, *keys, autojunk=False
    ).get_opcodes():
        if what != "equal":
            found += [(token, False) for token in off[off_from:off_to]]
            found += [(token, True) for token in on[on_from:on_to]]
    return sorted(found, key=lambda pair: pair[0].start)


def text_table(effects: Sequence[Effect]) -> str:
    """What became of the text."""
    head = (
        "text", "recordings", "minutes", "tokens", "equal recordings",
        "tokens that differ in speech", "in speech behind something made up", "in pauses",
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
                for where in ("speech", "carried", "elsewhere")
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


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what the command line asks for."""
    asked = _parser().parse_args(arguments)
    print(f"{machine_table()}\n", flush=True)
    utterances = read_utterances(asked.speech, asked.list, asked.limit)
    recognizer = load(asked.model, threads=asked.threads)
    context = ContextConfig.parse(asked.context)
    listener = Listener(recognizer, load_vad(), context, VadOptions())
    effects = []
    for corpus in dict.fromkeys(each.corpus for each in utterances):
        of_it = [Recording(each.samples, each.text) for each in utterances if each.corpus == corpus]
        effects.append(measure(corpus, of_it, listener))
    if asked.sparse_minutes:
        made = sparse(utterances, 60 * asked.sparse_minutes, asked.seed)
        effects.append(measure(SPARSE, [made], listener))
    print(f"`{asked.model}`, list `{asked.list}`, context {context}.\n")
    print(f"{text_table(effects)}\n\n{saving_table(effects)}")
    if asked.json is not None:
        origin = {"machine": asdict(machine()), "model": asked.model, "context": str(context)}
        told = origin | {"effects": [asdict(each) | {"saved": each.saved} for each in effects]}
        asked.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def _speech_in(events: Sequence[Event], options: VadOptions, end_s: float) -> tuple[Stretch, ...]:
    """Where voice activity heard speech, with its padding."""
    starts = [event.at for event in events if isinstance(event, SpeechStarted)]
    ends = [event.at for event in events if isinstance(event, SpeechEnded)]
    before_s, behind_s = options.prefix_padding_ms / 1000, options.hangover_ms / 1000
    ends += [end_s] * (len(starts) - len(ends))
    return tuple(
        (start - before_s, end + behind_s) for start, end in zip(starts, ends, strict=True)
    )


def _stretch(token: Token, speech: Sequence[Stretch]) -> Stretch | None:
    """Where the token was spoken; None where nobody spoke."""
    for start, end in speech:
        if token.start < end + _EDGE_S and token.end > start - _EDGE_S:
            return start, end
    return None


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
