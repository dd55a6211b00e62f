r"""What `contexts --json` measured in; the table and the plot of "choosing a context" out.

python -m benchmarks.accuracy.contexts SPEECH --json accuracy.json
python -m benchmarks.accuracy.guide accuracy.json --page docs/choosing-a-context.md \
    --plot docs/choosing-a-context.svg

The table replaces what stands between two marks of the page. Nothing is measured here, and nothing
is written that was not measured.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.accuracy.scores import WordErrors, median_and_late
from benchmarks.models.contexts import OFFLINE, in_code
from benchmarks.report.tables import percent, table
from parakeet_streaming import ContextConfig
from parakeet_streaming.errors import OptionError

MARKS: Final = ("<!-- measured -->", "<!-- end of what was measured -->")
_WIDTH, _HEIGHT, _LEFT, _TOP, _RIGHT, _BOTTOM = 640, 320, 56, 16, 200, 48
_COLOURS: Final = ("#3d5a80", "#e07a5f", "#81b29a", "#b08900", "#7b5ea7", "#555555")


@dataclass(frozen=True)
class Measured:
    """One context."""

    name: str
    latency_s: float | None
    """None for offline."""
    rates: Mapping[str, float | None]
    """WER by corpus."""
    shown_s: tuple[float | None, float | None]
    """Delay of words as shown first: median and 95 %."""
    committed_s: tuple[float | None, float | None]
    cost_s: float
    """Seconds of computing per second of audio."""


def read(report: Mapping[str, Any]) -> list[Measured]:
    """The contexts of a report, the quickest first."""
    found = []
    for each in report["contexts"]:
        name, delays = each["context"], each["delays"]
        rates = {corpus: WordErrors(**errors).rate for corpus, errors in each["errors"].items()}
        latency_s = None if name == OFFLINE else ContextConfig.parse(name).latency_s
        found.append(
            Measured(
                name,
                latency_s,
                rates,
                median_and_late(delays["shown_s"]),
                median_and_late(delays["committed_s"]),
                each["processing_s"] / each["audio_s"],
            )
        )
    return sorted(found, key=lambda one: math.inf if one.latency_s is None else one.latency_s)


def choice_table(measured: Sequence[Measured]) -> str:
    """WER, latency and cost by context."""
    corpora = list(measured[0].rates)
    head = (
        "context", "latency", "words shown after: median", "95 %", "committed after: median",
        "95 %", *(f"WER, {corpus}" for corpus in corpora), "computing per second", "RTFx",
    )  # fmt: skip
    rows = [
        (
            in_code(each.name),
            _seconds(each.latency_s),
            *map(_seconds, (*each.shown_s, *each.committed_s)),
            *(percent(each.rates[corpus]) for corpus in corpora),
            f"{1000 * each.cost_s:.0f} ms",
            f"{1 / each.cost_s:.0f}",
        )
        for each in measured
    ]
    return table(head, rows)


@dataclass(frozen=True)
class _Scale:
    """Where latencies and rates lie in the picture."""

    shortest_s: float
    longest_s: float
    most: float
    """Rate at the top."""

    def x(self, latency_s: float) -> float:
        """By the logarithm, so that short latencies are not crowded."""
        low, high = math.log(self.shortest_s), math.log(self.longest_s)
        share = (math.log(latency_s) - low) / ((high - low) or 1)
        return _LEFT + 20 + share * (_WIDTH - _LEFT - _RIGHT - 40)

    def y(self, rate: float) -> float:
        return _TOP + (1 - rate / self.most) * (_HEIGHT - _TOP - _BOTTOM)


def plot(measured: Sequence[Measured]) -> str:
    """An SVG: WER over latency by corpus, and below it what every context costs.

    Of contexts of the same latency the one that costs least is drawn.
    """
    cheapest: dict[float, Measured] = {}
    for each in sorted(measured, key=lambda one: -one.cost_s):
        if each.latency_s is not None:
            cheapest[each.latency_s] = each
    live = [(latency_s, cheapest[latency_s]) for latency_s in sorted(cheapest)]
    rates = [rate for each in measured for rate in each.rates.values() if rate is not None]
    most = max(0.1, math.ceil(10 * max(rates, default=1.0)) / 10)
    scale = _Scale(live[0][0], live[-1][0], most)
    parts = [_axes(scale)]
    for latency_s, each in live:
        parts += _below(scale.x(latency_s), f"{latency_s:.2g} s", f"{1000 * each.cost_s:.0f} ms")
    for number, corpus in enumerate(measured[0].rates):
        points = [
            (scale.x(latency_s), scale.y(rate))
            for latency_s, each in live
            if (rate := each.rates[corpus]) is not None
        ]
        parts += _curve(points, corpus, number)
    parts += _below(_WIDTH - _RIGHT + 12, "latency", "computing per second of audio", "start")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'font-family="sans-serif" font-size="11"><rect width="{_WIDTH}" height="{_HEIGHT}" '
        f'fill="white"/>{"".join(parts)}</svg>\n'
    )


def put_into(page: str, measured: str) -> str:
    """The page with that between its marks.

    Raises:
        OptionError: it has no such marks.
    """
    before, begin, rest = page.partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not begin or not end:
        raise OptionError(f"the page has no {MARKS[0]} … {MARKS[1]}; put them where the table goes")
    return f"{before}{begin}\n{measured}\n{end}{after}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Does what the command line asks for."""
    asked = _parser().parse_args(arguments)
    report = json.loads(asked.report.read_text(encoding="utf-8"))
    measured = read(report)
    shown = f"{choice_table(measured)}\n\n{_origin(report)}"
    if asked.plot is not None:
        asked.plot.write_text(plot(measured), encoding="utf-8")
        shown = f"![WER over latency]({asked.plot.name})\n\n{shown}"
    if asked.page is None:
        print(shown)
        return
    asked.page.write_text(put_into(asked.page.read_text(encoding="utf-8"), shown), encoding="utf-8")


def _origin(report: Mapping[str, Any]) -> str:
    machine = report["machine"]
    return (
        f"`{report['model']}`, list `{report['list']}`; {machine['processor']}, "
        f"{machine['cores']}, {machine['memory']}; Python {machine['python']}, onnxruntime "
        f"{machine['onnxruntime']}, parakeet-streaming {machine['parakeet_streaming']}."
    )


def _axes(scale: _Scale) -> str:
    lines = []
    for tenth in range(round(10 * scale.most) + 1):
        y = scale.y(tenth / 10)
        lines.append(f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="#dddddd"/>')
        lines.append(_text(_LEFT - 6, y + 4, f"{10 * tenth} %", "end"))
    return "".join(lines)


def _below(x: float, first: str, second: str, anchor: str = "middle") -> list[str]:
    """Two lines below the picture."""
    y = _HEIGHT - _BOTTOM + 16
    return [_text(x, y, first, anchor), _text(x, y + 14, second, anchor)]


def _curve(points: Sequence[tuple[float, float]], corpus: str, number: int) -> list[str]:
    """One corpus: its line, its dots and its name."""
    colour = _COLOURS[number % len(_COLOURS)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return [
        f'<polyline points="{line}" fill="none" stroke="{colour}"/>',
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points),
        _text(_WIDTH - _RIGHT + 12, _TOP + 12 + 16 * number, corpus, "start", colour),
    ]


def _text(x: float, y: float, text: str, anchor: str, colour: str = "#333333") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{text}</text>'


def _seconds(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.2f} s"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("report", type=Path, help="what `contexts --json` wrote")
    parser.add_argument("--page", type=Path, help="put the table there (default: print it)")
    parser.add_argument("--plot", type=Path, metavar="SVG", help="also draw it")
    return parser


if __name__ == "__main__":
    main()
