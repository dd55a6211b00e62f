"""The files of a model in; a short text that is equal for equal files out.

Reading 600 MB takes longer than a model's user wants to wait, so of large files only samples count:
their size, both ends, and blocks in between. Files of two models, or of two precisions of one,
differ in all of these.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from parakeet_streaming.catalog.file_reading import exists, open_file, reading
from parakeet_streaming.catalog.model_folder import ModelParts
from parakeet_streaming.catalog.vocabulary import PIECES_NAME

_BLOCK_BYTES: Final = 4096
_BLOCKS: Final = 64


def fingerprint(parts: ModelParts) -> str:
    """32 hexadecimal digits for the graphs, the weights and the vocabulary of a model.

    Raises:
        ModelPartMissingError, ModelFormatError, FileAccessError: a file cannot be read any more.
    """
    files = [path for part in parts.onnx for path in part.files]
    typed = parts.vocabulary.with_name(PIECES_NAME)
    return fingerprint_of((*files, parts.vocabulary, *([typed] if exists(typed) else [])))


def fingerprint_of(files: Iterable[Path]) -> str:
    """The same for a model's files, in an order that does not change.

    Raises:
        ModelPartMissingError, ModelFormatError, FileAccessError: a file cannot be read any more.
    """
    digest = hashlib.blake2b(digest_size=16)
    for path in files:
        with reading(path):
            digest.update(_sampled(path))
    return digest.hexdigest()


def _sampled(path: Path) -> bytes:
    """Size and blocks of a file; all of it where it is small."""
    size = path.stat().st_size
    most = _BLOCKS * _BLOCK_BYTES
    starts = (
        range(0, size, _BLOCK_BYTES)
        if size <= most
        else [(size - _BLOCK_BYTES) * at // (_BLOCKS - 1) for at in range(_BLOCKS)]
    )
    with open_file(path) as file:
        blocks = []
        for start in starts:
            file.seek(start)
            blocks.append(file.read(_BLOCK_BYTES))
    return b"".join([size.to_bytes(8, "little"), *blocks])
