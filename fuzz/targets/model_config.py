"""A `config.json` beside graphs that are right."""

from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

from fuzz.scratch import scratch_folder
from fuzz.small_model import Sizes, write_model
from parakeet_streaming.catalog.model_folder import CONFIG_NAME, find_parts
from parakeet_streaming.catalog.spec import read_spec
from parakeet_streaming.errors import ParakeetError


def run(data: bytes) -> None:
    folder = _model()
    (folder / CONFIG_NAME).write_bytes(data)
    with suppress(ParakeetError):
        read_spec(find_parts(folder))


@cache
def _model() -> Path:
    folder = scratch_folder("configured")
    write_model(folder, Sizes(), {})
    return folder


def seeds() -> Iterator[bytes]:
    yield b'{"model_type": "nemo-conformer-tdt", "features_size": 128, "subsampling_factor": 8}'
    yield b'{"max_tokens_per_step": 10, "features_size": 40000000}'
    yield b"\xef\xbb\xbf{}"
    yield b"[" * 2000
    yield b'{"max_tokens_per_step": ' + b"9" * 5000 + b"}"
