"""Clips in; all their samples in one file, int16 at 16 kHz, and a list of where each begins, out.

Training reads every clip many times; from one mapped file that costs nothing, in any process.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.audio.files import read_audio
from parakeet_streaming.errors import AudioFormatError, ModelPartMissingError, ParakeetError
from parakeet_streaming.ports import Floats
from parakeet_streaming.timeline import (
    FRAME_SAMPLES,
    samples_to_seconds,
    seconds_to_samples,
)
from training.manifest import Clip
from training.workers import workers

_FULL_SCALE = 32767.0


@dataclass(frozen=True)
class StoredClip:
    """A clip within a store."""

    start: int
    """First sample."""
    samples: int
    text: str
    speaker: str
    corpus: str
    licence: str

    @property
    def duration_s(self) -> float:
        return samples_to_seconds(self.samples)


class Store:
    """Packed clips, opened."""

    def __init__(self, folder: Path) -> None:
        """Opens a folder that `pack` wrote.

        Raises:
            ModelPartMissingError: nothing was packed there.
        """
        self._folder = folder
        if not (folder / "clips.jsonl").is_file():
            raise ModelPartMissingError(f"{folder} has no clips; run the stage `prepare` first")
        lines = (folder / "clips.jsonl").read_text(encoding="utf-8").splitlines()
        self.clips = [StoredClip(**json.loads(line)) for line in lines]

    @cached_property
    def _audio(self) -> NDArray[np.int16]:
        return np.memmap(self._folder / "audio.i16", dtype=np.int16, mode="r")

    def samples(self, clip: StoredClip) -> Floats:
        """(n,) float32 at 16 kHz."""
        packed = self._audio[clip.start : clip.start + clip.samples]
        return packed.astype(np.float32) / np.float32(_FULL_SCALE)


@dataclass(frozen=True)
class Packed:
    """What `pack` did."""

    clips: int
    hours: float
    too_long: int
    unreadable: tuple[str, ...]


def pack(clips: Sequence[Clip], folder: Path, longest_s: float, processes: int) -> Packed:
    """Decodes clips, resamples them to 16 kHz and writes a store.

    Clips longer than `longest_s` are left out, and so are files that cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    start, too_long, kept, unreadable = 0, 0, [], []
    with (
        workers(processes) as pool,
        (folder / "audio.i16").open("wb") as packed,
    ):
        read = pool.map(_read, clips, chunksize=32)
        for clip, samples in zip(clips, read, strict=True):
            if isinstance(samples, str):
                unreadable.append(samples)
            elif samples.shape[0] > seconds_to_samples(longest_s):
                too_long += 1
            else:
                packed.write(samples.tobytes())
                count = samples.shape[0]
                kept.append(
                    StoredClip(start, count, clip.text, clip.speaker, clip.corpus, clip.licence)
                )
                start += count
    if not kept:
        raise AudioFormatError(
            f"none of {len(clips)} clips can be used: {too_long} are longer than {longest_s:g} s, "
            f"{len(unreadable)} cannot be read; check the lists given with --train"
        )
    lines = "".join(json.dumps(vars(clip)) + "\n" for clip in kept)
    (folder / "clips.jsonl").write_text(lines, encoding="utf-8")
    return Packed(len(kept), samples_to_seconds(start) / 3600, too_long, tuple(unreadable))


def part(samples: Floats, clip: Clip) -> Floats:
    """What a clip is of its file's samples (n,)."""
    if clip.offset_s is None:
        return samples
    assert clip.duration_s is not None
    start = seconds_to_samples(clip.offset_s)
    return samples[start : start + seconds_to_samples(clip.duration_s)]


def _read(clip: Clip) -> NDArray[np.int16] | str:
    """A clip's samples, or what is wrong with it."""
    try:
        samples = read_audio(clip.audio)
    except ParakeetError as error:
        return str(error)
    samples = part(samples, clip)
    if samples.shape[0] < FRAME_SAMPLES:
        return f"{clip.audio} is shorter than one encoder frame"
    return np.round(np.clip(samples, -1, 1) * _FULL_SCALE).astype(np.int16)
