from pathlib import PurePath

import onnx
import pytest

from parakeet_streaming.catalog.graph import read_graph
from parakeet_streaming.catalog.precision import check_precision, named_precision, precision_of
from parakeet_streaming.errors import OptionError
from tests.catalog.graphs import GOLDEN, HALF, TINY_EN, encoder, face, floats, int8_folder


@pytest.mark.parametrize(
    ("path", "precision"),
    [
        ("encoder-model.int8.onnx", "int8"),
        ("encoder-model-int8.onnx", "int8"),
        ("encoder-model_int8.onnx", "int8"),
        ("encoder.fp16.onnx", "fp16"),
        ("parakeet-encoder-INT8.onnx", "int8"),
        ("int8/encoder-model.onnx", "int8"),
        ("fp16/encoder.onnx", "fp16"),
        ("fp16/encoder.int8.onnx", "int8"),
        ("encoder_q4.onnx", "int4"),
        ("encoder-model.onnx", None),
        ("point8/encoder.onnx", None),
    ],
)
def test_names_tell_the_precision(path, precision):
    assert named_precision(PurePath(path)) == precision


@pytest.mark.parametrize(
    ("path", "precision"),
    [
        (GOLDEN / "encoder-model.onnx", "fp32"),
        (GOLDEN / "decoder_joint-model.onnx", "fp32"),
        (TINY_EN / "encoder-cached-model.int8.onnx", "int8"),
        (TINY_EN / "decoder_joint-model.int8.onnx", "int8"),
        (int8_folder() / "decoder_joint-model.int8.onnx", "int8"),
    ],
)
def test_graphs_tell_the_precision(path, precision):
    assert precision_of(read_graph(path)) == precision


def test_half_and_four_bit_graphs(tmp_path):
    half = floats("w", (2, 2))
    half.data_type = HALF
    half.raw_data = bytes(8)
    onnx.save_model(face([("x", HALF, [1])], [("y", HALF, [1])], weights=[half]), tmp_path / "h")
    onnx.save_model(encoder(operators=["MatMulNBits", "MatMulInteger"]), tmp_path / "q")
    assert precision_of(read_graph(tmp_path / "h")) == "fp16"
    assert precision_of(read_graph(tmp_path / "q")) == "int4"


def test_only_known_precisions_can_be_asked_for():
    check_precision("auto")
    check_precision("int8")
    with pytest.raises(OptionError, match="auto, fp32, int8, fp16, int4"):
        check_precision("bf16")
