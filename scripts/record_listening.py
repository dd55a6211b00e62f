"""Recordings in; a real run of `parakeet listen` on a microphone that plays them, as a .cast, out.

    python scripts/record_listening.py listen.cast digits.wav -- --preset low_latency

The microphone is ALSA's `file` device, so this runs on Linux, with PortAudio and without a sound
card. After `--` come options of `parakeet listen`. It ends by Ctrl-C, as people end it. The .cast
is asciinema's version 2. The screen is printed twice: after half of the speech, and at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import pty
import select
import struct
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Iterator
from fcntl import ioctl
from pathlib import Path

import numpy as np
import pyte
import soundfile
import soxr

COLUMNS, LINES = 80, 16
NAME = "desk_microphone"
RATE_HZ = 44_100  # what PortAudio takes a device for that takes any
PAUSE_S = 1.2
ROOM_DBFS = -70.0
AFTER_S = 2.5
PIPE_BYTES = 4096  # what a pipe takes in one piece
CONFIGURATION = """
</usr/share/alsa/alsa.conf>
pcm.{name} {{ type file slave.pcm null file /dev/null infile {path} format raw }}
"""


class Loudspeaker:
    """Plays recordings into the microphone at the speed at which they were spoken."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self._pipe = os.open(path, os.O_RDWR)
        self._random = np.random.default_rng(0)
        self._stopped = threading.Event()
        self.played_s = 0.0

    def room(self, seconds: float) -> np.ndarray:
        """The noise of a quiet room, which no digital silence is."""
        noise = self._random.normal(0, 10 ** (ROOM_DBFS / 20), round(RATE_HZ * seconds))
        return noise.astype(np.float32)

    def piece_samples(self) -> int:
        """Whole reads of PortAudio in one piece: a read that is short would give old memory."""
        from parakeet_streaming.sources.microphone import Microphone

        sizes: list[int] = []
        received = threading.Event()

        def push(samples: np.ndarray) -> int:
            sizes.append(len(samples))
            received.set()
            return len(samples)

        self.play(np.zeros(0, np.float32), PIPE_BYTES // 4)
        with Microphone(NAME) as microphone:
            microphone.start(push)
            received.wait()
        self.stop()
        return max(1, PIPE_BYTES // 4 // sizes[0]) * sizes[0]

    def play(self, sound: np.ndarray, piece_samples: int) -> None:
        """Plays from now on; after the sound comes the noise of the quiet room."""
        self._stopped.clear()
        self._thread = threading.Thread(target=self._play, args=(sound, piece_samples))
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        while self._thread.is_alive() or select.select([self._pipe], [], [], 0)[0]:
            # A write waits where nobody reads any more.
            if select.select([self._pipe], [], [], 0.05)[0]:
                os.read(self._pipe, 1 << 16)

    def _play(self, sound: np.ndarray, piece_samples: int) -> None:
        start_s, position = time.monotonic(), 0
        while not self._stopped.is_set():
            piece = sound[position : position + piece_samples]
            piece = np.concatenate([piece, self.room(1.0)])[:piece_samples]
            os.write(self._pipe, piece.tobytes())
            position += piece_samples
            self.played_s = position / RATE_HZ
            time.sleep(max(0.0, start_s + self.played_s - time.monotonic()))


def sound_of(files: list[str], loudspeaker: Loudspeaker) -> np.ndarray:
    parts = [loudspeaker.room(PAUSE_S)]
    for file in files:
        samples, rate_hz = soundfile.read(file, dtype="float32")
        parts += [soxr.resample(samples, rate_hz, RATE_HZ), loudspeaker.room(PAUSE_S)]
    return np.concatenate(parts)


def run(command: list[str]) -> tuple[int, int]:
    """Starts a command on a terminal of its own."""
    process, terminal = pty.fork()
    if process == 0:
        os.execvp(command[0], command)
    ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    return process, terminal


def outputs(terminal: int) -> Iterator[bytes]:
    """What appears, and nothing now and then."""
    while True:
        if not select.select([terminal], [], [], 0.05)[0]:
            yield b""
            continue
        try:
            shown = os.read(terminal, 1 << 16)
        except OSError:  # Linux says so when the other end is closed
            return
        if not shown:
            return
        yield shown


class Recording:
    """What appears on a terminal, and when."""

    def __init__(self, typed: str) -> None:
        self.events: list[tuple[float, str, str]] = []
        self._screen = pyte.Screen(COLUMNS, LINES)
        self._stream = pyte.ByteStream(self._screen)
        self.add(0.0, typed.encode())

    def add(self, at_s: float, shown: bytes) -> None:
        self._stream.feed(shown)
        self.events.append((round(at_s, 3), "o", shown.decode("utf-8", "replace")))

    def show(self) -> None:
        lines = [line.rstrip() for line in self._screen.display]
        sys.stdout.write("\n".join(lines).rstrip() + "\n\n")

    def write(self, path: Path) -> None:
        header = {"version": 2, "width": COLUMNS, "height": LINES, "title": "parakeet listen"}
        lines = [header, *self.events]
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        path.write_text(text, encoding="utf-8")


def record(
    recording: Recording, loudspeaker: Loudspeaker, files: list[str], asked: list[str]
) -> None:
    """Runs the command, plays the files when it listens, and ends it."""
    piece_samples = loudspeaker.piece_samples()
    sound = sound_of(files, loudspeaker)
    sound_s = len(sound) / RATE_HZ
    code = "from parakeet_streaming.cli import main; main()"
    process, terminal = run([sys.executable, "-c", code, "listen", *asked])
    listening_s: float | None = None
    shown_half = ended = False
    for shown in outputs(terminal):
        now_s = time.monotonic()
        if b"listening to" in shown and listening_s is None:
            listening_s = now_s
            loudspeaker.played_s = 0.0
            loudspeaker.play(sound, piece_samples)
        if shown:
            recording.add(1.0 if listening_s is None else 1.0 + now_s - listening_s, shown)
        if not shown_half and listening_s and loudspeaker.played_s > sound_s / 2:
            shown_half = True
            recording.show()
        if not ended and listening_s and loudspeaker.played_s > sound_s + AFTER_S:
            ended = True
            os.write(terminal, b"\x03")
    loudspeaker.stop()
    os.waitpid(process, 0)
    recording.show()


def main() -> None:
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cast", help="file to write")
    parser.add_argument("recordings", nargs="+")
    options = parser.parse_args(sys.argv[1:split])
    asked = sys.argv[split + 1 :]
    recording = Recording(" ".join(["$ parakeet listen", *asked]) + "\r\n")
    with tempfile.TemporaryDirectory() as folder:
        configuration, sound = Path(folder, "asound.conf"), Path(folder, "sound")
        configuration.write_text(CONFIGURATION.format(name=NAME, path=sound), encoding="utf-8")
        os.environ["ALSA_CONFIG_PATH"] = str(configuration)
        os.environ["TERM"] = "xterm-256color"
        record(recording, Loudspeaker(sound), options.recordings, asked)
    recording.write(Path(options.cast))


if __name__ == "__main__":
    main()
