"""Every client, or those named, against a real server; a table, and what is wrong.

python -m client_tests [--only NAME ...]

Ends with 1 where a client hears anything else than `parakeet transcribe` does, or reports an error.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tempfile
import wave
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from client_tests.autobahn import conformance
from client_tests.catalogue import AUTOBAHN, OUT, RECORDINGS, ROOT, TRIALS, Trial, names
from client_tests.comparing import Result, faults, heard_words
from client_tests.environment import EnvironmentMissingError, clean_environment, python_of
from client_tests.serving import CONTEXT, KEY, served
from client_tests.tap import Tap
from client_tests.transcribed import words_of
from client_tests.wire import sounds_sent

_SILENCE_S: Final = 1.5
"""After what is said, so that whoever listens for the end of speech hears one."""
_ENDS_WITHIN_S: Final = 180.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what the command line asks for."""
    asked = _parser().parse_args(arguments)
    wanted = asked.only or names()
    print(f"{'client':22} {'recording':12} {'words':>5} {'parts':>5}  result")
    results = []
    for result in _results(wanted):
        results.append(result)
        said = "differs" if result.wrong else "equal" if result.words else "as it should be"
        counted = f"{result.words or '-':>5} {result.utterances or '-':>5}"
        print(f"{result.name:22} {result.recording:12} {counted}  {said}{result.note}", flush=True)
    used = dict(sorted({each: None for result in results for each in result.versions.items()}))
    print("\n" + ", ".join(f"{name} {version}" for name, version in used.items()))
    wrong = [(each, sentence) for each in results for sentence in each.wrong]
    for each, sentence in wrong:
        print(f"{each.name}, {each.recording}: {sentence}")
    print(f"{len(results)} run, {len(wrong)} faults")
    return 1 if wrong or not results else 0


def _results(wanted: Sequence[str]) -> Iterator[Result]:
    trials = [each for each in TRIALS if each.name in wanted]
    if trials:
        for each in {trial.environment: None for trial in trials}:
            python_of(each)
        with served("server.log") as url:
            for trial in trials:
                for recording in RECORDINGS:
                    yield run_trial(trial, recording, url)
    if AUTOBAHN in wanted:
        try:
            yield conformance()
        except EnvironmentMissingError as error:
            if wanted == [AUTOBAHN]:
                raise
            sys.stderr.write(f"{AUTOBAHN} is left out: {error}\n")


def run_trial(trial: Trial, recording: Path, url: str) -> Result:
    """One client hears one recording from the server at this address."""
    sys.stderr.write(f"{trial.name}, {recording.name}\n")
    server = urlsplit(url)
    assert server.hostname is not None
    assert server.port is not None
    with Tap(server.hostname, server.port) as tap, tempfile.TemporaryDirectory() as folder:
        sound = Path(folder) / recording.name
        sound.write_bytes(with_silence(recording.read_bytes()))
        heard = _drive(trial, tap.url, sound)
        sent = tap.sent()
    sounds = [sound for each in sent for sound in sounds_sent(each)]
    options = ("--context", CONTEXT) if trial.is_live else ()
    expected = [word for sound in sounds for word in words_of(sound, *options)]
    wrong = faults(heard, expected, trial.interims)
    if trial.is_live and len(sounds) != 1:
        wrong.append(f"the client connected {len(sounds)} times")
    return Result(
        trial.name,
        recording.name,
        len(heard_words(heard)),
        len(heard["utterances"]),
        wrong,
        heard["versions"],
    )


def _drive(trial: Trial, url: str, sound: Path) -> dict[str, Any]:
    """What the driver prints; what its client logs is kept in a file."""
    log = OUT / f"{trial.name}-{sound.stem}.log"
    with log.open("wb") as file:
        ended = subprocess.run(
            [
                *(str(python_of(trial.environment)), "-m", f"client_tests.drivers.{trial.driver}"),
                *(url, trial.mode, str(sound)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=file,
            cwd=ROOT,
            env=clean_environment(CLIENT_TESTS_KEY=KEY, PYTHONDONTWRITEBYTECODE="1"),
            check=False,
            timeout=_ENDS_WITHIN_S,
        )
    lines = ended.stdout.splitlines()
    if ended.returncode != 0 or not lines:
        raise RuntimeError(f"{trial.name} ended with {ended.returncode}; see {log}")
    heard: dict[str, Any] = json.loads(lines[-1])
    return heard


def with_silence(sound: bytes) -> bytes:
    """A WAV file, with silence after it."""
    with wave.open(io.BytesIO(sound), "rb") as file:
        parameters, samples = file.getparams(), file.readframes(file.getnframes())
    silence = bytes(round(_SILENCE_S * parameters.framerate) * parameters.sampwidth)
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setparams(parameters)
        file.writeframes(samples + silence)
    return made.getvalue()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="test-clients", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=names(), metavar="NAME", help="default: all")
    return parser


if __name__ == "__main__":
    sys.exit(main())
