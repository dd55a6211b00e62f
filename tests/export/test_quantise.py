import numpy as np
import pytest

pytest.importorskip("torch", reason="the export extra")

import onnx

from parakeet_streaming import load
from parakeet_streaming.errors import ModelPartMissingError
from parakeet_streaming.export.quantise import write_int8


def test_int8_loads_beside_float32_and_alone(small_folder, tmp_path):
    write_int8(small_folder, tmp_path / "int8")
    for folder in (small_folder, tmp_path / "int8"):
        if folder == small_folder:
            write_int8(small_folder, folder)
        load(folder, precision="int8", provider="cpu", threads=1).transcribe(
            np.zeros(16_000, np.float32)
        )


def test_matrix_products_are_int8(small_folder, tmp_path):
    write_int8(small_folder, tmp_path)
    encoder = onnx.load(tmp_path / "encoder-model.int8.onnx")
    operators = [node.op_type for node in encoder.graph.node]
    assert operators.count("MatMulInteger") >= 2 * 10
    assert "ConvInteger" not in operators


def test_without_float32_it_is_refused(tmp_path):
    with pytest.raises(ModelPartMissingError, match="encoder-model"):
        write_int8(tmp_path, tmp_path)
