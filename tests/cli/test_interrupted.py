"""What is left when a program is stopped, however it is stopped: each case is a process."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import soundfile

from parakeet_streaming.runtime import openvino_runtime
from tests.catalog.endless import endless_folder

DIGITS = Path(__file__).parents[2] / "examples" / "recordings" / "digits.wav"
PROGRAM = "from parakeet_streaming.cli import main; main()"
SAID = "three one four one five nine two six"
LONG_S = 300.0

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


def signal_once(process, number):
    """Sends a signal, and waits until it has arrived: two equal ones that wait count as one."""
    process.send_signal(number)
    status = Path(f"/proc/{process.pid}/status")

    def arrived():
        if process.poll() is not None or not status.exists():
            return True
        waiting = [line for line in status.read_text().splitlines() if "Pnd:" in line]
        return not any(int(line.split()[1], 16) for line in waiting)

    wait_until(arrived)


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


COMMAND = "from parakeet_command import main; main()"


def test_a_second_ctrl_c_quits_at_once_while_a_computation_runs(tmp_path):
    """Nothing of Python's main thread runs meanwhile, as with `--offline`."""
    program = """
import hashlib, os, threading
from parakeet_streaming.cli import app, transcribe
def compute(*_, **__):
    threading.Timer(0.5, os.write, (1, b"computing")).start()
    hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)
transcribe.load = compute
app.main()
"""
    process = started("transcribe", str(DIGITS), program=program)
    assert process.stdout.read(9) == b"computing"
    signal_once(process, signal.SIGINT)
    time.sleep(0.2)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait(LONG_S) == 130  # the computation takes many times as long
    assert process.stderr.read() == b""
    close(process)


RUNNING = f"""
import os
from parakeet_streaming.runtime import onnx_runtime, openvino_runtime
for kind in (onnx_runtime.OnnxRuntimeSession, openvino_runtime.OpenVinoSession):
    def run(self, feeds, run=kind.run):
        if "audio_signal" in feeds:
            os.write(2, b"encodes")
        return run(self, feeds)
    kind.run = run
{PROGRAM}
"""


INT, TERM = signal.SIGINT, signal.SIGTERM
ENCODER, DECODER = "encoder-model.onnx", "decoder_joint-model.onnx"


@pytest.mark.parametrize(
    ("runtime", "part", "command", "numbers", "code"),
    [
        ("onnxruntime", ENCODER, ("transcribe", str(DIGITS)), (TERM, TERM), 143),
        ("openvino", ENCODER, ("transcribe", "--context=2-1-1", str(DIGITS)), (INT, INT), 130),
        ("onnxruntime", DECODER, ("transcribe", "-"), (TERM, INT), 130),
        ("openvino", ENCODER, ("listen", "-"), (TERM, TERM), 143),
        ("onnxruntime", DECODER, ("listen", "-"), (INT, TERM), 143),
    ],
)
def test_a_model_that_never_answers_is_left_upon_the_second_signal(
    tmp_path, runtime, part, command, numbers, code
):
    if runtime == "openvino" and openvino_runtime.version() is None:
        pytest.skip("the openvino extra")
    folder = endless_folder(tmp_path / "model", part)
    process = started(*command, f"--model={folder}", f"--runtime={runtime}", program=RUNNING)
    if "-" in command:
        process.stdin.write(raw())
        process.stdin.flush()
    twice(process, numbers)
    assert process.wait(LONG_S) == code
    close(process)


def twice(process, numbers):
    """Sends two signals when the model computes and does not come back."""
    told = b""
    while not told.endswith(b"encodes"):
        told += process.stderr.read(1)
        assert process.poll() is None
    time.sleep(0.5)  # until the decoder is at work, where it has the loop
    for number in numbers:
        assert process.poll() is None
        signal_once(process, number)
        time.sleep(0.2)


def test_verifying_a_model_that_never_answers_is_left_upon_the_second_ctrl_c(tmp_path):
    folder = endless_folder(tmp_path / "model")
    process = started("models", "verify", "--provider=cpu", str(folder), program=RUNNING)
    twice(process, (signal.SIGINT, signal.SIGINT))
    assert process.wait(LONG_S) == 130
    close(process)


def test_ctrl_c_while_it_is_imported_is_no_traceback(tmp_path):
    program = f"""
import os, signal, sys
sys.argv = ["parakeet", "doctor"]
class Slow:
    def find_spec(self, name, path, target=None):
        if name == "parakeet_streaming":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Slow())
{COMMAND}
"""
    process = started(program=program)
    said, wrong = process.communicate()
    assert (process.returncode, said, wrong) == (130, b"", b"")


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_listening_tells_its_last_words_when_it_is_ended(tmp_path, number):
    path = tmp_path / "a.txt"
    process = started("listen", "-", f"--output={path}", "--endpointing=off", "--no-vad")
    say(process, times=1)
    wait_until(lambda: path.exists() and "three one" in path.read_text())
    process.send_signal(number)
    process.wait(LONG_S)
    assert process.returncode == 0
    assert path.read_text() == f"{SAID}\n"
    close(process)


def test_a_terminal_that_is_closed_costs_no_words(tmp_path):
    import pty

    path = tmp_path / "a.txt"
    ours, theirs = pty.openpty()
    program = f"import fcntl, termios; fcntl.ioctl(1, termios.TIOCSCTTY, 0); {PROGRAM}"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "listen", "-", f"--output={path}", "--endpointing=off",
         "--no-vad", "--stats"],
        stdin=subprocess.PIPE, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    say(process, times=1)
    wait_until(lambda: path.exists() and "three one" in path.read_text())
    os.close(ours)
    assert process.wait(LONG_S) == 0
    assert path.read_text() == f"{SAID}\n"
    process.stdin.close()


MICROPHONE = """
import os, signal, threading
import parakeet_streaming
class Microphone:
    rate_hz = 16_000
    channels = 1
    def __enter__(self):
        return self
    def __exit__(self, *_):
        pass
    def start(self, push, on_end):
        self.on_end = on_end
        push(parakeet_streaming.read_audio(RECORDING))
        threading.Timer(2.0, os.kill, (os.getpid(), signal.SIGINT)).start()
    def stop(self):
        self.on_end()
parakeet_streaming.Microphone = Microphone
"""


def test_the_program_of_the_live_page_tells_its_last_words():
    page = (Path(__file__).parents[2] / "docs" / "live.md").read_text(encoding="utf-8")
    program = page.split("```python\n")[1].split("```")[0]
    process = started(program=f"RECORDING = {str(DIGITS)!r}\n{MICROPHONE}\n{program}")
    said, wrong = process.communicate(timeout=LONG_S)
    assert (process.returncode, wrong) == (0, b"")
    words = [word for word in said.decode().split() if word.isalpha()]
    assert words[-1] == "six"
    assert said.endswith(b"[end]\n")
