"""A torch file in; its tensors out. A checkpoint of our training in; a transducer and pieces out.

Rules of this file:

1. Only tensors and plain values are unpickled; a file that would run code is refused.
2. No message repeats torch's advice on how to unpickle such a file all the same.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import IO, Final

import torch

from parakeet_streaming.catalog.file_reading import read_bytes
from parakeet_streaming.errors import ModelFormatError, ModelPartMissingError, OptionError
from parakeet_streaming.plain_text import listed, visible
from parakeet_streaming.torch_model.fastconformer import EncoderConfig
from parakeet_streaming.torch_model.pieces import Pieces, pieces_of
from parakeet_streaming.torch_model.torch_zip import check_records
from parakeet_streaming.torch_model.transducer import Transducer, TransducerConfig
from parakeet_streaming.torch_model.weights import assembled

TOKENIZER_NAME: Final = "tokenizer.model"

_MOST_REASON: Final = 200
"""Characters of torch's own words."""
_FORBIDDEN: Final = re.compile(r"GLOBAL (\S+)")


def read_torch_file(file: Path | IO[bytes], origin: str) -> Mapping[str, object]:
    """The dictionary that a torch file holds; of a path, tensors stay on the disk until used.

    Raises:
        ModelFormatError: no torch file, or one that holds more than tensors.
    """
    mapped = isinstance(file, Path)
    with file.open("rb") if isinstance(file, Path) else nullcontext(file) as opened:
        check_records(opened, origin)
    try:
        saved = torch.load(file, map_location="cpu", weights_only=True, mmap=mapped)
    except Exception as error:  # of an unpickler, whatever the file makes it do
        raise ModelFormatError(f"{origin} is no file of weights: {_reason(error)}") from error
    if not isinstance(saved, Mapping):
        raise ModelFormatError(f"{origin} is no file of weights: it holds no dictionary")
    return saved


def _reason(error: Exception) -> str:
    """Why torch does not read a file, in few words of ours."""
    text = str(error)
    if isinstance(error, MemoryError):
        return "it asks for more memory than there is; do not use it"
    if isinstance(error, pickle.UnpicklingError) or "weights_only" in text:
        found = _FORBIDDEN.search(text)
        what = f"{listed([found[1]])}, which" if found else "what"
        return f"it holds more than tensors, {what} may run code; do not use it"
    first = (text.splitlines() or [type(error).__name__])[0]
    return f"{visible(first, _MOST_REASON)}; fetch it again"


def read_checkpoint(path: Path) -> tuple[Transducer, Pieces]:
    """The mean weights of a training run, with the pieces of the tokenizer beside them.

    Args:
        path: a `checkpoint.pt`, or a `weights.pt` in float16.

    Raises:
        ModelFormatError: no checkpoint, or one of another version.
        ModelPartMissingError: no `tokenizer.model` beside it.
    """
    tokenizer = path.parent / TOKENIZER_NAME
    if not tokenizer.is_file():
        raise ModelPartMissingError(
            f"{tokenizer} is missing; put the tokenizer that the model was trained with there"
        )
    saved = read_torch_file(path, str(path))
    mean = saved.get("mean")
    if not isinstance(mean, Mapping):
        raise ModelFormatError(f"{path} is no checkpoint of training: it has no mean weights")
    config = _config(saved.get("config"), path)
    return assembled(config, dict(mean), str(path)), pieces_of(
        read_bytes(tokenizer), str(tokenizer)
    )


def _config(saved: object, path: Path) -> TransducerConfig:
    try:
        sizes = dict(saved)  # type: ignore[call-overload]  # TypeError where it is no mapping
        return TransducerConfig(**sizes | {"encoder": EncoderConfig(**sizes["encoder"])})
    except (TypeError, ValueError, KeyError, OptionError) as error:
        raise ModelFormatError(
            f"{path} has the config of another version of this project: "
            f"{visible(str(error), _MOST_REASON)}; export it with that version"
        ) from error
