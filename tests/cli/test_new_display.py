"""The display fits where the output goes."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from parakeet_streaming.cli import new_display as module
from parakeet_streaming.cli.channel_display import PlainChannels, TerminalChannels
from parakeet_streaming.cli.display import Plain, Silent, Status, Terminal, is_watched
from parakeet_streaming.cli.new_display import new_display


@pytest.mark.parametrize(
    ("out", "err", "format", "path", "live", "expected"),
    [
        (True, True, "txt", None, False, Terminal),
        (True, True, "txt", "a.txt", False, Status),
        (True, True, "txt", "a.txt", True, Terminal),
        (True, True, "jsonl", None, True, Silent),
        (True, True, "jsonl", "a.jsonl", True, Terminal),
        (False, True, "txt", None, True, Status),
        (False, True, "jsonl", None, True, Status),
        (False, False, "txt", None, True, Plain),
        (False, False, "srt", None, True, Silent),
        (False, False, "txt", "a.txt", True, Silent),
    ],
)
def test_the_display_fits_where_everything_goes(
    monkeypatch: pytest.MonkeyPatch,
    out: bool,
    err: bool,
    format: str,
    path: str | None,
    live: bool,
    expected: type,
) -> None:
    def console(*, stderr: bool = False) -> Console:
        return Console(file=io.StringIO(), force_terminal=err if stderr else out)

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(module, "Console", console)
    chosen = new_display(format, None if path is None else Path(path), live=live)
    assert type(chosen) is expected
    apart = new_display(format, None if path is None else Path(path), live=live, labels=("a", "b"))
    of_channels = {Terminal: TerminalChannels, Plain: PlainChannels}
    assert type(apart) is of_channels.get(expected, expected)


def test_a_terminal_that_cannot_redraw_is_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert not is_watched(Console(force_terminal=True))
