"""Pairs and rows of words in; aligned lines on standard output out, plain text when piped.

Words may come from a model or a device: they are shown as `plain_text.visible` has them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import islice
from typing import Final

import typer
from rich.console import Console
from rich.text import Text

from parakeet_streaming.formats import in_json
from parakeet_streaming.plain_text import visible

MOST_PAIRS: Final = 200
"""Lines of one list: what is told of a model has some fifty, and a file may have a million."""
_MOST_KEY: Final = 60
"""Characters of the first words, which make the column."""


def print_pairs(pairs: Collection[tuple[str, str]], title: str = "") -> None:
    """Prints a title and, below it, one line per pair with the second words aligned.

    Of more than `MOST_PAIRS` the first are printed, and how many more there are.
    """
    console = Console(soft_wrap=True, highlight=False)
    if title:
        console.print(Text(visible(title), style="bold"))
    listed = [(visible(key, _MOST_KEY), visible(value)) for key, value in islice(pairs, MOST_PAIRS)]
    width = max((len(key) for key, _ in listed), default=0)
    for key, value in listed:
        console.print(Text.assemble((f"  {key:<{width}}", "cyan"), f"  {value}"))
    if len(pairs) > MOST_PAIRS:
        console.print(f"  and {len(pairs) - MOST_PAIRS} more; --json has all of them")


def print_table(rows: Sequence[Sequence[str]], *, err: bool = False) -> None:
    """Prints rows with their columns aligned; the first row is the heading.

    Args:
        rows: of equal length.
        err: whether on standard error.
    """
    console = Console(stderr=err, soft_wrap=True, highlight=False)
    shown = [[visible(cell) for cell in row] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*shown, strict=True)]
    for number, row in enumerate(shown):
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        console.print(Text("  ".join(cells).rstrip(), style="" if number else "bold"))


def print_json(value: object) -> None:
    """Prints a value of plain types as indented JSON."""
    typer.echo(in_json(value, indent=2))


def in_bytes(size_bytes: int) -> str:
    """A size in words: 652 MB, 2.4 GB."""
    for unit, scale in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size_bytes >= scale:
            return f"{size_bytes / scale:.3g} {unit}"
    return f"{size_bytes} B"
