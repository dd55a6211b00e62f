import shutil

import numpy as np
import onnx
import pytest

pytest.importorskip("torch", reason="the training group")

from parakeet_streaming import load
from parakeet_streaming.catalog.model_folder import find_parts
from parakeet_streaming.export.external_weights import data_file, gather_weights
from parakeet_streaming.export.quantise import write_int8


@pytest.fixture
def scattered(small_folder, tmp_path):
    """The small model with a file for every weight, as torch leaves one above 2 GB."""
    folder = tmp_path / "model"
    shutil.copytree(small_folder, folder)
    path = folder / "encoder-model.onnx"
    onnx.save(
        onnx.load(path),
        path,
        save_as_external_data=True,
        all_tensors_to_one_file=False,
        size_threshold=0,
        convert_attribute=True,
    )
    assert len(list(folder.iterdir())) > 50
    return folder


def test_all_weights_end_in_one_file(scattered, small_folder):
    path = scattered / "encoder-model.onnx"
    gather_weights(path)
    names = {each.name for each in scattered.iterdir()}
    assert names == {each.name for each in small_folder.iterdir()} | {"encoder-model.onnx.data"}
    assert find_parts(scattered).encoder.files == (path, data_file(path))
    samples = np.random.default_rng(0).normal(0, 0.1, 30_000).astype(np.float32)
    tokens = [
        load(each, precision="fp32", provider="cpu", threads=1).transcribe(samples).tokens
        for each in (scattered, small_folder)
    ]
    assert tokens[0] == tokens[1]


def test_a_graph_with_its_weights_stays(small_folder, tmp_path):
    path = tmp_path / "encoder-model.onnx"
    shutil.copy(small_folder / path.name, path)
    before = path.read_bytes()
    gather_weights(path)
    assert path.read_bytes() == before
    assert not data_file(path).exists()


def test_it_can_be_quantised(scattered, small_folder, tmp_path):
    gather_weights(scattered / "encoder-model.onnx")
    write_int8(scattered, tmp_path / "int8")
    assert data_file(tmp_path / "int8" / "encoder-model.int8.onnx").is_file()
    samples = np.random.default_rng(0).normal(0, 0.1, 30_000).astype(np.float32)
    load(tmp_path / "int8", precision="int8", provider="cpu", threads=1).transcribe(samples)
