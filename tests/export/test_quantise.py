import shutil

import numpy as np
import pytest

pytest.importorskip("torch", reason="the export extra")

import onnx

from parakeet_streaming import load
from parakeet_streaming.catalog.model_folder import find_parts
from parakeet_streaming.catalog.spec import read_spec
from parakeet_streaming.errors import ModelPartMissingError, OptionError
from parakeet_streaming.export.onnx_files import write_model
from parakeet_streaming.export.quantise import SCALES, write_int8
from parakeet_streaming.testing import noise
from parakeet_streaming.torch_model.pieces import Pieces


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


def test_scaled_by_rows_it_loads_and_streams_share_its_calls(small_folder, tmp_path):
    write_int8(small_folder, tmp_path, scale="row")
    assert not load(tmp_path, threads=1).transcribe(noise(2.0)).text.isspace()
    spec = read_spec(find_parts(tmp_path))
    assert find_parts(tmp_path).encoder.precision == "int8"
    assert spec.encoder_rows_independent


def test_scaled_by_calls_streams_go_alone(small_folder, tmp_path):
    write_int8(small_folder, tmp_path)
    assert not read_spec(find_parts(tmp_path)).encoder_rows_independent


@pytest.mark.parametrize("scale", SCALES)
def test_weights_that_stand_beside_stay_beside(small_folder, tmp_path, scale):
    source = shutil.copytree(small_folder, tmp_path / "source")
    encoder = source / "encoder-model.onnx"
    model = onnx.load(encoder)
    onnx.save(model, encoder, save_as_external_data=True, location=f"{encoder.name}.data")
    write_int8(source, tmp_path / "int8", scale=scale)
    kept = tmp_path / "int8" / "encoder-model.int8.onnx.data"
    assert kept.stat().st_size > 10_000
    assert kept in find_parts(tmp_path / "int8").encoder.files
    load(tmp_path / "int8", provider="cpu", threads=1).transcribe(noise(1.0))


def test_there_are_two_scales(small_folder, tmp_path):
    with pytest.raises(OptionError, match="use call or row"):
        write_int8(small_folder, tmp_path, scale="block")


def test_without_float32_it_is_refused(tmp_path):
    with pytest.raises(ModelPartMissingError, match="encoder-model"):
        write_int8(tmp_path, tmp_path)


def test_types_of_pieces_go_with_the_model(small_model, tmp_path):
    pieces = Pieces(["<unk>", "▁", *"abcdef"], unknown=[0])
    write_model(small_model, pieces, tmp_path / "typed")
    write_int8(tmp_path / "typed", tmp_path / "int8")
    for name in ("vocab.txt", "pieces.json"):
        told = (tmp_path / "typed" / name).read_bytes()
        assert (tmp_path / "int8" / name).read_bytes() == told
    write_model(small_model, list(pieces), tmp_path / "names")
    write_int8(tmp_path / "names", tmp_path / "int8")
    assert not (tmp_path / "int8" / "pieces.json").exists()
