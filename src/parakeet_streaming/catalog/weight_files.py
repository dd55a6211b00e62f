"""A graph in; the files that hold its weights, by their real paths and checked, out.

Rules of this file:

1. In the hub's cache every file is a link to a blob, whose name is a digest. ONNX, ONNX Runtime and
   OpenVINO refuse such links to weights, each in its own way, so files are opened by real paths.
2. Weights lie in the folder of the graph; or, where the graph is a link, in the folder of the file
   to which it leads; or they are blobs of the hub's cache (`real_paths.py`). Whatever else a graph
   or a link names is not opened.
3. To runtimes some names mean no file but an address in memory, and what lies there would come out
   as frames. Such names are refused, also where a file of that name exists.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath
from typing import Final

import onnx

from parakeet_streaming.catalog.file_reading import refuse_pointer
from parakeet_streaming.catalog.graph import Graph
from parakeet_streaming.catalog.real_paths import real_path
from parakeet_streaming.catalog.tensors import Stretch, outside, tensors_of
from parakeet_streaming.errors import ModelFormatError, ModelPartMissingError

_ADDRESS: Final = re.compile(r"\*|(^|[/\\])_ort_[^/\\]*(?=$|[/\\])", re.IGNORECASE)
"""What names of memory have: ONNX Runtime's `*/_ORT_MEM_ADDR_/*`, which OpenVINO knows too, and its
`*/_ORT_NATIVE_ENDIAN_MEM_ADDR_/*`. OpenVINO cuts off what stands before them (`./`, `x:`)."""
_COMPILED: Final = "EPContext"
"""The operator that names a file of a provider's own, compiled for one machine."""


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
        ModelFormatError, ModelPartMissingError: such a file; or a graph that is not ONNX's own.
    """
    if _COMPILED in graph.operators:
        raise ModelFormatError(
            f"{graph.path} is compiled for one machine ({_COMPILED}) and names files that are not "
            "checked; use the ONNX export that it was made of"
        )
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
    model = load_graph(path)
    for _ in with_values(model, path):
        pass
    return model


def load_graph(path: Path) -> onnx.ModelProto:
    """The model in an .onnx file without the weights that lie beside it.

    Raises:
        ModelFormatError: a broken file.
    """
    try:
        return onnx.load(path, load_external_data=False)
    except Exception as error:  # protobuf has an error of its own, in a package without types
        raise ModelFormatError(f"{path} is no whole ONNX file; fetch it again ({error})") from error


def with_values(model: onnx.ModelProto, path: Path) -> Iterator[onnx.TensorProto]:
    """Every tensor of the model in `path`, each with its values in it when it is given.

    Raises:
        ModelFormatError, ModelPartMissingError: as `load_whole`.
    """
    for tensor in tensors_of(model):
        try:
            place = outside(tensor)
        except ValueError as error:
            raise ModelFormatError(f"{path} is broken: {error}; fetch it again") from error
        if place is not None:
            tensor.raw_data = _read(_real_path(path, place.location), place)
            del tensor.external_data[:]
            tensor.data_location = onnx.TensorProto.DEFAULT
        yield tensor


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
    if _ADDRESS.search(name) or "\0" in name:
        raise ModelFormatError(
            f"{path} wants weights from {name!r}, outside its folder: that is no name of a file "
            "but of memory; fetch the model from where it can be trusted"
        )
    if way.is_absolute() or ".." in way.parts or not name:
        raise ModelFormatError(f"{path} wants weights from {name!r}, outside its folder")
    if not beside.is_file():
        raise ModelPartMissingError(
            f"{beside} is missing: it holds weights of {path.name} and must lie beside it; "
            "fetch it too"
        )
    real = real_path(beside, (path.parent, path.resolve().parent))
    if real is None:
        raise ModelFormatError(
            f"{path} has weights in {beside}, which is a link to {beside.resolve()}, outside its "
            "folder; put the file itself beside it"
        )
    return real
