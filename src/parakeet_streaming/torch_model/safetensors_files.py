"""A folder of transformers in; the tensors of its one model out.

| files | which weights |
|---|---|
| `model.safetensors` | all of it, as transformers takes it, whatever else is there |
| `model.safetensors.index.json` | each tensor from the shard that the index names for it |
| `model-00001-of-0000n.safetensors`, ... | all n, where there is one whole set and nothing else |

Rules of this file:

1. A shard of an earlier save is never read: what names the shards decides, not what lies there.
2. An index names files of its own folder only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import torch
from safetensors.torch import load_file

from parakeet_streaming.catalog.file_reading import read_bytes, reading, refuse_pointer
from parakeet_streaming.errors import ModelFormatError, ModelPartMissingError
from parakeet_streaming.plain_text import listed, shown, visible

WHOLE_NAME: Final = "model.safetensors"
INDEX_NAME: Final = "model.safetensors.index.json"

_MOST_REASON: Final = 200
"""Characters of the library's own words."""
_ANY: Final = "model*.safetensors"
_SHARD: Final = re.compile(r"(.*)-(\d{5})-of-(\d{5})\.safetensors")


def has_weights(folder: Path) -> bool:
    """Whether there is anything that `read_weights` would read, or say what is wrong with."""
    return (folder / INDEX_NAME).is_file() or any(folder.glob(_ANY))


def read_weights(folder: Path) -> dict[str, torch.Tensor]:
    """The tensors of the model in a folder, by name.

    Raises:
        ModelFormatError: broken files, or shards of more than one save without an index.
        ModelPartMissingError: no weights, or a shard is missing.
    """
    if (folder / WHOLE_NAME).is_file():
        return _tensors(folder / WHOLE_NAME)
    if (folder / INDEX_NAME).is_file():
        return _indexed(folder)
    weights: dict[str, torch.Tensor] = {}
    for path in _lone_files(folder):
        weights |= _tensors(path)
    return weights


def _indexed(folder: Path) -> dict[str, torch.Tensor]:
    shards = _weight_map(folder / INDEX_NAME)
    weights: dict[str, torch.Tensor] = {}
    for shard in sorted(set(shards.values())):
        if not (folder / shard).is_file():
            raise ModelPartMissingError(
                f"{folder / shard} is missing, which {INDEX_NAME} names; fetch it too"
            )
        # A tensor that the index does not have is read like any other: it must fit the model.
        weights |= {
            name: values
            for name, values in _tensors(folder / shard).items()
            if shards.get(name, shard) == shard
        }
    for name, shard in shards.items():
        if name not in weights:
            raise ModelFormatError(
                f"{folder / shard} has no {listed([name])}, which {INDEX_NAME} says it has; fetch "
                "both again"
            )
    return weights


def _weight_map(index: Path) -> Mapping[str, str]:
    """The shard of each tensor."""
    content = read_bytes(index)
    with reading(index, "names no shards"):
        shards = dict(json.loads(content.decode("utf-8-sig"))["weight_map"])
    for name, shard in shards.items():
        if not isinstance(shard, str) or not _is_name(shard):
            raise ModelFormatError(
                f"{index} has {listed([name])} in {shown(shard)}, which is no file of its folder; "
                "do not use this model"
            )
    return shards


def _is_name(shard: str) -> bool:
    return bool(shard) and Path(shard).name == shard and "\\" not in shard


def _lone_files(folder: Path) -> list[Path]:
    """One file, or one whole set of shards."""
    paths = sorted(folder.glob(_ANY))
    if not paths:
        raise ModelPartMissingError(
            f"{folder} has no {WHOLE_NAME}; fetch it, or save the model again with transformers"
        )
    if len(paths) > 1:
        _check_set(folder, (path.name for path in paths))
    elif shard := _SHARD.fullmatch(paths[0].name):
        _check_set(folder, [shard.string])
    return paths


def _check_set(folder: Path, names: Iterable[str]) -> None:
    """Refuses anything but the shards 1 to n of n."""
    names = list(names)
    shards = [_SHARD.fullmatch(name) for name in names]
    sets = {
        (shard[1], shard[3]) if shard else name for name, shard in zip(names, shards, strict=True)
    }
    if len(sets) > 1 or shards[0] is None:
        raise ModelFormatError(
            f"{folder} has weights of more than one model or save ({listed(names)}) and no "
            f"{INDEX_NAME} that says which belong together; keep those of one, or fetch the index"
        )
    there = {int(shard[2]) for shard in shards if shard}
    for number in range(1, int(shards[0][3]) + 1):
        if number not in there:
            raise ModelPartMissingError(
                f"{folder} has no {shards[0][1]}-{number:05}-of-{shards[0][3]}.safetensors; fetch "
                "it too"
            )


def _tensors(path: Path) -> dict[str, torch.Tensor]:
    refuse_pointer(path)
    try:
        return load_file(path)
    except OSError:
        raise
    except Exception as error:  # of a library in Rust, and of dtypes that torch lacks
        raise ModelFormatError(
            f"{path} is broken: {visible(str(error), _MOST_REASON)}; fetch it again"
        ) from error
