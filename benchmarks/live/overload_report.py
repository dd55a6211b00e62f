"""The phases of an overload in; the rules that must hold of them, and tables, out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.live.arrivals import ALLOWED_S
from benchmarks.live.phases import Phase, Quantiles
from benchmarks.report.tables import table
from parakeet_streaming import DelayRange


@dataclass(frozen=True)
class Overload:
    """The three phases, and the joins between them."""

    hold: Phase
    overload: Phase
    after: Phase
    missing_s: float
    """Seconds of audio that were not decoded, of the streams that ended."""
    full_at: int | None
    """Streams that were open when one more was refused; None where none was."""
    refusal: str
    """What the engine said to that one."""

    @property
    def phases(self) -> list[tuple[str, Phase]]:
        """By name."""
        return [
            ("as many as are carried", self.hold),
            ("twice as many", self.overload),
            ("back", self.after),
        ]


@dataclass(frozen=True)
class Rule:
    """Something that must hold."""

    name: str
    holds: bool
    seen: str


def rules(overload: Overload, delay: DelayRange) -> list[Rule]:
    """What must hold of the phases."""
    hold, crowded, after = overload.hold, overload.overload, overload.after
    # A longest chunk that fills, one that waits for its step, and the look-ahead.
    bound_s = 2 * delay.longest_chunk + delay.context.right + 2 * ALLOWED_S
    backlog_s = crowded.backlog_s(0.5, 1.0)
    refused = sum(phase.refused_samples for _, phase in overload.phases)
    gaps = sum(phase.gaps for _, phase in overload.phases)
    return [
        Rule(
            "the backlog of twice as many is bounded",
            backlog_s <= bound_s,
            f"backlog {backlog_s:.2f} s in the second half, at most {bound_s:.2f} s",
        ),
        Rule(
            "nothing is lost",
            not refused and not gaps and overload.missing_s == 0,
            f"{refused} samples refused, {gaps} gaps, {overload.missing_s:.2f} s not decoded",
        ),
        Rule(
            "a refusal says why",
            bool(overload.refusal) or (not crowded.refused and overload.full_at is None),
            overload.refusal or "no stream was refused",
        ),
        _returned("emission delay", hold, after),
        _returned("queue wait", hold, after),
    ]


def latency_table(overload: Overload) -> str:
    """Latencies by phase."""
    head = ("", "", "count", "50 %", "95 %", "99 %", "most")
    rows = []
    for name, phase in overload.phases:
        for what, found in {"text, from outside": phase.late, **phase.latencies}.items():
            rows.append((name, what, found.count, *map(seconds_of, _numbers(found))))
    return table(head, rows)


def figure_table(overload: Overload) -> str:
    """Everything else by phase."""
    head = (
        "", "streams", "refused", "carried", "streams a step: mean", "most", "RTF", "chunks grown",
        "shrunk", "in their own context", "load", "backlog: most",
    )  # fmt: skip
    rows = [
        (
            name,
            phase.streams,
            phase.refused,
            phase.carried,
            f"{phase.batch_mean:.1f}",
            phase.batch_most,
            f"{phase.real_time_factor:.4f}",
            phase.longer,
            phase.shorter,
            phase.own_context,
            f"{phase.load:.2f}",
            f"{phase.backlog_s(0.0, 1.0):.2f} s",
        )
        for name, phase in overload.phases
    ]
    return table(head, rows)


def rule_table(found: Sequence[Rule]) -> str:
    """One row per rule."""
    rows = [(rule.name, "yes" if rule.holds else "NO", rule.seen) for rule in found]
    return table(("rule", "", ""), rows)


def seconds_of(seconds: float | None) -> str:
    """Seconds as a table shows them."""
    return "–" if seconds is None else f"{seconds:.3f} s"


def _returned(what: str, before: Phase, after: Phase) -> Rule:
    """Within a quarter, and a twentieth of a second, of what it was."""
    was, became = before.latencies[what], after.latencies[what]
    pairs = [(was.p50, became.p50), (was.p95, became.p95)]
    holds = all(
        now is not None and then is not None and now <= 1.25 * then + 0.05 for then, now in pairs
    )
    seen = ", ".join(f"{seconds_of(then)} → {seconds_of(now)}" for then, now in pairs)
    return Rule(f"{what} comes back", holds, f"50 % and 95 %: {seen}")


def _numbers(found: Quantiles) -> tuple[float | None, ...]:
    return (found.p50, found.p95, found.p99, found.most)
