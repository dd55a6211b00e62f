"""A graph in; the files that hold its weights, by their real paths and checked, out.

Rules of this file:

1. In the hub's cache every file is a link to a blob, whose name is a digest. ONNX, ONNX Runtime and
   OpenVINO refuse such links to weights, each in its own way, so files are opened by real paths.
2. Weights lie in the folder of the graph; or, where the graph is a link, in the folder of the file
   to which it leads. Whatever else a graph or a link names is not opened.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePath
from typing import Final

import onnx

from parakeet_streaming.catalog.graph import Graph, refuse_pointer
from parakeet_streaming.catalog.tensors import Stretch, outside, tensors_of
from parakeet_streaming.errors import ModelFormatError, ModelPartMissingError

_ADDRESS: Final = "_ORT_MEM_ADDR_"
"""In a name that means an address in memory, for both runtimes; no file may say so."""


def weight_files(path: Path, names: Iterable[str]) -> dict[str, Path]:
    """The real path of each file with weights, by the name that the graph in `path` has for it.

    Raises:
        ModelFormatError: a file outside the folder of the graph.
        ModelPartMissingError: no such file.
    """
    return {name: _real_path(path, name) for name in names}


def check_weights(graph: Graph) -> None:
    """Refuses a graph with weights in files that are missing, cut short or outside its folder.

    Raises:
        ModelFormatError, ModelPartMissingError: such a file.
    """
    for name, path in weight_files(graph.path, graph.external_files).items():
        refuse_pointer(path)
        size, needed = path.stat().st_size, graph.external_files[name]
        if size < needed:
            raise ModelFormatError(
                f"{graph.path.parent / name} has {size} of at least {needed} bytes; fetch it again"
            )


def load_whole(path: Path) -> onnx.ModelProto:
    """The model in an .onnx file with all its weights, wherever they lie.

    Raises:
        ModelFormatError: a broken file, or one with weights outside its folder.
        ModelPartMissingError: a file with weights is missing.
    """
    broken = f"{path} is no whole ONNX file; fetch it again"
    try:
        model = onnx.load(path, load_external_data=False)
        apart = [(tensor, place) for tensor in tensors_of(model) if (place := outside(tensor))]
    except Exception as error:  # protobuf has an error of its own, in a package without types
        raise ModelFormatError(f"{broken} ({error})") from error
    files = weight_files(path, {place.location for _, place in apart})
    for tensor, place in apart:
        tensor.raw_data = _read(files[place.location], place)
        del tensor.external_data[:]
        tensor.data_location = onnx.TensorProto.DEFAULT
    return model


def _read(path: Path, place: Stretch) -> bytes:
    with path.open("rb") as file:
        file.seek(place.offset)
        values = file.read() if place.length is None else file.read(place.length)
    if len(values) < (place.length or 0):
        raise ModelFormatError(f"{path} ends before its last weights; fetch it again")
    return values


def _real_path(path: Path, name: str) -> Path:
    beside = path.parent / name
    way = PurePath(name)
    if way.is_absolute() or {"..", _ADDRESS}.intersection(way.parts) or not name:
        raise ModelFormatError(f"{path} wants weights from {name!r}, outside its folder")
    if not beside.is_file():
        raise ModelPartMissingError(
            f"{beside} is missing: it holds weights of {path.name} and must lie beside it; "
            "fetch it too"
        )
    real = beside.resolve()
    folders = {path.parent.resolve(), path.resolve().parent}
    if not any(real.is_relative_to(folder) for folder in folders):
        raise ModelFormatError(
            f"{path} has weights in {beside}, which is a link to {real}, outside its folder; put "
            "the file itself beside it"
        )
    return real
