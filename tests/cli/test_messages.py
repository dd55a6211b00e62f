"""What commands say: nothing of a file's name or words reaches the terminal as an order."""

import io
import logging
import os
import sys
from pathlib import Path

import pytest

from parakeet_streaming.cli.app import main
from parakeet_streaming.cli.messages import OneLineFormatter, answer, complain, note
from parakeet_streaming.errors import OptionError

DIGITS = Path(__file__).parents[2] / "examples" / "recordings" / "digits.wav"
POSIX = pytest.mark.skipif(os.name == "nt", reason="names may have no controls there")
NAMES = [
    "\x1b]0;T\x07\x1b[31mred.wav",
    "a\nparakeet: all is well.wav",
    "\x9b2J.wav",
    "a\u202egnp.wav",
    "[red]a[bold]\x08\x08.wav",
    "a\rparakeet: all is well.wav",
    "a\u200b\u2028.wav",
]


def assert_clean(text):
    assert not any(
        ord(each) < 32 or 0x7F <= ord(each) < 0xA0 or each in "\u202e\u200b\u2028"
        for each in text.replace("\n", "")
    ), repr(text)
    assert "\nparakeet: all is well" not in text


@pytest.mark.parametrize("say", [complain, note])
def test_standard_error_gets_one_line(capsys, say):
    say("a\x1b[31m\nb")
    err = capsys.readouterr().err
    assert err.removeprefix("parakeet: ") == "a\\x1b[31m\\nb\n"


def test_standard_output_gets_one_line(capsys):
    answer("a\x07\nb")
    assert capsys.readouterr().out == "a\\x07\\nb\n"


def test_a_long_error_is_cut(capsys):
    complain(OptionError(", ".join(map(str, range(10**6)))))
    assert len(capsys.readouterr().err) < 3000


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["parakeet", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    printed = capsys.readouterr()
    assert_clean(printed.out)
    assert_clean(printed.err)
    return stopped.value.code, printed


@POSIX
@pytest.mark.parametrize("name", NAMES, ids=ascii)
@pytest.mark.parametrize(
    "command",
    [
        ("transcribe", "{}"),
        ("transcribe", "{}", "{}2"),
        ("transcribe", "--model", "{}", "x"),
        ("models", "inspect", "{}"),
        ("models", "verify", "./{}"),
        ("models", "download", "acme/{}"),
        ("plot", "{}"),
        ("export", "{}", "--to", "x"),
        ("export", "x", "--to", "x", "--precision", "{}"),
        ("--log-level", "{}", "doctor"),
        ("listen", "--device", "{}"),
        ("{}",),
        ("transcribe", "--{}"),
        ("transcribe", "x", "--rate", "{}"),
        ("models", "{}"),
    ],
    ids=" ".join,
)
def test_no_command_passes_a_name_on_as_it_is(monkeypatch, capsys, tmp_path, command, name):
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(b"no sound, no model")
    code, printed = run(monkeypatch, capsys, *(each.replace("{}", name) for each in command))
    assert code in (1, 2)
    assert printed.err


@POSIX
@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_nor_do_results(monkeypatch, capsys, tmp_path, name):
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(DIGITS.read_bytes())
    for written_as in ("txt", "vtt", "json"):
        arguments = ["transcribe", name, name, "--format", written_as]
        monkeypatch.setattr(sys, "argv", ["parakeet", *arguments])
        main_that_returns()
        printed = capsys.readouterr()
        assert_clean(printed.out)
        assert "one four" in printed.out
    assert printed.err == ""


def main_that_returns():
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 0


def logged(level, message, *values, **more):
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(OneLineFormatter("%(levelname)s %(message)s"))
    logger = logging.Logger("x")
    logger.addHandler(handler)
    logger.log(level, message, *values, **more)
    return stream.getvalue()


def test_a_line_of_the_log_is_one_line():
    assert logged(logging.INFO, "%s is odd", "a\nINFO b\x1b") == "INFO a\\nINFO b\\x1b is odd\n"


def test_a_traceback_in_the_log_has_its_lines():
    try:
        raise ValueError("\x1b[2J")
    except ValueError:
        text = logged(logging.ERROR, "failed", exc_info=True)
    assert text.startswith("ERROR failed\nTraceback")
    assert "\x1b" not in text
    assert "ValueError: \\x1b[2J" in text
