"""The nearest neighbour, onnx-asr, reading the same folders: same text, same token times."""

from pathlib import Path

import numpy as np
import onnx_asr
import pytest
import soundfile
from typer.testing import CliRunner

from parakeet_streaming import Recognizer, load
from parakeet_streaming.cli.app import app

AUDIO = Path(__file__).parent / "golden" / "audio"
RECORDINGS = Path(__file__).parents[2] / "examples" / "recordings"
WEIGHTS = Path(__file__).parents[2] / "training" / "tiny-en" / "weights.pt"


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


@pytest.fixture(scope="module")
def built_in_without_a_past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights of the built-in model in int8, with an encoder that others read, too."""
    pytest.importorskip("torch", reason="the training group")
    folder = tmp_path_factory.mktemp("plain") / "int8"
    asked = ["export", str(WEIGHTS), "--to", str(folder), "--precision", "int8"]
    written = CliRunner().invoke(app, asked)
    assert written.exit_code == 0, written.output
    return folder


@pytest.mark.parametrize("name", ["digits", "phone"])
def test_same_words_from_the_weights_of_the_built_in_model(
    name: str, built_in_without_a_past: Path
) -> None:
    samples = read(RECORDINGS / f"{name}.wav")
    theirs = onnx_asr.load_model(
        "nemo-conformer-tdt", built_in_without_a_past, quantization="int8"
    ).recognize(samples)
    assert load(built_in_without_a_past).transcribe(samples).text == theirs
    assert load("tiny-en").transcribe(samples).text == theirs
