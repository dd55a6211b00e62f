"""Events of one stream in; text on the terminal, or clean text in a pipe, out.

On a terminal the line being spoken is redrawn with every step: committed text, tentative text
dimmed, and a status below. In a pipe committed text is written as it comes, and nothing else.
"""

from __future__ import annotations

import sys
from typing import Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from parakeet_streaming.results import Partial

_BAR_WIDTH = 24


class Display(Protocol):
    """Where one stream's text appears while it is recognised."""

    def show(self, partial: Partial, status: str) -> None:
        """Takes one step's text and a line on how it goes."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None:
        """Ends the line."""
        ...


class Silent:
    """Shows nothing, where the text goes elsewhere and nobody watches."""

    def show(self, partial: Partial, status: str) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class Plain:
    """Committed text into a pipe."""

    def __init__(self) -> None:
        self._wrote = False

    def show(self, partial: Partial, status: str) -> None:
        if partial.text:
            sys.stdout.write(partial.text)
            sys.stdout.flush()
            self._wrote = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        sys.stdout.write("\n" if self._wrote else "")
        sys.stdout.flush()


class Status:
    """Only the status line, where text goes to a file or a pipe but somebody watches."""

    def __init__(self, console: Console, under: Display) -> None:
        self._under = under
        self._live = _live(console)

    def show(self, partial: Partial, status: str) -> None:
        self._under.show(partial, status)
        self._live.update(Text(status, style="dim"), refresh=True)

    def __enter__(self) -> Self:
        self._live.__enter__()
        self._under.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.__exit__(None, None, None)
        self._under.__exit__()


class Terminal:
    """Text and status on a terminal; finished lines scroll up and stay."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._line = ""
        self._live = _live(console)

    def show(self, partial: Partial, status: str) -> None:
        self._line += partial.text
        self._print_full_lines()
        spoken = Text(self._line) + Text(partial.tentative_text, style="dim italic")
        self._live.update(Group(spoken, Text(status, style="dim")), refresh=True)

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.__exit__(None, None, None)
        if self._line.strip():
            self._console.print(Text(self._line.strip()))

    def _print_full_lines(self) -> None:
        """Moves what fills whole lines out of the part that is redrawn."""
        *full, _ = Text(self._line).wrap(self._console, self._console.width)
        for line in full:
            self._console.print(line.plain.rstrip(), markup=False, highlight=False)
            self._line = self._line[len(line.plain) :].lstrip()


def _live(console: Console) -> Live:
    """A region that is redrawn. It must leave standard output alone: that may be a pipe."""
    return Live(
        console=console,
        transient=True,
        auto_refresh=False,
        redirect_stdout=False,
        redirect_stderr=False,
    )


def progress_bar(share: float) -> str:
    """A bar of fixed width for a share from 0 to 1."""
    done = round(min(max(share, 0.0), 1.0) * _BAR_WIDTH)
    return "━" * done + "╌" * (_BAR_WIDTH - done)
