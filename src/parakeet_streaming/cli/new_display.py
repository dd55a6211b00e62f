"""Where an output goes, and whether channels are apart, in; the display that fits, out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from parakeet_streaming.cli.channel_display import PlainChannels, TerminalChannels
from parakeet_streaming.cli.display import Display, Plain, Silent, Status, Terminal, is_watched


def new_display(
    format: str, path: Path | None, *, live: bool, labels: Sequence[str] = ()
) -> Display:
    """The display that fits the output, and where standard output and standard error go.

    Args:
        format: of the output.
        path: of the output; None for standard output.
        live: whether people watch the text come, even where it goes to a file, too.
        labels: of channels that are shown apart.
    """
    out, watched = Console(), Console(stderr=True)
    text_here = format == "txt" and path is None
    if is_watched(out) and (text_here or (live and path is not None)):
        return TerminalChannels(out, labels) if labels else Terminal(out)
    under: Display = Silent()
    if text_here:
        under = PlainChannels(labels) if labels else Plain()
    if not is_watched(watched) or (is_watched(out) and path is None):
        # The output is written on the screen; redrawing a line there would tear it.
        return under
    return Status(watched, under)
