"""What clients heard, moment by moment, and what they must hear in; how late it was out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from benchmarks.live.arrivals import ALLOWED_S
from benchmarks.live.phases import Quantiles, quantiles_of
from benchmarks.server.script import Due, Expected, squeezed

MOST_P95_S: Final = ALLOWED_S
"""How late 95 % of the texts may be at most, if all clients are to count as carried."""


@dataclass
class Heard:
    """One client's part, as it noted it. Times are seconds since its first sample was spoken."""

    text: str = ""
    """All that was committed, without spaces."""
    texts: list[Due] = field(default_factory=list)
    """When there was how much of it."""
    ends: list[Due] = field(default_factory=list)
    """When an utterance ended, and how much text there was then."""
    lost: list[str] = field(default_factory=list)
    """Audio that was not taken, errors, a refusal, an early end."""

    def note_text(self, text: str, at_s: float) -> None:
        """Committed text came."""
        if said := squeezed(text):
            self.text += said
            self.texts.append(Due(len(self.text), at_s))

    def note_end(self, text: str, at_s: float) -> None:
        """An utterance ended with that text, all of which had come."""
        if not text:
            return
        if not self.text.endswith(squeezed(text)):
            self.lost.append(f"an utterance ended as {text!r}, which its texts do not give")
        self.ends.append(Due(len(self.text), at_s))

    def as_json(self) -> dict[str, Any]:
        """For another process."""
        pairs = {
            name: [(each.characters, each.at_s) for each in getattr(self, name)]
            for name in ("texts", "ends")
        }
        return {"text": self.text, "lost": self.lost, **pairs}

    @classmethod
    def of_json(cls, told: dict[str, Any]) -> Self:
        """From another process."""
        pairs = {name: [Due(*each) for each in told[name]] for name in ("texts", "ends")}
        return cls(text=told["text"], lost=told["lost"], **pairs)


@dataclass(frozen=True)
class Figures:
    """What one trial showed."""

    clients: int
    texts: Quantiles
    """Lateness of committed text, after the last sample that its step looks at was spoken."""
    commits: Quantiles
    """From a commit to the end of the utterance."""
    silences: Quantiles
    """From the end of the last word to the end of the utterance that silence ended."""
    lost: tuple[str, ...]
    cores_used: float
    """By the process that recognises."""
    behind: Quantiles
    """How late packets were sent, by the clients' own doing."""

    @property
    def carried(self) -> bool:
        """Whether all clients were served in time, and nothing was lost."""
        p95 = self.texts.p95
        return not self.lost and p95 is not None and p95 <= MOST_P95_S


def figures(
    heard: Sequence[Heard],
    expected: Sequence[Expected],
    warm_up_s: float,
    cores_used: float,
    behind_s: Sequence[float],
) -> Figures:
    """How late everything was; what is due in the first `warm_up_s` does not count.

    Args:
        heard: of each client.
        expected: of each client, in the same order.
        warm_up_s: seconds of each script.
        cores_used: by the process that recognises.
        behind_s: of each packet, how late it was sent.
    """
    texts, commits, silences, lost = list[float](), list[float](), list[float](), list[str]()
    for number, (each, due) in enumerate(zip(heard, expected, strict=True)):
        lost += [f"client {number}: {what}" for what in each.lost]
        if each.text != due.text:
            lost.append(f"client {number}: {_difference(each.text, due.text)}")
        texts += _late(each.texts, due.texts, warm_up_s)
        commits += _late(each.ends, due.commits, warm_up_s)
        silences += _late(each.ends, due.silences, warm_up_s)
    return Figures(
        clients=len(heard),
        texts=quantiles_of(texts),
        commits=quantiles_of(commits),
        silences=quantiles_of(silences),
        lost=tuple(lost),
        cores_used=cores_used,
        behind=quantiles_of(behind_s),
    )


def _late(heard: Sequence[Due], expected: Sequence[Due], warm_up_s: float) -> Iterator[float]:
    """Of each that is due after the warm-up and came: how late."""
    coming = iter(heard)
    now = next(coming, None)
    for due in expected:
        while now is not None and now.characters < due.characters:
            now = next(coming, None)
        if now is None:
            return  # `text` says what is missing
        if due.at_s >= warm_up_s:
            yield now.at_s - due.at_s


def _difference(heard: str, expected: str) -> str:
    same = next(
        (at for at, (one, other) in enumerate(zip(heard, expected, strict=False)) if one != other),
        min(len(heard), len(expected)),
    )
    begin = max(0, same - 10)
    return (
        f"heard {len(heard)} characters, not {len(expected)}; from {same} on "
        f"{heard[begin : same + 20]!r}, not {expected[begin : same + 20]!r}"
    )
