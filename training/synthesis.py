"""Public-domain sentences in; the same sentences in many synthetic voices, as Opus and a list, out.

Rules of this file:

1. A synthesizer reads the normalised text, so that the words are those of the list; only the marks
   at which people pause stay in.
2. One call reads a block of sentences with one voice; blocks run in several processes.
3. One utterance in five is a string of digits, some are a few words of a sentence, most are whole.
4. A sentence that a synthesizer fails on, or reads in an impossible time, is left out.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from parakeet_streaming.audio.files import read_audio
from parakeet_streaming.errors import AudioFormatError, AudioNotFoundError, ParakeetError
from parakeet_streaming.ports import Floats
from parakeet_streaming.timeline import SAMPLE_RATE_HZ, samples_to_seconds
from training.kokoro import SAMPLE_RATE_HZ as KOKORO_RATE_HZ
from training.kokoro import SYNTHESIZER as KOKORO
from training.kokoro import kokoro_speech
from training.manifest import DIGITS, Clip, with_marks, without_marks, write_manifest
from training.noises import Random, at_level
from training.voices import Voice
from training.workers import workers

CORPUS, NEURAL_CORPUS = "synthetic", "synthetic-neural"
MANIFEST_NAME = "manifest.jsonl"
BLOCK_SENTENCES = 24
DIGIT_STRINGS = 0.2
"""Part of the utterances that are strings of digits."""
LONGEST_WORDS = 28
OPUS_COMPRESSION = 0.95
"""libsndfile's scale from 0, the most bits, to 1; this gives about 24 kb/s."""
_SECONDS_PER_WORD = (0.12, 1.5)


@dataclass(frozen=True)
class Block:
    """Sentences that one voice reads in one go."""

    number: int
    voice: Voice
    texts: tuple[str, ...]
    """With marks."""
    folder: Path
    seed: int


def read_sentences(path: Path) -> list[str]:
    """The readable sentences of a text file, one a line, normalised, with their marks.

    Raises:
        AudioNotFoundError: no such file.
    """
    if not path.is_file():
        raise AudioNotFoundError(f"{path} does not exist; give a text with a sentence on each line")
    texts = (with_marks(line) for line in path.read_text(encoding="utf-8").splitlines())
    return [text for text in texts if text and len(text.split()) <= LONGEST_WORDS]


def synthesise(
    sentences: Sequence[str],
    voices: Sequence[Voice],
    folder: Path,
    utterances: int,
    processes: int,
    seed: int,
) -> list[Clip]:
    """Writes about `utterances` clips and their list, `MANIFEST_NAME`, into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    blocks = list(_blocks(sentences, voices, folder, utterances, seed))
    with workers(processes) as pool:
        clips = [clip for block in pool.map(_read_block, blocks) for clip in block]
    if not clips:
        raise AudioFormatError(
            f"none of {len(voices)} synthetic voices gave any speech; try one of them by hand, or "
            "leave the stage out with --no-synthesis"
        )
    write_manifest(folder / MANIFEST_NAME, clips)
    return clips


def _blocks(
    sentences: Sequence[str], voices: Sequence[Voice], folder: Path, utterances: int, seed: int
) -> Iterator[Block]:
    random = np.random.default_rng(seed)
    weights = np.array([voice.weight for voice in voices])
    for number in range(-(-utterances // BLOCK_SENTENCES)):
        voice = voices[random.choice(len(voices), p=weights / weights.sum())]
        size = min(BLOCK_SENTENCES, utterances - number * BLOCK_SENTENCES)
        texts = tuple(_text(sentences, random) for _ in range(size))
        yield Block(number, voice, texts, folder, int(random.integers(2**31)))


def _text(sentences: Sequence[str], random: Random) -> str:
    """A string of digits, a sentence, or a few words of one, as people also speak."""
    if random.random() < DIGIT_STRINGS:
        return " ".join(random.choice(DIGITS, random.integers(1, 9)))
    words = sentences[int(random.integers(len(sentences)))].split()
    if random.random() < 0.4:
        count = int(random.integers(1, 9))
        start = int(random.integers(max(1, len(words) - count)))
        words = words[start : start + count]
    return " ".join(words).rstrip(",;:")


def _read_block(block: Block) -> list[Clip]:
    random = np.random.default_rng(block.seed)
    clips = []
    with tempfile.TemporaryDirectory() as scratch:
        files = [Path(scratch) / f"{index}.wav" for index in range(len(block.texts))]
        _SYNTHESIZERS[block.voice.synthesizer](block, files, random)
        for index, (text, wave) in enumerate(zip(block.texts, files, strict=True)):
            samples = _usable_file(wave, text)
            if samples is not None:
                path = block.folder / f"{block.number:05}-{index:02}.opus"
                _write_opus(path, samples)
                clips.append(_clip(block.voice, without_marks(text), path, samples))
    return clips


def _clip(voice: Voice, text: str, path: Path, samples: Floats) -> Clip:
    duration_s = round(samples_to_seconds(samples.shape[0]), 3)
    corpus = NEURAL_CORPUS if voice.synthesizer == KOKORO else CORPUS
    return Clip(path, text, voice.speaker, duration_s, corpus, voice.licence)


def _usable_file(wave: Path, text: str) -> Floats | None:
    try:
        return usable(read_audio(wave), text)
    except ParakeetError:
        return None


def usable(samples: Floats, text: str) -> Floats | None:
    """Speech at one level, without long silence around; None if it cannot be right."""
    loud = np.flatnonzero(np.abs(samples) > 0.01 * np.abs(samples).max(initial=0))
    if loud.size == 0:
        return None
    margin = SAMPLE_RATE_HZ // 20
    samples = samples[max(0, int(loud[0]) - margin) : int(loud[-1]) + margin]
    shortest_s, longest_s = (each * len(text.split()) for each in _SECONDS_PER_WORD)
    if not shortest_s <= samples_to_seconds(samples.shape[0]) <= longest_s + 1:
        return None
    return np.clip(at_level(samples, 0.06), -1, 1)


def _write_opus(path: Path, samples: Floats) -> None:
    soundfile.write(
        path,
        samples,
        SAMPLE_RATE_HZ,
        format="OGG",
        subtype="OPUS",
        compression_level=OPUS_COMPRESSION,
    )


def _run(command: Sequence[str]) -> None:
    """Runs a synthesizer; where it fails, the file is missing."""
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _flite(block: Block, files: Sequence[Path], random: Random) -> None:
    for text, wave in zip(block.texts, files, strict=True):
        stretch = f"duration_stretch={random.uniform(0.8, 1.25):.3f}"
        pitch = f"int_f0_target_mean={_flite_pitch_hz(block.voice.name, random):.0f}"
        _run(
            ["flite", "-voice", block.voice.name, "--setf", stretch, "--setf", pitch,
             "-t", text, "-o", str(wave)]
        )  # fmt: skip


def _flite_pitch_hz(name: str, random: Random) -> float:
    centre_hz = 180.0 if name == "slt" else 105.0
    return centre_hz * float(random.uniform(0.85, 1.2))


def _espeak(block: Block, files: Sequence[Path], random: Random) -> None:
    for text, wave in zip(block.texts, files, strict=True):
        speed, pitch = random.integers(120, 210), random.integers(25, 75)
        _run(
            ["espeak-ng", "-v", block.voice.name, "-s", str(speed), "-p", str(pitch),
             "-w", str(wave), text]
        )  # fmt: skip


def _festival(block: Block, files: Sequence[Path], random: Random) -> None:
    """One process reads the whole block: festival takes long to start."""
    lines = [f"(voice_{block.voice.name})"]
    for text, wave in zip(block.texts, files, strict=True):
        lines.append(f"(Parameter.set 'Duration_Stretch {random.uniform(0.8, 1.25):.3f})")
        lines.append(f'(utt.save.wave (utt.synth (Utterance Text "{text}")) "{wave}" \'riff)')
    script = files[0].with_suffix(".scm")
    script.write_text("\n".join(lines) + "\n", encoding="utf-8")
    _run(["festival", "-b", str(script)])


def _kokoro(block: Block, files: Sequence[Path], random: Random) -> None:
    speeds = random.uniform(0.78, 1.3, len(files)).tolist()
    for samples, wave in zip(kokoro_speech(block.voice, block.texts, speeds), files, strict=True):
        soundfile.write(wave, samples, KOKORO_RATE_HZ)


_SYNTHESIZERS = {
    "flite": _flite, "espeak-ng": _espeak, "festival": _festival, KOKORO: _kokoro,
}  # fmt: skip
