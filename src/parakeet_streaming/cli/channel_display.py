"""Events of several channels in; their text on the terminal, or in a pipe, out.

Rules of this file:

1. An utterance that has ended is a line with its channel before it; lines come in order of time.
2. On a terminal what each channel says now is redrawn below, with a line for each.
3. The rest is as for one stream, in `display.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Self

from rich.console import Console, Group
from rich.text import Text

from parakeet_streaming.channels import ChannelEvent, Utterance
from parakeet_streaming.cli.display import SAID_STYLE, Silent, Told, redrawn, status_line
from parakeet_streaming.cli.separate_text import SeparateUtterances
from parakeet_streaming.plain_text import readable, visible
from parakeet_streaming.results import Partial

_LABEL_STYLE = "bold"


class PlainChannels(Silent):
    """Lines in a pipe."""

    def __init__(self, labels: Sequence[str]) -> None:
        """`labels`: what the channels are called."""
        self._utterances = SeparateUtterances(labels)

    def show(self, event: Told | None, status: str) -> None:
        if isinstance(event, ChannelEvent):
            self._write(self._utterances.feed(event))

    def __exit__(self, *_: object) -> None:
        self._write(self._utterances.rest())

    def _write(self, utterances: Sequence[Utterance]) -> None:
        for each in utterances:
            if readable(each.text).strip():
                sys.stdout.write(f"{each.line}\n")
        sys.stdout.flush()


class TerminalChannels:
    """Text and status on a terminal."""

    def __init__(self, console: Console, labels: Sequence[str]) -> None:
        """`labels`: what the channels are called."""
        self._console = console
        self._labels = labels
        self._utterances = SeparateUtterances(labels)
        self._spoken = [""] * len(labels)
        self._tentative = [""] * len(labels)
        self._live = redrawn(console)

    def show(self, event: Told | None, status: str) -> None:
        if isinstance(event, ChannelEvent):
            told = event.event
            if isinstance(told, Partial):
                self._spoken[event.channel] += readable(told.text)
                self._tentative[event.channel] = readable(told.tentative_text)
            self._print(self._utterances.feed(event))
        lines = [self._line(number) for number in range(len(self._labels))]
        spoken = [line for line in lines if line is not None]
        self._live.update(Group(*spoken, status_line(status)), refresh=True)

    def say(self, message: str) -> None:
        self._console.print(Text(visible(message), style=SAID_STYLE))

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.__exit__(None, None, None)
        self._print(self._utterances.rest())

    def _line(self, number: int) -> Text | None:
        """What a channel says now."""
        spoken, tentative = self._spoken[number].lstrip(), self._tentative[number]
        if not spoken and not tentative.strip():
            return None
        before = Text(f"{self._labels[number]}: ", style=_LABEL_STYLE)
        said = tentative if spoken else tentative.lstrip()
        return before + Text(spoken, style="") + Text(said, style="dim italic")

    def _print(self, utterances: Sequence[Utterance]) -> None:
        for each in utterances:
            text = readable(each.text)
            self._spoken[each.channel] = _without(self._spoken[each.channel], text)
            if text.strip():
                label = Text(f"{each.label}: ", style=_LABEL_STYLE)
                self._console.print(label + Text(text.strip(), style=""))


def _without(spoken: str, text: str) -> str:
    """What was spoken after a text, which may have its spaces elsewhere."""
    left = len("".join(text.split()))
    for at, character in enumerate(spoken):
        if not left:
            return spoken[at:]
        left -= not character.isspace()
    return ""
