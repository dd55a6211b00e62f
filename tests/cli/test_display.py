"""What appears on a terminal and in a pipe."""

import io
import textwrap

import pyte
import pytest
from rich.console import Console

from parakeet_streaming.cli.display import Plain, Status, Terminal, progress_bar
from parakeet_streaming.results import Partial


def partial(text: str, tentative: str = "") -> Partial:
    return Partial(text, (), tentative, (), 1.0, 1.5)


def terminal(width: int = 20) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=width, color_system="standard")


def test_a_pipe_gets_committed_text_only(capsys: pytest.CaptureFixture[str]) -> None:
    with Plain() as display:
        display.show(partial("one", " two"), "status")
        display.show(partial(" two"), "status")
    assert capsys.readouterr().out == "one two\n"


def test_a_pipe_gets_nothing_for_silence(capsys: pytest.CaptureFixture[str]) -> None:
    with Plain() as display:
        display.show(partial(""), "status")
    assert capsys.readouterr().out == ""


def test_a_terminal_dims_tentative_text_and_keeps_committed_text() -> None:
    console = terminal()
    with Terminal(console) as display:
        display.show(partial("one", " two"), "10 %")
        display.show(partial(" two"), "20 %")
    drawn = console.file.getvalue()
    assert "\x1b[2;3m two\x1b[0m" in drawn
    assert "\x1b[2m10 %\x1b[0m" in drawn
    assert drawn.rstrip().endswith("one two")


def test_long_text_is_printed_once_line_by_line() -> None:
    console = terminal(width=20)
    words = [f"word{number}" for number in range(30)]
    with Terminal(console) as display:
        for number, word in enumerate(words):
            display.show(partial(word if number == 0 else f" {word}", " perhaps"), "status")
    screen = pyte.Screen(20, 60)
    pyte.Stream(screen).feed(console.file.getvalue().replace("\n", "\r\n"))
    left = [line.rstrip() for line in screen.display if line.strip()]
    assert left == textwrap.wrap(" ".join(words), 20)


def test_status_shows_only_its_line_and_passes_text_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    console = terminal()
    with Status(console, Plain()) as display:
        display.show(partial("one"), "half way")
    assert "half way" in console.file.getvalue()
    assert capsys.readouterr().out == "one\n"


@pytest.mark.parametrize(("share", "done"), [(-1, 0), (0, 0), (0.5, 12), (1, 24), (7, 24)])
def test_progress_bar(share: float, done: int) -> None:
    assert progress_bar(share) == "━" * done + "╌" * (24 - done)
