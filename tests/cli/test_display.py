"""What appears on a terminal and in a pipe."""

import errno
import io
import textwrap
from dataclasses import replace

import pyte
import pytest
from rich.console import Console

from parakeet_streaming.audio.health import Level
from parakeet_streaming.cli.display import (
    Plain,
    Silent,
    Status,
    Terminal,
    UntilGone,
    clock,
    level_meter,
    progress_bar,
)
from parakeet_streaming.results import Final, Partial, SpeechStarted, Transcript

FINAL = Final(Transcript("", (), (), (), 1.0))


def partial(text: str, tentative: str = "") -> Partial:
    return Partial(text, (), tentative, (), 1.0, 1.5)


class Gone(Silent):
    def __init__(self, number: int) -> None:
        self.error = OSError(number, "no")
        self.asked = 0

    def show(self, event: object, status: str) -> None:
        self.asked += 1
        raise self.error


def test_a_terminal_that_is_gone_is_asked_once() -> None:
    gone = Gone(errno.EIO)
    with UntilGone(gone) as display:
        display.show(None, "")
        display.show(None, "")
        display.say("a message")
    assert gone.asked == 1
    with pytest.raises(BrokenPipeError), UntilGone(Gone(errno.EPIPE)) as display:
        display.show(None, "")


def terminal(width: int = 20) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=width, color_system="standard")


def screen(console: Console, width: int = 20) -> list[str]:
    """The lines that are left on the screen."""
    emulated = pyte.Screen(width, 60)
    assert isinstance(console.file, io.StringIO)
    pyte.Stream(emulated).feed(console.file.getvalue().replace("\n", "\r\n"))
    return [line.rstrip() for line in emulated.display if line.strip()]


def test_a_pipe_gets_committed_text_only(capsys: pytest.CaptureFixture[str]) -> None:
    with Plain() as display:
        display.show(partial("one", " two"), "status")
        display.show(None, "status")
        display.show(SpeechStarted(0.5), "status")
        display.show(partial(" two"), "status")
    assert capsys.readouterr().out == "one two\n"


def test_a_pipe_gets_a_line_per_utterance(capsys: pytest.CaptureFixture[str]) -> None:
    with Plain() as display:
        display.show(partial("one"), "")
        display.show(FINAL, "")
        display.show(FINAL, "")
        display.show(partial(" two"), "")
    assert capsys.readouterr().out == "one\ntwo\n"


def too_long(text: str) -> Final:
    transcript = replace(FINAL.transcript, text=text)
    return Final(transcript, 0, "max_length")


@pytest.mark.parametrize(
    ("after", "lines"),
    [
        (["ture", " of"], ["the nature", "of"]),
        (["ture of"], ["the nature", "of"]),
        ([" of"], ["the na", "of"]),
        (["ture"], ["the nature"]),
        ([], ["the na"]),
    ],
)
def test_no_line_of_a_pipe_ends_within_a_word(
    after: list[str], lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with Plain() as display:
        display.show(partial("the na"), "")
        display.show(too_long("the"), "")
        for text in after:
            display.show(partial(text), "")
    assert capsys.readouterr().out.splitlines() == lines


def test_a_word_before_which_an_utterance_ended_begins_the_next_line() -> None:
    console = terminal()
    with Terminal(console) as display:
        display.show(partial("the na"), "")
        display.show(too_long("the"), "")
        display.show(partial("ture"), "")
        display.show(too_long("nature"), "")
        display.show(partial(" of"), "")
    assert screen(console) == ["the", "nature", "of"]


def test_a_pipe_gets_nothing_for_silence(capsys: pytest.CaptureFixture[str]) -> None:
    with Plain() as display:
        display.show(partial(""), "status")
        display.show(FINAL, "status")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("display", [Plain(), Silent()])
def test_what_people_should_know_keeps_out_of_the_pipe(
    display: Silent, capsys: pytest.CaptureFixture[str]
) -> None:
    with display:
        display.say("it is muted")
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "parakeet: it is muted\n")


def test_a_terminal_dims_tentative_text_and_keeps_committed_text() -> None:
    console = terminal()
    with Terminal(console) as display:
        display.show(partial("one", " two"), "10 %")
        display.show(partial(" two"), "20 %")
    drawn = console.file.getvalue()
    assert "\x1b[2;3m two\x1b[0m" in drawn
    assert "\x1b[2m10 %\x1b[0m" in drawn
    assert drawn.rstrip().endswith("one two")


def test_utterances_are_lines_and_messages_stand_between_them() -> None:
    console = terminal()
    with Terminal(console) as display:
        display.show(partial("one", " two"), "")
        display.show(partial(" two"), "")
        display.show(FINAL, "")
        display.say("it is muted")
        display.show(partial(" three"), "")
    assert screen(console) == ["one two", "it is muted", "three"]


def test_tentative_text_stays_while_only_the_status_changes() -> None:
    console = terminal()
    display = Terminal(console)
    with display:
        display.show(partial("one", " two"), "1 s")
        display.show(None, "2 s")
        assert screen(console) == ["one two", "2 s"]


def test_a_status_that_is_too_long_is_cut() -> None:
    console = terminal()
    with Terminal(console) as display:
        display.show(None, "a status that is far too long")
        assert screen(console) == ["a status that is fa…"]


def test_long_text_is_printed_once_line_by_line() -> None:
    console = terminal(width=20)
    words = [f"word{number}" for number in range(30)]
    with Terminal(console) as display:
        for number, word in enumerate(words):
            display.show(partial(word if number == 0 else f" {word}", " perhaps"), "status")
    assert screen(console) == textwrap.wrap(" ".join(words), 20)


def test_status_shows_only_its_line_and_passes_text_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    console = terminal()
    with Status(console, Plain()) as display:
        display.show(partial("one"), "half way")
        display.say("it is muted")
    assert "half way" in console.file.getvalue()
    assert screen(console) == ["it is muted"]
    assert capsys.readouterr().out == "one\n"


@pytest.mark.parametrize(("share", "done"), [(-1, 0), (0, 0), (0.5, 12), (1, 24), (7, 24)])
def test_progress_bar(share: float, done: int) -> None:
    assert progress_bar(share) == "━" * done + "╌" * (24 - done)


@pytest.mark.parametrize(
    ("rms_dbfs", "done", "words"),
    [(-120.0, 0, "-120 dB"), (-60.0, 0, " -60 dB"), (-30.0, 5, " -30 dB"), (0.0, 10, "   0 dB")],
)
def test_level_meter(rms_dbfs: float, done: int, words: str) -> None:
    assert level_meter(Level(rms_dbfs, rms_dbfs)) == "━" * done + "╌" * (10 - done) + f" {words}"


@pytest.mark.parametrize(("seconds", "written"), [(7.9, "0:07"), (3725, "1:02:05"), (0, "0:00")])
def test_clock(seconds, written):
    assert clock(seconds) == written


HOSTILE = "\x1b]0;T\x07 one\x1b[2J\n\x9b31mtwo\u202e"


def test_recognised_text_gives_a_terminal_no_orders() -> None:
    console = terminal(60)
    with Terminal(console) as display:
        display.show(partial(HOSTILE, HOSTILE), f"{HOSTILE}.wav")
        display.say(HOSTILE)
        display.show(FINAL, "")
    assert isinstance(console.file, io.StringIO)
    written = console.file.getvalue()
    assert not any(each in written for each in ("\x1b]0", "\x07", "\x1b[2J\n", "\x9b", "\u202e"))
    assert "]0;T one[2J 31mtwo" in screen(console, 60)


def test_recognised_text_gives_a_pipe_no_orders(capsys: pytest.CaptureFixture[str]) -> None:
    with Plain() as display:
        display.show(partial(HOSTILE), "")
        display.show(partial("\x85\x00three"), "")
        display.say(HOSTILE)
    printed = capsys.readouterr()
    assert printed.out == "]0;T one[2J 31mtwo three\n"
    assert printed.err == "parakeet: \\x1b]0;T\\x07 one\\x1b[2J\\n\\x9b31mtwo\\u202e\n"


def test_a_status_is_one_line_without_orders() -> None:
    console = terminal(60)
    with Status(console, Silent()) as display:
        display.show(None, HOSTILE)
        display.say(HOSTILE)
    assert isinstance(console.file, io.StringIO)
    assert not any(each in console.file.getvalue() for each in ("\x1b]0", "\x07", "\x9b", "\u202e"))
