"""What streams were told, with and without faults, in; what was lost, doubled or changed, out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Final as Constant
from typing import TypeVar

import numpy as np

from benchmarks.chaos.faults import Done
from benchmarks.chaos.speakers import Speaker, Told
from benchmarks.live.phases import Quantiles
from parakeet_streaming.client import Event, Final, Gap, Partial, Reconnecting, Resumed

_E = TypeVar("_E", bound=Event)
_NOTICED_WITHIN_S: Constant = 60.0
"""A connection that ended later after a fault ended for another reason."""


@dataclass
class Verdict:
    """Of one stream."""

    lost: int = 0
    """Words that the uninterrupted stream has, and this one has not."""
    doubled: int = 0
    """Words that this one has beside those of the uninterrupted stream."""
    changed: list[str] = field(default_factory=list)
    """What differs otherwise."""

    @property
    def is_right(self) -> bool:
        """Whether nothing differs."""
        return not (self.lost or self.doubled or self.changed)


def of(kind: type[_E], told: Iterable[Told]) -> list[_E]:
    """Events of that kind."""
    return [each.event for each in told if isinstance(each.event, kind)]


def judged(plain: Sequence[Told], told: Sequence[Told]) -> Verdict:
    """What became of a stream, beside the same one without faults."""
    verdict = Verdict()
    wanted, found = ([_word(word) for word in _words(each)] for each in (plain, told))
    for what, first, last, begin, end in SequenceMatcher(
        None, wanted, found, autojunk=False
    ).get_opcodes():
        if what != "equal":
            verdict.lost += max(0, last - first - (end - begin))
            verdict.doubled += max(0, end - begin - (last - first))
            if what == "replace":
                verdict.changed.append(f"{wanted[first:last]} became {found[begin:end]}")
    finals, others = of(Final, plain), of(Final, told)
    if len(finals) != len(others):
        verdict.changed.append(f"{len(finals)} utterances became {len(others)}")
    for final, other in zip(finals, others, strict=False):
        if final != other:
            verdict.changed.append(f"{_differing(final, other)}")
            break
    if _texts(told) != {final.utterance: final.text for final in others if final.text}:
        verdict.changed.append("the texts of its partials are not those of its finals")
    if (gaps := of(Gap, told)) != of(Gap, plain):
        verdict.changed.append(f"gaps: {gaps}")
    return verdict


def recoveries(speaker: Speaker, number: int, done: Sequence[Done]) -> list[float]:
    """Seconds from each fault that took a connection away to the next new text.

    A stream that was moved in time, before its server ended, has lost nothing.
    """
    times, last_s = list[float](), 0.0
    for place, told in enumerate(speaker.told):
        if not isinstance(told.event, Reconnecting):
            continue
        causes = [
            each.at_s
            for each in done
            if each.line in (None, number)
            and each.fault.kind not in ("disk", "delay")
            and max(last_s, told.at_s - _NOTICED_WITHIN_S) <= each.at_s <= told.at_s
        ]
        # A server that ends by itself tells so first; its socket is lost when it ends.
        lost_s = max(causes, default=told.at_s)
        if (text_s := _next_text_s(speaker.told[place:])) is not None:
            times.append(text_s - lost_s)
            last_s = told.at_s
    return times


def lateness(speaker: Speaker) -> list[float]:
    """Seconds from the end of each word's last token to its text."""
    return [
        told.at_s - speaker.begun_s - token.end
        for told in speaker.told
        if isinstance(told.event, Partial)
        for token in told.event.tokens
    ]


def resumed(speakers: Iterable[Speaker]) -> Counter[str]:
    """How often streams went on, by how."""
    return Counter(
        each.how + (f" ({each.reason})" if each.reason else "")
        for speaker in speakers
        for each in of(Resumed, speaker.told)
    )


def quantiles(seconds: Sequence[float]) -> Quantiles:
    """Of those times."""
    if not seconds:
        return Quantiles(0, None, None, None, None)
    p50, p95, p99 = (float(each) for each in np.quantile(seconds, (0.5, 0.95, 0.99)))
    return Quantiles(len(seconds), p50, p95, p99, max(seconds))


def _next_text_s(told: Sequence[Told]) -> float | None:
    for each in told:
        if isinstance(each.event, Partial | Final) and each.event.text:
            return each.at_s
    return None


def _words(told: Sequence[Told]) -> list[tuple[str, float]]:
    return [(word.text, word.start) for final in of(Final, told) for word in final.words]


def _word(word: tuple[str, float]) -> str:
    text, start_s = word
    return f"{text} at {start_s:.2f}"


def _texts(told: Sequence[Told]) -> dict[int, str]:
    texts: dict[int, str] = {}
    for each in of(Partial, told):
        texts[each.utterance] = texts.get(each.utterance, "") + each.text
    return {number: text.strip() for number, text in texts.items() if text.strip()}


def _differing(final: Final, other: Final) -> str:
    fields = ("utterance", "text", "start", "end", "reason", "words", "tokens")
    differ = [name for name in fields if getattr(final, name) != getattr(other, name)]
    first = differ[0]
    return (
        f"utterance {final.utterance}: {', '.join(differ)}; "
        f"{first}: {getattr(final, first)!r:.300} became {getattr(other, first)!r:.300}"
    )
