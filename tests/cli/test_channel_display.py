"""What appears of several channels."""

import io

import pyte
import pytest
from rich.console import Console

from parakeet_streaming.channels import ChannelEvent
from parakeet_streaming.cli.channel_display import PlainChannels, TerminalChannels
from parakeet_streaming.results import Partial, SpeechStarted
from tests.cli.test_separate_text import final, partial

LABELS = ("agent", "caller")


def tentative(channel: int, text: str) -> ChannelEvent:
    return ChannelEvent(channel, Partial("", (), text, (), 0.0, 1.0))


def test_a_pipe_gets_a_line_for_each_utterance(capsys: pytest.CaptureFixture[str]) -> None:
    with PlainChannels(LABELS) as display:
        display.show(partial(0, 3.0, (" one", 0.5), (" two", 2.0), (" or", 2.3)), "")
        assert capsys.readouterr().out == ""
        display.show(partial(1, 3.0), "")
        assert capsys.readouterr().out == "agent: one\n"
        display.show(None, "status")
        display.show(ChannelEvent(1, SpeechStarted(1.0)), "")
        display.show(final(1, 3.0, (" hey\x1b[2J", 1.0)), "")
        display.show(final(0, 3.0, (" one", 0.5), (" two", 2.0), (" or", 2.3)), "")
    assert capsys.readouterr().out == "caller: hey[2J\nagent: two or\n"


def screen(console: Console, width: int = 40) -> list[str]:
    shown = pyte.Screen(width, 20)
    stream = pyte.Stream(shown)
    stream.feed(console.file.getvalue().replace("\n", "\r\n"))  # type: ignore[attr-defined]
    return [line.rstrip() for line in shown.display if line.strip()]


def test_a_terminal_has_a_line_for_each_who_speaks() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=40)
    with TerminalChannels(console, LABELS) as display:
        display.show(None, "0:01")
        assert screen(console) == ["0:01"]
        display.show(partial(0, 1.0, (" one", 0.0)), "0:01")
        display.show(tentative(1, " he"), "0:01")
        assert screen(console) == ["agent: one", "caller: he", "0:01"]
        display.show(partial(1, 1.5, (" hello", 0.5)), "0:02")
        display.show(partial(0, 3.0, (" two", 2.0), (" or", 2.3)), "0:03")
        display.say("a message")
        assert screen(console)[:2] == ["agent: one", "a message"]
        assert screen(console)[2:] == ["agent: two or", "caller: hello", "0:03"]
        display.show(final(1, 3.0, (" hello", 0.5)), "0:03")
        said = ((" one", 0.0), (" two", 2.0), (" or", 2.3))
        display.show(final(0, 3.0, *said), "0:03")
    assert screen(console) == ["agent: one", "a message", "caller: hello", "agent: two or"]
