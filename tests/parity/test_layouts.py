"""The golden model repacked as the field packs models: RNN-T, mixed precision, external weights."""

import shutil
from pathlib import Path

import numpy as np
import onnx
import onnx_asr
import pytest
import soundfile
from onnx import numpy_helper
from onnxruntime.quantization import quantize_dynamic

from parakeet_streaming import ContextConfig, Recognizer, load
from parakeet_streaming.catalog.model_folder import find_parts
from tests.catalog.graphs import GOLDEN

AUDIO = Path(__file__).parent / "golden" / "audio"
VOCABULARY_SIZE = 257


def read(name: str) -> np.ndarray:
    samples, _ = soundfile.read(AUDIO / f"{name}.wav", dtype="float32")
    return samples


@pytest.fixture(scope="module")
def rnnt_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The golden model without its duration logits, which is what an RNN-T export is."""
    folder = tmp_path_factory.mktemp("rnnt") / "model"
    shutil.copytree(GOLDEN, folder)
    (folder / "config.json").write_text(
        '{"model_type": "nemo-conformer-rnnt", "features_size": 128}'
    )
    path = folder / "decoder_joint-model.onnx"
    model = onnx.load(path)
    for tensor in model.graph.initializer:
        if tensor.dims and tensor.dims[-1] == VOCABULARY_SIZE + 5:
            kept = numpy_helper.to_array(tensor)[..., :VOCABULARY_SIZE]
            tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(kept), tensor.name))
    logits = next(each for each in model.graph.output if each.name == "outputs")
    logits.type.tensor_type.shape.dim[3].dim_value = VOCABULARY_SIZE
    onnx.save(model, path)
    return folder


@pytest.mark.parametrize("name", ["espeak", "cards", "jfk"])
def test_rnnt_says_what_onnx_asr_says(rnnt_folder: Path, name: str) -> None:
    samples = read(name)
    theirs = onnx_asr.load_model("nemo-conformer-rnnt", rnnt_folder).with_timestamps()
    expected = theirs.recognize(samples)
    recognizer = load(rnnt_folder)
    ours = recognizer.transcribe(samples)
    assert len(ours.tokens) > 10
    assert [token.start_frame * 0.08 for token in ours.tokens] == pytest.approx(expected.timestamps)
    assert {token.duration_frames for token in ours.tokens} == {0}
    assert all(token.end == pytest.approx(token.start + 0.08) for token in ours.tokens)


def test_rnnt_streams(rnnt_folder: Path) -> None:
    recognizer = load(rnnt_folder)
    samples = read("jfk")
    stream = recognizer.stream(ContextConfig(0, samples.shape[0] / 16_000 + 1, 0))
    for start in range(0, samples.shape[0], 1000):
        stream.feed(samples[start : start + 1000])
    stream.finish()
    assert stream.transcript() == recognizer.transcribe(samples)


@pytest.mark.parametrize("quantised", ["encoder-model", "decoder_joint-model"])
def test_int8_and_fp32_parts_mix(quantised: str, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    shutil.copytree(GOLDEN, folder)
    quantize_dynamic(folder / f"{quantised}.onnx", folder / f"{quantised}.int8.onnx")
    (folder / f"{quantised}.onnx").unlink()
    parts = find_parts(folder)
    assert {parts.encoder.precision, parts.decoder.precision} == {"int8", "fp32"}
    recognizer = load(folder)
    samples = read("jfk")
    whole = recognizer.transcribe(samples)
    assert len(whole.tokens) > 10
    # Quantised rows are scaled alone, so slicing and company change nothing here either.
    context = ContextConfig(5, 0.5, 0.5)
    streams = [recognizer.stream(context) for _ in range(3)]
    for stream, cuts in zip(streams, ([], [1, 2, 50_000], [160_000]), strict=True):
        for piece in np.split(samples, cuts):
            stream.push(piece)
        stream.end()
    while any(stream.ready for stream in streams):
        recognizer.step(streams)
    alone = recognizer.stream(context)
    alone.feed(samples)
    alone.finish()
    assert all(stream.tokens == alone.tokens for stream in streams)


def test_a_folder_per_precision(tmp_path: Path, golden_recognizer: Recognizer) -> None:
    (tmp_path / "fp32").mkdir()
    for path in GOLDEN.iterdir():
        target = tmp_path / "fp32" if path.suffix == ".onnx" else tmp_path
        shutil.copy(path, target / path.name)
    samples = read("cards")
    tokens = load(tmp_path).transcribe(samples).tokens
    assert tokens == golden_recognizer.transcribe(samples).tokens


def test_weights_in_an_external_file(tmp_path: Path, golden_recognizer: Recognizer) -> None:
    folder = tmp_path / "external"
    shutil.copytree(GOLDEN, folder)
    for name in ("encoder-model.onnx", "decoder_joint-model.onnx"):
        model = onnx.load(folder / name)
        onnx.save(
            model,
            folder / name,
            save_as_external_data=True,
            location=f"{name}.data",
            size_threshold=0,
        )
        assert (folder / f"{name}.data").exists()
    samples = read("cards")
    tokens = load(folder).transcribe(samples).tokens
    assert tokens == golden_recognizer.transcribe(samples).tokens
