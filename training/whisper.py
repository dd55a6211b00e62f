"""A folder of Whisper in CTranslate2's format in; its encoder, as a teacher, or what it hears, out.

Everything of faster-whisper is here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from faster_whisper import WhisperModel

from parakeet_streaming.errors import ModelFormatError, ModelPartMissingError
from parakeet_streaming.ports import Floats
from training.teacher import WINDOW_VECTORS, Encode

_ENCODER_FRAMES = 1500


def whisper_encoder(folder: Path, threads: int) -> Encode:
    """What Whisper's encoder makes of windows of 30 s, two of its frames of 20 ms in one vector.

    Raises:
        ModelPartMissingError: no model in the folder.
        ModelFormatError: a model that cannot be read.
    """
    model = _opened(folder, threads, "float32")

    def encode(samples: Floats) -> Floats:
        features = model.feature_extractor(samples)[:, : 2 * _ENCODER_FRAMES]
        frames = np.array(model.encode(features), dtype=np.float32)[0]
        return frames.reshape(WINDOW_VECTORS, 2, -1).mean(axis=1)

    return encode


def whisper_hearer(folder: Path, threads: int) -> Callable[[Floats], str]:
    """The words that Whisper hears in samples (n,), as English, with a beam of 5.

    Raises:
        ModelPartMissingError: no model in the folder.
        ModelFormatError: a model that cannot be read.
    """
    model = _opened(folder, threads, "int8")

    def hear(samples: Floats) -> str:
        segments, _ = model.transcribe(
            samples, language="en", beam_size=5, condition_on_previous_text=False, temperature=0.0
        )
        return " ".join(segment.text.strip() for segment in segments)

    return hear


def _opened(folder: Path, threads: int, compute_type: str) -> WhisperModel:
    if not (folder / "model.bin").is_file():
        raise ModelPartMissingError(
            f"{folder} has no model.bin; give a folder of Whisper as faster-whisper reads it"
        )
    try:
        return WhisperModel(str(folder), cpu_threads=threads, compute_type=compute_type)
    except (RuntimeError, ValueError) as error:
        raise ModelFormatError(f"{folder} cannot be read as Whisper: {error}") from error
