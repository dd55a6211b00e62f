"""Rows in; a markdown table out, and lines of progress to standard error."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A markdown table; every column but the first is aligned right where `head` names it."""
    rule = [":--", *("--:" if name else ":--" for name in head[1:])]
    lines = [head, rule, *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def percent(share: float | None, digits: int = 1) -> str:
    """A share as a percentage; a dash where there is none."""
    return "–" if share is None else f"{100 * share:.{digits}f} %"


def say(text: str) -> None:
    """One line of progress."""
    print(text, file=sys.stderr, flush=True)
