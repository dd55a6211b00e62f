"""Of a repository's files, those of one precision are fetched, and nothing else."""

import pytest

from parakeet_streaming.catalog.hub_files import files_of_precision
from parakeet_streaming.errors import ModelFormatError, ModelPartMissingError

NAMES = (
    "README.md",
    "clip.wav",
    "config.json",
    "vocab.txt",
    "nested/deep/vocab.txt",
    "encoder-model.onnx",
    "encoder-model.int8.onnx",
    "decoder_joint-model.onnx",
    "decoder_joint-model.int8.onnx",
    "nemo128.onnx",
)


@pytest.mark.parametrize(
    ("precision", "encoder", "decoder"),
    [
        ("auto", "encoder-model.int8.onnx", "decoder_joint-model.int8.onnx"),
        ("int8", "encoder-model.int8.onnx", "decoder_joint-model.int8.onnx"),
        ("fp32", "encoder-model.onnx", "decoder_joint-model.onnx"),
    ],
)
def test_one_precision_is_chosen(precision, encoder, decoder):
    chosen = files_of_precision("a/b", NAMES, precision)
    assert set(chosen) == {encoder, decoder, "config.json", "vocab.txt"}


def test_a_decoder_and_a_joiner_of_their_own():
    names = ["encoder.onnx", "decoder.onnx", "joiner.onnx", "tokens.txt"]
    assert set(files_of_precision("a/b", names, "auto")) == set(names)


def test_what_is_not_there_is_told():
    with pytest.raises(ModelFormatError, match="a/b has no ONNX encoder"):
        files_of_precision("a/b", ["model.safetensors"], "auto")
    with pytest.raises(ModelPartMissingError, match=r"no fp16 encoder; there is fp32, int8"):
        files_of_precision("a/b", NAMES, "fp16")
