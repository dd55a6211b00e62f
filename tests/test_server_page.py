"""Examples of docs/server.md, as they stand there, against a real server."""

import asyncio
import re
import shlex
import shutil
import subprocess
import sys

import pytest
import soundfile
from wyoming.asr import Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient

from parakeet_streaming.audio.files import read_audio
from tests.server.processes import ROOT, Served

PAGE = (ROOT / "docs" / "server.md").read_text(encoding="utf-8")
SAID = "three one four one five nine two six"
ADDRESS = "127.0.0.1:8000"


def blocks(heading, language):
    """The page's blocks of code under a heading."""
    section = re.split(r"^#+ ", PAGE.partition(f"\n### {heading}\n")[2], flags=re.MULTILINE)[0]
    return re.findall(rf"^```{language}\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def server():
    with Served("--api-key", "KEY") as server:
        server.line("ready ")
        yield server


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What the examples find where they are run."""
    folder = tmp_path_factory.mktemp("examples")
    samples = read_audio(ROOT / "examples" / "recordings" / "digits.wav")
    soundfile.write(folder / "talk.mp3", samples, 16_000)
    (folder / "talk.raw").write_bytes((samples * 32_767).astype("<i2").tobytes())
    return folder


def run(command, folder, **more):
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=300, check=False, **more
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("heading", ["OpenAI's REST API: files", "Deepgram's protocol"])
def test_python(server, folder, heading):
    program, *_ = blocks(heading, "python")
    assert ADDRESS in program
    program = program.replace(ADDRESS, server.url.rpartition("/")[2])
    said = run([sys.executable, "-"], folder, input=program)
    assert said.split() == SAID.split() * 2


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")
@pytest.mark.parametrize("heading", ["OpenAI's REST API: files", "Deepgram's protocol"])
def test_shell(server, folder, heading):
    (command,) = blocks(heading, "sh")
    command = command.replace(ADDRESS, server.url.rpartition("/")[2])
    said = run(["sh", "-c", command], folder)
    assert SAID in " ".join(said.split())


def test_wyoming(folder):
    async def heard(address):
        async with AsyncClient.from_uri(address) as client:
            await client.write_event(AudioStart(16_000, 2, 1).event())
            audio = (folder / "talk.raw").read_bytes()
            await client.write_event(AudioChunk(16_000, 2, 1, audio).event())
            await client.write_event(AudioStop().event())
            event = await client.read_event()
            while not Transcript.is_type(event.type):
                event = await client.read_event()
            return Transcript.from_event(event).text

    (commands,) = blocks("Home Assistant: Wyoming", "sh")
    assert len(commands.splitlines()) == 2
    for line in commands.splitlines():
        program, command, *arguments = shlex.split(line, comments=True)
        assert (program, command) == ("parakeet", "serve")
        arguments[arguments.index("--wyoming-port") + 1] = "0"
        with Served(*arguments) as server:
            port = server.line("ready ").rpartition(":")[2]
            assert asyncio.run(heard(f"tcp://127.0.0.1:{port}")) == SAID
