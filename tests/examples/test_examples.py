"""The example programs, run as people run them."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.server.processes import Served

EXAMPLES = Path(__file__).parents[2] / "examples"
DIGITS = EXAMPLES / "recordings" / "digits.wav"


def run(program: str, *arguments: str | Path) -> str:
    command = [sys.executable, "-W", "error", EXAMPLES / program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout


def test_simple_streaming() -> None:
    assert "48000 decoded" in run("simple_streaming.py")


@pytest.mark.parametrize("context", ["balanced", "10-2-2"])
def test_streaming_transcribe(context: str) -> None:
    words = run("streaming_transcribe.py", DIGITS, f"--context={context}").split("\n\n")[1]
    spoken = [line.split()[-1] for line in words.splitlines()]
    assert spoken == ["three", "one", "four", "one", "five", "nine", "two", "six"]


def test_multithreaded() -> None:
    said, counted = run("multithreaded.py", DIGITS).splitlines()
    assert said == "three one four one five nine two six"
    assert counted.endswith(", 0 samples refused")


def test_realtime_simulation() -> None:
    lines = run("realtime_simulation.py", DIGITS).splitlines()
    assert lines[0].startswith("latency 0.96 s")
    text = "".join(line.split("'")[1] for line in lines[1:])
    assert text == "three one four one five nine two six"


def test_live() -> None:
    said = run("live.py")
    assert "three one four one five nine two six" in said
    assert "zero eight zero zero five five seven two three four" in said
    assert said.count("(median)") == 2


def test_server_client() -> None:
    with Served("--fixed") as server:
        lines = run("server_client.py", f"--server={server.url}").splitlines()
    assert lines[0] == "tiny-en gives text within 0.96 s"
    assert lines[-1].endswith("three one four one five nine two six")
    assert any(line.startswith("… three|") for line in lines)
