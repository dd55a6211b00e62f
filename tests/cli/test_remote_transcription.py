"""`parakeet listen --server`, with a real server."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from parakeet_streaming.cli import listen_source
from parakeet_streaming.cli.app import app
from parakeet_streaming.client import Client
from parakeet_streaming.errors import AccessError, CapacityError, OptionError, ServerError
from parakeet_streaming.sources.live import BlockSource
from tests.server.processes import ROOT, Served

DIGITS = Path(__file__).parents[2] / "examples" / "recordings" / "digits.wav"
SAID = "three one four one five nine two six"
RAW = soundfile.read(DIGITS, dtype="int16")[0].tobytes()
KEY = "k1"


@pytest.fixture(scope="module")
def url():
    with Served("--fixed", f"--api-key={KEY}") as server:
        yield server.url


def parakeet(*arguments, piped=RAW, key=KEY):
    environment = {"PARAKEET_API_KEY": key or ""}
    return CliRunner(env=environment).invoke(app, ["listen", *arguments], input=piped)


def test_standard_input_goes_to_the_server(url):
    result = parakeet("-", f"--server={url}")
    assert (result.exit_code, result.stdout) == (0, f"{SAID}\n")
    first, last = result.stderr.splitlines()
    assert first == (
        f"parakeet: {url} listens to standard input (16000 Hz) with tiny-en · text within 0.96 s · "
        "Ctrl-C ends"
    )
    assert last == "4.4 s of audio · latency 0.96 s"


@pytest.mark.parametrize("format", ["srt", "vtt", "txt"])
def test_files_are_as_those_of_this_machine(url, tmp_path, format):
    here, there = tmp_path / f"here.{format}", tmp_path / f"there.{format}"
    how = ("-", "--fixed", "--context=5-0.5-0.5", "--endpointing=relaxed", "--no-tentative")
    parakeet(*how, f"--output={here}")
    result = parakeet(*how, f"--server={url}", f"--output={there}", f"--save={tmp_path / 'a.wav'}")
    assert result.exit_code == 0
    assert there.read_text() == here.read_text()
    assert soundfile.read(tmp_path / "a.wav", dtype="int16")[0].tobytes() == RAW


def test_events_are_as_those_of_this_machine(url):
    how = ("-", "--fixed", "--format=jsonl", "--no-vad", "--endpointing=off")
    here, there = (
        [json.loads(line) for line in parakeet(*how, *more).stdout.splitlines()]
        for more in ((), (f"--server={url}",))
    )
    whole, other = here[-1], there[-1]
    assert {name: other[name] for name in ("text", "words", "segments", "context", "model")} == {
        name: whole[name] for name in ("text", "words", "segments", "context", "model")
    }
    assert {each["type"] for each in there} == {"partial", "final", "transcript"}


def test_an_end_of_utterances_that_is_asked_for_counts_also_if_it_is_the_usual_one():
    """It was left to the server, which may have another one."""
    twice = RAW + bytes(16_000 * 2) + RAW
    with Served("--fixed", "--endpointing=off") as server:
        how = ("-", "--fixed", f"--server={server.url}")
        told = [
            parakeet(*how, *more, piped=twice, key=None).stdout.splitlines()
            for more in ((), ("--endpointing=balanced",))
        ]
    assert [len(lines) for lines in told] == [1, 2]


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (("--model=x",), OptionError, "--model: the server decides"),
        (("--stats",), OptionError, "--stats: the server decides"),
        (("--threshold=0.6",), OptionError, "--threshold"),
        (("--context=0-0-0",), ValueError, "0"),
        (("--server=http://",), OptionError, "address"),
        (("--server=http://127.0.0.1:1",), ServerError, "cannot be reached"),
        (("--api-key=wrong",), AccessError, "not known"),
    ],
)
def test_what_does_not_go_is_said(url, arguments, error, says):
    result = parakeet("-", f"--server={url}", *arguments)
    assert isinstance(result.exception, error)
    assert says in str(result.exception)
    assert result.stdout == ""


def test_a_full_server_says_so():
    with Served("--max-streams=1") as server, Client(server.url) as other:
        other.stream()
        result = parakeet("-", f"--server={server.url}", key=None)
    assert isinstance(result.exception, CapacityError)


def samples():
    sound = soundfile.read(DIGITS, dtype="float32")[0]
    return [sound[start : start + 1600] for start in range(0, len(sound), 1600)]


def test_a_microphone_is_told_how_late_its_text_is(url, monkeypatch):
    class Recorded(BlockSource):
        device = type("Device", (), {"name": "desk"})()

        def __init__(self, *_, **__):
            super().__init__(samples(), 16_000, can_wait=False)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.stop()

    monkeypatch.setattr(listen_source, "Microphone", Recorded)
    result = parakeet(f"--server={url}")
    assert result.stdout == f"{SAID}\n"
    assert "text appeared" in result.stderr.splitlines()[-1]


class Listener:
    """`parakeet listen --server` as a process, whose standard input stays open."""

    def __init__(self, url, *more):
        command = "import parakeet_command; parakeet_command.main()"
        self.process = subprocess.Popen(
            [sys.executable, "-c", command, "listen", "-", f"--server={url}", *more],
            env={"PYTHONPATH": str(ROOT / "src"), "PARAKEET_API_KEY": KEY, "PATH": "/usr/bin:/bin"},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def says(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def heard(self, characters):
        return self.process.stdout.read(characters).decode()

    def ended(self):
        """Its exit code, the rest of its output, and its messages."""
        out, said = self.process.stdout.read(), self.process.stderr.read()
        return self.process.wait(300), out.decode(), said.decode()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()


def test_ctrl_c_ends_with_all_that_was_sent(url):
    with Listener(url) as listener:
        listener.says(RAW)
        begun = listener.heard(5)
        listener.process.send_signal(signal.SIGINT)
        code, rest, _ = listener.ended()
    assert (code, begun + rest) == (0, f"{SAID}\n")


def test_a_server_that_is_killed_leaves_what_was_heard(tmp_path):
    with Served("--fixed") as server, Listener(server.url, "--reconnect-s=3") as listener:
        listener.says(RAW)
        begun = listener.heard(9)
        server.signal(signal.SIGKILL)
        code, rest, said = listener.ended()
    assert code == 1
    assert SAID.startswith((begun + rest).rstrip("\n"))
    assert rest.endswith("\n")
    lost = "parakeet: the server ended the stream: the connection broke; then ws://"
    assert said.splitlines()[-1].startswith(lost)


def test_channels_apart(url, tmp_path):
    mono = soundfile.read(DIGITS, dtype="int16")[0]
    both = np.zeros((2 * len(mono), 2), np.int16)
    both[: len(mono), 1] = both[len(mono) :, 0] = mono
    how = ("-", "--channels=separate", "--channel-names=agent,caller", "--fixed")
    result = parakeet(*how, f"--server={url}", piped=both.tobytes())
    assert (result.exit_code, result.stdout) == (0, f"caller: {SAID}\nagent: {SAID}\n")
    here, there = (
        json.loads(parakeet(*how, "--format=json", *more, piped=both.tobytes()).stdout)
        for more in ((), (f"--server={url}",))
    )
    for each in ("text", "utterances"):
        assert there[each] == here[each]
