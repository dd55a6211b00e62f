"""A path of saved weights in; the transducer and its pieces out.

| path | written by |
|---|---|
| a `.nemo` file: a tar, perhaps gzipped | NVIDIA NeMo |
| a folder with config.json and model.safetensors | transformers |
| a `checkpoint.pt` or `weights.pt` with `tokenizer.model` beside it | our training |

The first bytes of a file decide what it is; its name does not. Whatever it provokes, while it is
read and while networks are made of it, is one of our errors.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from parakeet_streaming.catalog.file_reading import reading, refuse_pointer
from parakeet_streaming.errors import ModelFormatError, ModelNotFoundError, ModelPartMissingError
from parakeet_streaming.torch_model.archive import is_archive
from parakeet_streaming.torch_model.checkpoint import read_checkpoint
from parakeet_streaming.torch_model.hugging_face import CONFIG_NAME, read_hugging_face
from parakeet_streaming.torch_model.nemo import read_nemo
from parakeet_streaming.torch_model.pieces import Pieces
from parakeet_streaming.torch_model.safetensors_files import WHOLE_NAME, has_weights
from parakeet_streaming.torch_model.transducer import Transducer

Reader = Callable[[Path], tuple[Transducer, Pieces]]

_EXPECTED: Final = (
    "give a .nemo file, a folder of transformers (config.json, model.safetensors, tokenizer.json), "
    "or a checkpoint.pt or weights.pt of training"
)


def read_source(path: Path) -> tuple[Transducer, Pieces]:
    """The model in `path`, in evaluation and float32, with its pieces, the blank left out.

    Raises:
        ModelNotFoundError: no such path.
        ModelFormatError: no model that can be read, or another kind of model.
        ModelPartMissingError: a part of it is missing.
        FileAccessError: the system does not let it be read.
    """
    with reading(path, "is no model that can be read"):
        model, pieces = _reader(path)(path)
    if len(pieces) + 1 != model.config.vocabulary:
        raise ModelFormatError(
            f"{path}: the tokenizer has {len(pieces)} pieces, the model scores "
            f"{model.config.vocabulary - 1}; they are not of one model"
        )
    return model, pieces


def _reader(path: Path) -> Reader:
    if path.is_dir():
        _check_folder(path)
        return read_hugging_face
    if not path.is_symlink() and not path.exists():
        raise ModelNotFoundError(f"{path} does not exist; {_EXPECTED}")
    refuse_pointer(path)
    # In this order: a tar that ends with a zip, as a .nemo may, is a zip to `is_zipfile` too.
    if is_archive(path):
        return read_nemo
    if zipfile.is_zipfile(path):
        return read_checkpoint
    if path.suffix == ".nemo":
        raise ModelFormatError(f"{path} is no tar, as every .nemo is; fetch it again")
    raise ModelFormatError(f"{path} is no model that can be read; {_EXPECTED}")


def _check_folder(folder: Path) -> None:
    """Refuses a folder that transformers did not write."""
    if next(folder.glob("*.onnx"), None):
        raise ModelFormatError(f"{folder} holds ONNX files already; load it as it is")
    for name, there in (
        (CONFIG_NAME, (folder / CONFIG_NAME).exists()),
        (WHOLE_NAME, has_weights(folder)),
    ):
        if not there:
            raise ModelPartMissingError(f"{folder} has no {name}; {_EXPECTED}")
