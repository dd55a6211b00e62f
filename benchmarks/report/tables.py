"""Rows in; a markdown table out. Things to do in; lines of progress to standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")

_PROGRESS_S = 5.0


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A markdown table; columns with a name are aligned right, all but the first."""
    rule = [":--", *("--:" if name else ":--" for name in head[1:])]
    lines = [head, rule, *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def percent(share: float | None) -> str:
    """A share as a percentage; a dash where there is none."""
    return "–" if share is None else f"{100 * share:.1f} %"


def say(text: str) -> None:
    """One line of progress."""
    print(text, file=sys.stderr, flush=True)


def progress(items: Sequence[Item], what: str) -> Iterator[Item]:
    """The items, with a line of progress every few seconds and at the end."""
    started_s = said_s = time.monotonic()
    for count, item in enumerate(items, start=1):
        yield item
        now_s = time.monotonic()
        if now_s - said_s >= _PROGRESS_S or count == len(items):
            say(f"{what}: {count} of {len(items)}, {now_s - started_s:.0f} s")
            said_s = now_s
