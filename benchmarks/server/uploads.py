"""Live clients with uploads beside them, and without: whether those who speak notice.

python -m benchmarks.server.uploads FOLDER --streams 4 --uploads 2
python -m benchmarks.server.uploads --streams 2 --uploads 2 --seconds 10        a quick look

So many clients speak over the native protocol, as in `load`; then the same again, while so many
uploads to `POST /v1/audio/transcriptions` follow each other without a pause. The text of each
upload must be the same each time. Live goes first: texts may be late by one step of a recording
more, and no audio may be lost.
Needs the dependency groups `bench` and `server`. The table goes to standard output, progress to
standard error. The exit code is 1 where something was lost.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import soundfile

from benchmarks.report.machine import machine, machine_table
from benchmarks.report.tables import say
from benchmarks.server.child import Cores
from benchmarks.server.engine_alone import add_settings
from benchmarks.server.load import figure_table
from benchmarks.server.speakers import Trial
from benchmarks.server.trials import opened
from benchmarks.speech.book import speech_of
from parakeet_streaming.timeline import SAMPLE_RATE_HZ

_BOUNDARY: Final = "parakeet-benchmark"
_PATIENCE_S: Final = 600.0


@dataclass
class Uploads:
    """Threads that upload the same recording again and again."""

    url: str
    recording: bytes
    """A file."""
    recording_s: float
    took_s: list[float] = field(default_factory=list)
    texts: set[str] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def begin(self, count: int) -> None:
        """So many at once."""
        self._threads = [threading.Thread(target=self._upload_all) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Waits for those that are under way."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _upload_all(self) -> None:
        while not self._over.is_set():
            began_s = time.perf_counter()
            try:
                self.texts.add(transcribed(self.url, self.recording))
            except OSError as error:
                self.errors.append(str(error))
                return
            self.took_s.append(time.perf_counter() - began_s)


def transcribed(url: str, recording: bytes, key: str | None = None) -> str:
    """The text of a recording, over OpenAI's endpoint.

    Raises:
        OSError: it is refused, or the connection ends.
    """
    head = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n'
        "Content-Type: audio/wav\r\n\r\n"
    )
    tail = (
        f'\r\n--{_BOUNDARY}\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n'
        f"--{_BOUNDARY}--\r\n"
    )
    headers = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    request = urllib.request.Request(
        f"{url}/v1/audio/transcriptions", head.encode() + recording + tail.encode(), headers
    )
    with urllib.request.urlopen(request, timeout=_PATIENCE_S) as reply:
        return str(json.load(reply)["text"])


def recording_of(seconds: float) -> bytes:
    """A WAV file of so much of a book."""
    file = io.BytesIO()
    soundfile.write(file, speech_of(seconds), SAMPLE_RATE_HZ, format="WAV", subtype="PCM_16")
    return file.getvalue()


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what the command line asks for; 1 where something was lost."""
    asked = _parser().parse_args(arguments)
    cores = Cores.divided(asked.serving_cores)
    print(f"{machine_table()}\n\n{cores}\n", flush=True)
    recording = recording_of(asked.recording_s)
    with opened(asked, cores, ["--max-uploads", str(asked.uploads)]) as trials:
        speech = None if asked.speech is None else str(asked.speech)
        seconds = trials.warm_up_s + asked.seconds
        trial = Trial("native", asked.streams, seconds, speech=speech, seed=asked.seed)
        late = {"without uploads": trials.run(trial)}
        uploads = Uploads(trials.server.url, recording, asked.recording_s)
        trials.begin(trial)
        uploads.begin(asked.uploads)
        late[f"beside {asked.uploads} uploads"] = trials.end(trial)
        uploads.end()
    count, took_s = len(uploads.took_s), sum(uploads.took_s)
    say(f"{count} uploads, {uploads.errors}")
    speed = asked.recording_s * count / took_s if took_s else 0.0
    print(f"{figure_table(late)}\n")
    print(
        f"{count} uploads of {asked.recording_s:g} s, {asked.uploads} at once, each "
        f"{speed:.1f} times as fast as it is spoken; {len(uploads.texts)} different texts."
    )
    print("\n".join(uploads.errors))
    if asked.json is not None:
        report = {
            "machine": asdict(machine()),
            "late": {name: asdict(each) for name, each in late.items()},
            "took_s": uploads.took_s,
        }
        asked.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    lost = any(each.lost for each in late.values())
    return int(lost or bool(uploads.errors) or len(uploads.texts) > 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_settings(parser)
    add = parser.add_argument
    add("--streams", type=int, default=4, help="live clients (default: %(default)s)")
    add("--uploads", type=int, default=2, help="at once (default: %(default)s)")
    add("--recording-s", type=float, default=60.0, help="of an upload (default: %(default)g)")
    add("--speech", type=Path, metavar="SPEECH", help="folder (default: examples/recordings)")
    add("--seconds", type=float, default=60.0, help="that count (default: %(default)g)")
    add("--serving-cores", type=int, help="for recognition (default: three of four)")
    add("--seed", type=int, default=0, help="of the moments at which clients begin")
    add("--json", type=Path, metavar="FILE", help="also write all numbers there")
    return parser


if __name__ == "__main__":
    sys.exit(main())
