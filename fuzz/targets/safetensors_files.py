"""Weights as transformers saves them: one file, or shards with an index that names them."""

import json
from collections.abc import Iterator
from contextlib import suppress

import torch
from safetensors.torch import save

from fuzz.scratch import scratch_file, scratch_folder
from parakeet_streaming.errors import ParakeetError
from parakeet_streaming.torch_model.safetensors_files import (
    INDEX_NAME,
    WHOLE_NAME,
    has_weights,
    read_weights,
)

BORDER = b"\n---\n"
SHARD = "model-00001-of-00001.safetensors"


def run(data: bytes) -> None:
    folder = scratch_folder("safetensors")
    index, border, weights = data.partition(BORDER)
    for name in (WHOLE_NAME, INDEX_NAME, SHARD):
        (folder / name).unlink(missing_ok=True)
    if border:
        scratch_file(INDEX_NAME, index, "safetensors")
        scratch_file(SHARD, weights, "safetensors")
    else:
        scratch_file(WHOLE_NAME, data, "safetensors")
    with suppress(ParakeetError):
        assert has_weights(folder)
        read_weights(folder)


def seeds() -> Iterator[bytes]:
    whole = save({"a": torch.zeros(2, 2), "b": torch.ones(3, dtype=torch.bfloat16)})
    yield whole
    for shard in (SHARD, "../" + SHARD, "other.safetensors"):
        index = {"metadata": {"total_size": 22}, "weight_map": {"a": shard, "b": SHARD}}
        yield json.dumps(index).encode() + BORDER + whole
    yield (2**62).to_bytes(8, "little") + b"{}"
