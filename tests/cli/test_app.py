"""The command line as a whole: help, version, exit codes, one-line errors."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from parakeet_streaming import __version__
from parakeet_streaming.cli.app import app, main

DIGITS = Path(__file__).parents[2] / "examples" / "recordings" / "digits.wav"


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int | str | None:
    monkeypatch.setattr(sys, "argv", ["parakeet", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    return stopped.value.code


def test_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "--version") == 0
    assert capsys.readouterr().out == f"parakeet-streaming {__version__}\n"


@pytest.mark.parametrize("command", ["transcribe", "export", "doctor", "models"])
def test_help_of_every_command(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.stdout


def test_the_log_is_written_to_standard_error_when_asked_for() -> None:
    logger = logging.getLogger("parakeet_streaming")
    before = list(logger.handlers)
    result = CliRunner().invoke(app, ["--log-level", "info", "transcribe", str(DIGITS)])
    assert "INFO parakeet_streaming.load: tiny-en " in result.stderr
    assert logger.handlers == before
    assert "INFO" not in CliRunner().invoke(app, ["transcribe", str(DIGITS)]).stderr
    result = CliRunner().invoke(app, ["--log-level", "loud", "doctor"])
    assert "use debug, info, warning, error" in str(result.exception)


def test_a_missing_model_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "transcribe", str(DIGITS), "--model=./no-such-model") == 1
    printed = capsys.readouterr().err
    assert printed.startswith("parakeet: ")
    assert printed.count("\n") == 1


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    program = "from parakeet_streaming.cli import main; main()"
    command = f'"{sys.executable}" -c "{program}" transcribe "{DIGITS}" --format=json | head -c 10'
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.stdout == '{\n  "sourc'
    assert done.stderr == ""
