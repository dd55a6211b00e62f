"""Weights in one file or in shards: those of the save that is whole, and no others."""

import json

import pytest

torch = pytest.importorskip("torch", reason="the training group")

from safetensors.torch import save_file

from parakeet_streaming.errors import ModelFormatError, ModelPartMissingError
from parakeet_streaming.torch_model.safetensors_files import has_weights, read_weights


def save(folder, name, **values):
    save_file({key: torch.tensor([float(value)]) for key, value in values.items()}, folder / name)


def index(folder, **shards):
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))


def read(folder):
    return {name: values.item() for name, values in read_weights(folder).items()}


FIRST, SECOND = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"


def test_shards_of_an_earlier_save_are_left_alone(tmp_path):
    save(tmp_path, FIRST, a=1)
    save(tmp_path, SECOND, b=2)
    save(tmp_path, "model-00001-of-00003.safetensors", a=-1)
    save(tmp_path, "model-00003-of-00003.safetensors", b=-1, c=-1)
    index(tmp_path, a=FIRST, b=SECOND)
    assert read(tmp_path) == {"a": 1, "b": 2}


def test_the_index_says_where_a_tensor_is(tmp_path):
    save(tmp_path, FIRST, a=1, b=-1)
    save(tmp_path, SECOND, a=-1, b=2, more=3)
    index(tmp_path, a=FIRST, b=SECOND)
    assert read(tmp_path) == {"a": 1, "b": 2, "more": 3}


def test_names_of_shards_are_free(tmp_path):
    save(tmp_path, "encoder.safetensors", a=1)
    save(tmp_path, "rest.safetensors", b=2)
    index(tmp_path, a="encoder.safetensors", b="rest.safetensors")
    assert has_weights(tmp_path)
    assert read(tmp_path) == {"a": 1, "b": 2}


def test_one_file_is_taken_as_transformers_takes_it(tmp_path):
    save(tmp_path, "model.safetensors", a=1)
    save(tmp_path, FIRST, a=-1)
    save(tmp_path, SECOND, b=-1)
    index(tmp_path, a=FIRST, b=SECOND)
    assert read(tmp_path) == {"a": 1}


def test_without_an_index(tmp_path):
    save(tmp_path, FIRST, a=1)
    with pytest.raises(ModelPartMissingError, match=SECOND):
        read(tmp_path)
    save(tmp_path, SECOND, b=2)
    assert read(tmp_path) == {"a": 1, "b": 2}
    save(tmp_path, "model-00002-of-00003.safetensors", b=-1)
    with pytest.raises(ModelFormatError, match="more than one model or save"):
        read(tmp_path)


def test_another_name(tmp_path):
    assert not has_weights(tmp_path)
    with pytest.raises(ModelPartMissingError, match=r"has no model\.safetensors; fetch it"):
        read(tmp_path)
    save(tmp_path, "model.fp16.safetensors", a=1)
    assert has_weights(tmp_path)
    assert read(tmp_path) == {"a": 1}
    save(tmp_path, "model.bf16.safetensors", a=2)
    with pytest.raises(ModelFormatError, match="more than one model or save"):
        read(tmp_path)


def test_a_shard_that_is_not_there(tmp_path):
    save(tmp_path, FIRST, a=1)
    index(tmp_path, a=FIRST, b=SECOND)
    with pytest.raises(ModelPartMissingError, match=rf"{SECOND} is missing, which .* names"):
        read(tmp_path)


def test_a_tensor_that_is_not_in_its_shard(tmp_path):
    save(tmp_path, FIRST, a=1)
    index(tmp_path, a=FIRST, b=FIRST)
    with pytest.raises(ModelFormatError, match=f"{FIRST} has no b"):
        read(tmp_path)


@pytest.mark.parametrize("shard", ["../x.safetensors", "/x.safetensors", "", "a/b", "..\\x", 3])
def test_an_index_that_leads_elsewhere_is_refused(tmp_path, shard):
    save(tmp_path.parent, "x.safetensors", a=1)
    index(tmp_path, a=shard)
    with pytest.raises(ModelFormatError, match="no file of its folder; do not use"):
        read(tmp_path)


@pytest.mark.parametrize("told", ["{", "[]", "{}", '{"weight_map": 3}'])
def test_a_broken_index_is_refused(tmp_path, told):
    save(tmp_path, FIRST, a=1)
    (tmp_path / "model.safetensors.index.json").write_text(told)
    with pytest.raises(ModelFormatError, match="names no shards"):
        read(tmp_path)


def test_broken_and_unfetched_files_are_named(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"{")
    with pytest.raises(ModelFormatError, match=r"model\.safetensors is broken"):
        read(tmp_path)
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid")
    with pytest.raises(ModelFormatError, match="Git LFS pointer"):
        read(tmp_path)
