"""A sound file in; the words that `parakeet transcribe` hears in it out."""

from __future__ import annotations

import subprocess
import tempfile
from functools import cache
from pathlib import Path

from client_tests.catalogue import PARAKEET, ROOT
from client_tests.environment import clean_environment


@cache
def words_of(sound: bytes, *options: str) -> tuple[str, ...]:
    """The words; options as of the command."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sound.wav"
        path.write_bytes(sound)
        ended = subprocess.run(
            [str(PARAKEET), "transcribe", str(path), *options],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=clean_environment(PYTHONPATH=str(ROOT / "src")),
            check=True,
        )
    return tuple(ended.stdout.split())
