"""The nearest neighbour, onnx-asr, reading the same folders: same text, same token times."""

from pathlib import Path

import numpy as np
import onnx_asr
import pytest
import soundfile

import parakeet_streaming
from parakeet_streaming import Recognizer, load

AUDIO = Path(__file__).parent / "golden" / "audio"
RECORDINGS = Path(__file__).parents[2] / "examples" / "recordings"
TINY_EN = Path(parakeet_streaming.__file__).parent / "builtin" / "tiny-en"


def read(path: Path) -> np.ndarray:
    samples, _ = soundfile.read(path, dtype="float32")
    return samples


@pytest.fixture(scope="module")
def their_golden(golden_folder: Path) -> object:
    return onnx_asr.load_model(
        "nemo-conformer-tdt", golden_folder / "tdt-tiny-onnx"
    ).with_timestamps()


@pytest.mark.parametrize("name", ["espeak", "cards", "librivox-short", "jfk", "cut-020481"])
def test_same_tokens_and_times(
    golden_recognizer: Recognizer, their_golden: object, name: str
) -> None:
    samples = read(AUDIO / f"{name}.wav")
    theirs = their_golden.recognize(samples)
    ours = golden_recognizer.transcribe(samples)
    frames = [token.start_frame for token in ours.tokens]
    assert [frame * 0.08 for frame in frames] == pytest.approx(theirs.timestamps)
    pieces = [token.text.strip() for token in ours.tokens]
    assert pieces == [piece.strip() for piece in theirs.tokens]


@pytest.mark.parametrize("name", ["digits", "phone"])
def test_same_words_from_the_built_in_int8_model(name: str) -> None:
    samples = read(RECORDINGS / f"{name}.wav")
    theirs = onnx_asr.load_model("nemo-conformer-tdt", TINY_EN, quantization="int8")
    assert load("tiny-en").transcribe(samples).text == theirs.recognize(samples)
