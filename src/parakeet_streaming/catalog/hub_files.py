"""Names of a hub repository's files in; those that one precision of its model needs, out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Final

from parakeet_streaming.catalog.folder_errors import EXPORT_ADVICE
from parakeet_streaming.catalog.model_folder import CONFIG_NAME, VOCABULARY_NAMES
from parakeet_streaming.catalog.precision import named_precision
from parakeet_streaming.catalog.vocabulary import PIECES_NAME
from parakeet_streaming.errors import ModelFormatError, ModelPartMissingError

_ORDER: Final = ("int8", "fp32", "fp16", "int4")


def files_of_precision(name: str, names: Sequence[str], precision: str) -> tuple[str, ...]:
    """The .onnx files of one precision, and the small files, among those of a repository.

    Raises:
        ModelFormatError: it has no encoder.
        ModelPartMissingError: it has none of that precision.
    """
    graphs = [path for path in map(PurePosixPath, names) if _may_be_part(path)]
    encoders = [path for path in graphs if "encoder" in path.name.lower()]
    if not encoders:
        raise ModelFormatError(f"{name} has no ONNX encoder; {EXPORT_ADVICE}")
    encoder = _first(encoders, _ORDER if precision == "auto" else (precision,))
    if encoder is None:
        there = ", ".join(sorted({_precision(path) for path in encoders}))
        raise ModelPartMissingError(
            f"{name} has no {precision} encoder; there is {there}: ask for that precision"
        )
    order = sorted(_ORDER, key=lambda each: each != _precision(encoder))
    decoders = [path for path in graphs if "decoder" in path.name.lower()]
    fused = _first([path for path in decoders if "joint" in path.name.lower()], order)
    joiners = [path for path in graphs if "join" in path.name.lower() and path not in decoders]
    halves = [_first(decoders, order), _first(joiners, order)]
    parts = [encoder, *([fused] if fused else filter(None, halves))]
    wanted = {CONFIG_NAME, PIECES_NAME, *VOCABULARY_NAMES}
    texts = [path for path in names if PurePosixPath(path).name in wanted and path.count("/") <= 1]
    return tuple(str(path) for path in (*parts, *texts))


def _may_be_part(path: PurePosixPath) -> bool:
    """Whether a repository's file lies where `find_parts` looks for .onnx files."""
    *folders, _ = path.parts
    place = len(folders) == 1 and (folders == ["onnx"] or named_precision(path.parent / "x"))
    return path.suffix == ".onnx" and (not folders or bool(place))


def _first(paths: Iterable[PurePosixPath], order: Iterable[str]) -> PurePosixPath | None:
    by_precision = {_precision(path): path for path in paths}
    return next((by_precision[each] for each in order if each in by_precision), None)


def _precision(path: PurePosixPath) -> str:
    return named_precision(path) or "fp32"
