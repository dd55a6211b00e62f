"""A file of weights as torch saves it: only tensors are read, and nothing runs."""

import io
import pickle
from collections.abc import Iterator
from contextlib import suppress

import torch

from fuzz.scratch import scratch_file
from parakeet_streaming.errors import ParakeetError
from parakeet_streaming.torch_model.checkpoint import read_torch_file


def run(data: bytes) -> None:
    with suppress(ParakeetError):
        read_torch_file(io.BytesIO(data), "weights.ckpt")
    with suppress(ParakeetError):
        read_torch_file(scratch_file("weights.pt", data), "weights.pt")


def seeds() -> Iterator[bytes]:
    state = {"a": torch.zeros(2, 2), "b": torch.ones(3, dtype=torch.float16), "c": {"d": 1}}
    for zipped in (True, False):
        file = io.BytesIO()
        torch.save(state, file, _use_new_zipfile_serialization=zipped)
        yield file.getvalue()
    yield pickle.dumps(_Hostile(), protocol=2)


class _Hostile:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (exec, ("raise SystemExit('this ran')",))
