"""Events of one stream in; text on the terminal, or clean text in a pipe, out.

Rules of this file:

1. On a terminal the utterance being spoken is redrawn with every step: committed text, tentative
   text dimmed, and a status below. Lines that are full, and utterances that have ended, scroll up
   and stay.
2. In a pipe committed text is written as it comes, one line per utterance, and nothing else. A
   line never ends within a word: where an utterance that became too long ends before the last word
   that was written, the line ends after that word.
3. What people should know is never mixed into a pipe: it goes above the status, or to standard
   error.
4. Text that was recognised is shown as it is written to files, without controls; messages and
   status as `messages.py` shows them.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable
from typing import Final, Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from parakeet_streaming.audio.health import Level
from parakeet_streaming.channels import ChannelEvent
from parakeet_streaming.cli.messages import complain
from parakeet_streaming.plain_text import readable, visible
from parakeet_streaming.results import Event, Partial
from parakeet_streaming.results import Final as FinalEvent

_BAR_WIDTH: Final = 24
_METER_WIDTH: Final = 10
_METER_LOWEST_DBFS: Final = -60.0
SAID_STYLE: Final = "yellow"


Told = Event | ChannelEvent
"""Of one stream, or of one of several channels."""


class Display(Protocol):
    """Where one stream's text appears while it is recognised."""

    def show(self, event: Told | None, status: str) -> None:
        """Shows an event, if there is one, and the status in one line."""
        ...

    def say(self, message: str) -> None:
        """Shows a message for people."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None:
        """Ends the line."""
        ...


class Silent:
    """Shows no text, where it goes elsewhere."""

    def show(self, event: Told | None, status: str) -> None:
        pass

    def say(self, message: str) -> None:
        complain(message)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class Plain(Silent):
    """Committed text into a pipe."""

    def __init__(self) -> None:
        self._in_line = False
        self._said = ""
        self._ends_with_word = False

    def show(self, event: Told | None, status: str) -> None:
        if isinstance(event, Partial) and event.text:
            text = readable(event.text)
            self._said += text
            if self._ends_with_word and " " in text:
                word, text = text.split(" ", 1)
                self._write(word)
                self._end_line()
            self._write(text if self._in_line else text.lstrip())
            self._in_line = True
        elif isinstance(event, FinalEvent):
            self._said = _left_over(self._said, event)
            self._ends_with_word = bool(self._said)
            if not self._said:
                self._end_line()

    def __exit__(self, *_: object) -> None:
        self._end_line()

    def _end_line(self) -> None:
        if self._in_line:
            self._write("\n")
        self._in_line = self._ends_with_word = False

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


class Status:
    """Only the status line, where text goes to a file or a pipe but somebody watches."""

    def __init__(self, console: Console, under: Display) -> None:
        self._console = console
        self._under = under
        self._live = redrawn(console)

    def show(self, event: Told | None, status: str) -> None:
        self._under.show(event, status)
        self._live.update(status_line(status), refresh=True)

    def say(self, message: str) -> None:
        self._console.print(Text(visible(message), style=SAID_STYLE))

    def __enter__(self) -> Self:
        self._live.__enter__()
        self._under.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.__exit__(None, None, None)
        self._under.__exit__()


class Terminal:
    """Text and status on a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._line = ""
        self._said = ""
        self._tentative = ""
        self._live = redrawn(console)

    def show(self, event: Told | None, status: str) -> None:
        if isinstance(event, Partial):
            text = readable(event.text)
            self._line += text if self._line else text.lstrip()
            self._said += text
            self._tentative = readable(event.tentative_text)
            self._print_full_lines()
        elif isinstance(event, FinalEvent):
            self._said = _left_over(self._said, event)
            self._print_line(left=self._said)
        # The next utterance may be in the right context before this one has ended.
        tentative = self._tentative if self._line else self._tentative.lstrip()
        spoken = Text(self._line) + Text(tentative, style="dim italic")
        shown = Group(spoken, status_line(status)) if spoken else status_line(status)
        self._live.update(shown, refresh=True)

    def say(self, message: str) -> None:
        self._console.print(Text(visible(message), style=SAID_STYLE))

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.__exit__(None, None, None)
        self._print_line()

    def _print_line(self, left: str = "") -> None:
        """Ends the line; what is `left` of it begins the next one."""
        line = self._line.removesuffix(left)
        if line.strip():
            self._console.print(Text(line.strip()))
        self._line = left.lstrip()

    def _print_full_lines(self) -> None:
        """Moves what fills whole lines out of the part that is redrawn."""
        *full, _ = Text(self._line).wrap(self._console, self._console.width)
        for line in full:
            self._console.print(line.plain.rstrip(), markup=False, highlight=False)
            self._line = self._line[len(line.plain) :].lstrip()


def _left_over(said: str, final: FinalEvent) -> str:
    """What was said and belongs to the next utterance: the word before which this one ended."""
    said, text = said.lstrip(), readable(final.transcript.text)
    if final.reason != "max_length" or not said.startswith(text):
        return ""
    return said[len(text) :] if said[len(text) :].strip() else ""


class UntilGone:
    """Another display, as long as its terminal is there."""

    def __init__(self, display: Display) -> None:
        self._display = display
        self._gone = False

    def show(self, event: Told | None, status: str) -> None:
        self._unless_gone(lambda: self._display.show(event, status))

    def say(self, message: str) -> None:
        self._unless_gone(lambda: self._display.say(message))

    def __enter__(self) -> Self:
        self._unless_gone(self._display.__enter__)
        return self

    def __exit__(self, *_: object) -> None:
        self._unless_gone(self._display.__exit__)

    def _unless_gone(self, action: Callable[[], object]) -> None:
        if self._gone:
            return
        try:
            action()
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            self._gone = True


def is_watched(console: Console) -> bool:
    """Whether lines can be redrawn there, for somebody."""
    return console.is_terminal and not console.is_dumb_terminal


def progress_bar(share: float, width: int = _BAR_WIDTH) -> str:
    """A bar of fixed width for a share from 0 to 1."""
    done = round(min(max(share, 0.0), 1.0) * width)
    return "━" * done + "╌" * (width - done)


def clock(seconds: float) -> str:
    """Seconds as people write them: 0:07, 1:02:05."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def level_meter(level: Level) -> str:
    """A bar from −60 dBFS to full scale, and the level in words."""
    share = 1 - max(level.rms_dbfs, _METER_LOWEST_DBFS) / _METER_LOWEST_DBFS
    return f"{progress_bar(share, _METER_WIDTH)} {level.rms_dbfs:4.0f} dB"


def status_line(status: str) -> Text:
    """The status, which a narrow terminal cuts."""
    return Text(visible(status), style="dim", no_wrap=True, overflow="ellipsis")


def redrawn(console: Console) -> Live:
    """A region that is redrawn. It must leave standard output alone: that may be a pipe."""
    return Live(
        console=console,
        transient=True,
        auto_refresh=False,
        redirect_stdout=False,
        redirect_stderr=False,
    )
