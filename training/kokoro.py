"""Words and one of Kokoro's voices, or a mixture of two, in; natural speech (n,) at 24 kHz out.

Kokoro is a neural synthesizer of 82 M parameters under Apache-2.0, after StyleTTS 2 (Li et al.,
2023). A voice is a table of styles, one for every number of phonemes; a mean of two voices' styles
is a third speaker, so that few voices make many.

Rules of this file:

1. A folder has `model.onnx`, `vocab.json` and `voices/NAME.bin`; nothing is fetched.
2. Phonemes come from eSpeak NG, written as the model learnt them.
3. The first letter of a voice's name is its language; `a` is American English, `b` British.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from functools import cache
from itertools import chain
from pathlib import Path

import numpy as np
import onnxruntime

from parakeet_streaming.errors import ModelPartMissingError
from parakeet_streaming.ports import Floats
from training.manifest import CLAUSE
from training.noises import Random
from training.voices import Voice

SAMPLE_RATE_HZ = 24_000
SYNTHESIZER = "kokoro"
LICENCE = "Kokoro-82M: Apache-2.0"
MIXTURES = 200
_STYLE = 256
_ENGLISH, _BRITISH = "ab", "b"
_FOREIGN_WEIGHT = 0.45
# From eSpeak's phonemes to those of Kokoro's own front end (misaki): diphthongs and affricates are
# one sign each, length is written in British English alone.
_SPELLING = (
    ("ʔˌn̩", "tn"), ("ʔn̩", "tn"), ("ʔn", "tn"), ("a^ɪ", "I"), ("a^ʊ", "W"), ("d^ʒ", "ʤ"),
    ("e^ɪ", "A"), ("t^ʃ", "ʧ"), ("ɔ^ɪ", "Y"), ("ə^l", "ᵊl"), ("ʲo", "jo"), ("ʲə", "jə"), ("ʔ", "t"),
    ("e", "A"), ("ʲ", ""), ("ɚ", "əɹ"), ("r", "ɹ"), ("x", "k"), ("ç", "k"), ("ɐ", "ə"), ("ɬ", "l"),
    ("̃", ""),
)  # fmt: skip
_AMERICAN_SPELLING = (("o^ʊ", "O"), ("ɜːɹ", "ɜɹ"), ("ɜː", "ɜɹ"), ("ɪə", "iə"), ("ː", ""))
_BRITISH_SPELLING = (("e^ə", "ɛː"), ("iə", "ɪə"), ("ə^ʊ", "Q"))


def kokoro_voices(folder: Path, mixtures: int = MIXTURES) -> tuple[Voice, ...]:
    """Every voice of a folder, and mixtures of two of them; English ones are drawn more often.

    Raises:
        ModelPartMissingError: the folder lacks the model, its phonemes or the voices.
    """
    names = voice_names(folder)
    weights = np.array([1.0 if name[0] in _ENGLISH else _FOREIGN_WEIGHT for name in names])
    random = np.random.default_rng(0)
    mixed = (_mixture(names, weights / weights.sum(), random) for _ in range(mixtures))
    single = zip(names, weights, strict=True)
    drawn = [*((name, float(weight)) for name, weight in single), *((name, 0.5) for name in mixed)]
    return tuple(
        Voice(SYNTHESIZER, name, LICENCE, weight, folder) for name, weight in dict(drawn).items()
    )


def voice_names(folder: Path) -> list[str]:
    """The voices of a folder.

    Raises:
        ModelPartMissingError: the folder lacks the model, its phonemes or the voices.
    """
    names = sorted(path.stem for path in (folder / "voices").glob("*.bin"))
    if not (names and (folder / "model.onnx").is_file() and (folder / "vocab.json").is_file()):
        raise ModelPartMissingError(
            f"{folder} needs model.onnx, vocab.json and voices/*.bin; training/README.md says how "
            "to get them"
        )
    return names


def _mixture(names: Sequence[str], likely: Floats, random: Random) -> str:
    first, second = random.choice(len(names), 2, replace=False, p=likely)
    part = round(float(random.uniform(0.25, 0.75)), 2)
    return f"{names[first]}*{part:g}+{names[second]}*{1 - part:.2g}"


def kokoro_speech(voice: Voice, texts: Sequence[str], speeds: Sequence[float]) -> list[Floats]:
    """Each text as a voice reads it, at 1 as its speaker would, above 1 faster.

    Returns:
        Samples (n,) float32 at 24 kHz for each text.
    """
    assert voice.folder is not None
    parts = [part.partition("*")[::2] for part in voice.name.split("+")]
    tables = [style_table(voice.folder, name) * np.float32(part or 1) for name, part in parts]
    styles = np.sum(tables, axis=0)
    british = max(parts, key=lambda part: float(part[1] or 1))[0][0] in _BRITISH
    return said_in_style(voice.folder, styles, texts, speeds, british)


def said_in_style(
    folder: Path, styles: Floats, texts: Sequence[str], speeds: Sequence[float], british: bool
) -> list[Floats]:
    """Each text in a style (longest, 256): its row for the number of phonemes.

    Returns:
        Samples (n,) float32 at 24 kHz for each text.
    """
    model, ids = _model(folder), _phoneme_ids(folder)
    read = []
    for phonemes, speed in zip(_phonemes(texts, british), speeds, strict=True):
        tokens = [ids[sign] for sign in phonemes if sign in ids][: len(styles) - 1]
        inputs = {
            "tokens": np.array([[0, *tokens, 0]], np.int64),
            "style": styles[len(tokens)][None],
            "speed": np.array([speed], np.float32),
        }
        read.append(model.run(None, inputs)[0].ravel())
    return read


def _phonemes(texts: Sequence[str], british: bool) -> list[str]:
    """Phonemes of each text; its marks stay, as the model pauses at them."""
    clauses = [CLAUSE.findall(text) for text in texts]
    spoken = _espeak([words for words, _ in chain(*clauses)], "en-gb" if british else "en-us")
    signs = iter(spoken)
    return [
        " ".join(spelt(next(signs), british) + mark for _, mark in each) or "." for each in clauses
    ]


def _espeak(clauses: Sequence[str], language: str) -> list[str]:
    """The phonemes of each clause; eSpeak writes a line for each, unless a clause is too long."""
    told = subprocess.run(
        ["espeak-ng", "-q", "--ipa", "--tie=^", "-v", language],
        input="".join(f"{clause.strip()}.\n" for clause in clauses),
        capture_output=True,
        check=True,
        text=True,
    )
    lines = told.stdout.strip("\n").splitlines()
    if len(lines) == len(clauses):
        return lines
    if len(clauses) == 1:
        return [" ".join(lines)]
    half = len(clauses) // 2
    return _espeak(clauses[:half], language) + _espeak(clauses[half:], language)


def spelt(phonemes: str, british: bool) -> str:
    """Phonemes as eSpeak writes them, as Kokoro has them."""
    phonemes = phonemes.strip().replace("͡", "^")
    for old, new in (*_SPELLING, *(_BRITISH_SPELLING if british else _AMERICAN_SPELLING)):
        phonemes = phonemes.replace(old, new)
    return phonemes.replace("^", "")


@cache
def _model(folder: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(
        folder / "model.onnx", options, providers=["CPUExecutionProvider"]
    )


@cache
def _phoneme_ids(folder: Path) -> dict[str, int]:
    ids: dict[str, int] = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))["vocab"]
    return ids


@cache
def style_table(folder: Path, name: str) -> Floats:
    """Styles (longest, 256): the row is the number of phonemes."""
    return np.fromfile(folder / "voices" / f"{name}.bin", np.float32).reshape(-1, _STYLE)
