"""A folder in; a list of a few dozen clips made from what the repository has, out.

Real speech where the repository has some with a known text, and tones that stand for digits: enough
to run every stage, not to learn anything.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from parakeet_streaming.audio.files import read_audio
from parakeet_streaming.errors import AudioNotFoundError
from parakeet_streaming.ports import Floats
from parakeet_streaming.timeline import SAMPLE_RATE_HZ, samples_to_seconds, seconds_to_samples
from training.manifest import DIGITS, Clip, write_manifest

REPOSITORY = Path(__file__).parents[1]
RECORDINGS = {
    "examples/recordings/digits.wav": "three one four one five nine two six",
    "examples/recordings/phone.wav": "zero eight zero zero five five seven two three four",
    "tests/parity/golden/audio/jfk.wav": (
        "and so my fellow americans ask not what your country can do for you ask what you can do "
        "for your country"
    ),
}
TONE_SPEAKERS = 3
TONE_S = 0.4


def smoke_data(folder: Path) -> Path:
    """Writes clips and their list into `folder`; returns the list.

    Raises:
        AudioNotFoundError: not run from a checkout of the repository.
    """
    folder.mkdir(parents=True, exist_ok=True)
    clips = []
    for name, text in RECORDINGS.items():
        source = REPOSITORY / name
        if not source.is_file():
            raise AudioNotFoundError(f"{source} is missing; --smoke needs a checkout of the source")
        clips.append(_written(folder / source.name, read_audio(source), text, "recorded"))
    for speaker in range(TONE_SPEAKERS):
        for value, digit in enumerate(DIGITS):
            path = folder / f"tone-{speaker}-{value}.wav"
            clips.append(_written(path, _tone(value, speaker), digit, f"tone {speaker}"))
    write_manifest(folder / "clips.jsonl", clips)
    return folder / "clips.jsonl"


def _written(path: Path, samples: Floats, text: str, speaker: str) -> Clip:
    soundfile.write(path, samples, SAMPLE_RATE_HZ)
    duration_s = samples_to_seconds(samples.shape[0])
    return Clip(path, text, speaker, duration_s, "smoke", "of this repository")


def _tone(value: int, speaker: int) -> Floats:
    """A tone that only one digit has, with a soft start and end."""
    count = seconds_to_samples(TONE_S)
    hz = 300.0 * 1.2**value * (1 + 0.02 * speaker)
    wave = np.sin(2 * np.pi * hz * np.arange(count) / SAMPLE_RATE_HZ) * np.hanning(count)
    return (0.3 * wave).astype(np.float32)
