"""Weights beside a graph, by their real paths; nothing else is opened."""

import numpy as np
import onnx
import pytest

from parakeet_streaming import load
from parakeet_streaming.catalog.graph import read_graph
from parakeet_streaming.catalog.model_folder import find_parts
from parakeet_streaming.catalog.tensors import tensors_of
from parakeet_streaming.catalog.weight_files import check_weights, load_whole, weight_files
from parakeet_streaming.dry_run import dry_run
from parakeet_streaming.errors import ModelFormatError, ModelPartMissingError
from parakeet_streaming.testing import noise
from tests.catalog.graphs import GOLDEN, encoder, external, in_cache_of_links, weights_beside

DECODER = "decoder_joint-model.onnx"


@pytest.fixture
def snapshot(tmp_path):
    return in_cache_of_links(weights_beside(tmp_path / "plain"), tmp_path / "hub")


def with_weights(folder, location):
    """An encoder that wants 4000 bytes from a file of that name."""
    folder.mkdir(exist_ok=True)
    model = encoder()
    model.graph.initializer.append(external("w", location, 4000))
    onnx.save_model(model, folder / "encoder.onnx")
    return read_graph(folder / "encoder.onnx")


def test_links_of_the_hub_s_cache_lead_to_blobs(snapshot):
    (found,) = weight_files(snapshot / DECODER, [f"{DECODER}.data"]).values()
    assert found.parent == (snapshot / "../../blobs").resolve()
    assert find_parts(snapshot).decoder.graph.external_files


def test_a_model_in_the_hub_s_cache_runs_as_in_a_folder(snapshot):
    samples = noise(1.0)
    expected = load(GOLDEN, runtime="onnxruntime").transcribe(samples)
    assert load(snapshot, runtime="onnxruntime").transcribe(samples) == expected
    assert dry_run(snapshot).frames


def test_a_model_is_loaded_with_all_its_weights(snapshot):
    whole, expected = load_whole(snapshot / DECODER), onnx.load(GOLDEN / DECODER)
    for found, wanted in zip(tensors_of(whole), tensors_of(expected), strict=True):
        values = onnx.numpy_helper.to_array(found)
        np.testing.assert_array_equal(values, onnx.numpy_helper.to_array(wanted))


def test_the_user_s_own_links_to_a_graph_and_its_weights(tmp_path):
    there = weights_beside(tmp_path / "elsewhere")
    here = tmp_path / "here"
    here.mkdir()
    for path in there.iterdir():
        (here / path.name).symlink_to(path)
    assert load(here, runtime="onnxruntime").transcribe(noise(1.0)).audio_s == 1.0


def test_a_folder_that_is_a_link(tmp_path):
    weights_beside(tmp_path / "elsewhere")
    (tmp_path / "here").symlink_to(tmp_path / "elsewhere")
    assert find_parts(tmp_path / "here").encoder.size_bytes > 4000


@pytest.mark.parametrize(
    "location",
    ["../../etc/passwd", "/etc/passwd", "sub/../../secret", "", "*/_ORT_MEM_ADDR_/*"],
)
def test_what_lies_outside_is_refused_by_its_name(tmp_path, location):
    with pytest.raises(ModelFormatError, match="outside its folder"):
        check_weights(with_weights(tmp_path / "model", location))


@pytest.mark.parametrize(
    "location",
    [
        *("*/_ORT_MEM_ADDR_/*", "*/_ORT_NATIVE_ENDIAN_MEM_ADDR_/*", "./*/_ORT_MEM_ADDR_/*"),
        *("//*/_ORT_MEM_ADDR_/*", "x:*/_ORT_MEM_ADDR_/*", ".\\*\\_ORT_MEM_ADDR_\\*", "w*"),
        *("*/_ort_mem_addr_/*", "a/_ORT_NEW_KEYWORD_", "_ORT_MEM_ADDR_/w", "w.data\0*", "a\0"),
    ],
)
def test_a_name_of_memory_is_refused_although_there_is_such_a_file(tmp_path, location):
    there = tmp_path / "model" / location.replace("\0", "").lstrip("/")
    there.parent.mkdir(parents=True)
    there.write_bytes(bytes(4000))
    with pytest.raises(ModelFormatError, match="outside its folder: that is no name"):
        check_weights(with_weights(tmp_path / "model", location))


@pytest.mark.parametrize("location", ["./w.data", "a_ORT_b.data", "w:1.data", "..w", "sub/w"])
def test_other_names_are_names_of_files(tmp_path, location):
    (tmp_path / location).parent.mkdir(exist_ok=True)
    (tmp_path / location).write_bytes(bytes(4000))
    check_weights(with_weights(tmp_path, location))


def test_a_graph_compiled_by_a_provider_is_refused(tmp_path):
    onnx.save_model(encoder(operators=["EPContext"]), tmp_path / "encoder.onnx")
    with pytest.raises(ModelFormatError, match="compiled for one machine"):
        check_weights(read_graph(tmp_path / "encoder.onnx"))


def test_a_link_that_leads_outside_is_refused(tmp_path):
    (tmp_path / "secret").write_bytes(bytes(4000))
    graph = with_weights(tmp_path / "model", "encoder.onnx.data")
    (tmp_path / "model/encoder.onnx.data").symlink_to(tmp_path / "secret")
    with pytest.raises(ModelFormatError, match=r"which is a link to .*secret, outside its folder"):
        check_weights(graph)
    with pytest.raises(ModelFormatError, match="outside its folder"):
        load_whole(tmp_path / "model/encoder.onnx")


def test_a_link_of_the_hub_s_cache_that_leads_beyond_the_blobs_is_refused(snapshot, tmp_path):
    (tmp_path / "secret").write_bytes(bytes(1 << 20))
    weights = snapshot / f"{DECODER}.data"
    weights.unlink()
    weights.symlink_to(tmp_path / "secret")
    with pytest.raises(ModelFormatError, match="outside its folder"):
        find_parts(snapshot)


def test_a_link_to_nothing_is_a_missing_part(snapshot):
    weights = snapshot / f"{DECODER}.data"
    weights.resolve().unlink()
    with pytest.raises(ModelPartMissingError, match="must lie beside it"):
        load_whole(snapshot / DECODER)


def test_weights_that_end_early_are_refused(tmp_path):
    with_weights(tmp_path, "w.data")
    (tmp_path / "w.data").write_bytes(bytes(3999))
    with pytest.raises(ModelFormatError, match="ends before its last weights"):
        load_whole(tmp_path / "encoder.onnx")


def test_a_broken_graph_is_refused(tmp_path):
    (tmp_path / "encoder.onnx").write_bytes(b"\x0anothing")
    with pytest.raises(ModelFormatError, match="no whole ONNX file"):
        load_whole(tmp_path / "encoder.onnx")


def test_a_place_that_cannot_be_is_no_whole_file(tmp_path):
    model = encoder()
    model.graph.initializer.append(external("w", "w.data", -4))
    onnx.save_model(model, tmp_path / "encoder.onnx")
    with pytest.raises(ModelFormatError, match="negative place"):
        read_graph(tmp_path / "encoder.onnx")
    with pytest.raises(ModelFormatError, match="negative place"):
        load_whole(tmp_path / "encoder.onnx")
