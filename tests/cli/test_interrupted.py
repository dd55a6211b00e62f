"""What is left when a program is stopped, however it is stopped: each case is a process."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import soundfile

DIGITS = Path(__file__).parents[2] / "examples" / "recordings" / "digits.wav"
PROGRAM = "from parakeet_streaming.cli import main; main()"
SAID = "three one four one five nine two six"
LONG_S = 60.0

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


def raw():
    samples, _ = soundfile.read(DIGITS, dtype="int16")
    return samples.tobytes()


def started(*arguments, program=PROGRAM, **pipes):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, **pipes}
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments], stderr=subprocess.PIPE, **pipes
    )


def say(process, times=4):
    process.stdin.write(raw() * times)
    process.stdin.flush()


def wait_until(true):
    end_s = time.monotonic() + LONG_S
    while not true():
        assert time.monotonic() < end_s
        time.sleep(0.01)


def close(process):
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
    process.kill()
    process.wait()


@pytest.mark.parametrize(
    ("kind", "seen"), [("srt", " --> "), ("vtt", " --> "), ("txt", "three one"), ("json", "three")]
)
def test_a_program_that_is_killed_leaves_what_it_heard_and_the_older_result(tmp_path, kind, seen):
    path, part = tmp_path / f"a.{kind}", tmp_path / f"a.{kind}.part"
    path.write_text("old")
    process = started("transcribe", "-", f"--output={path}")
    say(process)
    wait_until(lambda: part.exists() and seen in part.read_text())
    process.send_signal(signal.SIGKILL)
    close(process)
    assert path.read_text() == "old"
    assert seen in part.read_text()


@pytest.mark.parametrize("kind", ["srt", "vtt"])
def test_subtitles_come_out_of_a_pipe_while_it_hears(kind):
    process = started("transcribe", "-", f"--format={kind}")
    say(process)
    while b" --> " not in process.stdout.readline():
        assert process.poll() is None
    assert process.stdout.readline().startswith(b"three")
    process.stdin.close()
    assert process.stdout.read().count(b" --> ") >= 2
    close(process)


def test_subtitles_of_a_file_come_while_it_is_read(tmp_path):
    samples, rate_hz = soundfile.read(DIGITS, dtype="int16")
    long = tmp_path / "long.wav"
    with soundfile.SoundFile(long, "w", rate_hz, 1) as file:
        for _ in range(200):
            file.write(samples)
    path, part = tmp_path / "a.srt", tmp_path / "a.srt.part"
    path.write_text("old")
    process = started("transcribe", str(long), f"--output={path}", "--context=2-1-1")
    wait_until(lambda: part.exists() and " --> " in part.read_text())
    assert path.read_text() == "old"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130
    assert b"is as it was" in said
    assert path.read_text() == "old"
    assert "three one" in part.read_text()
