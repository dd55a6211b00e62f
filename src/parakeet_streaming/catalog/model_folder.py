"""A model folder in; its parts out, checked to be there: .onnx files, vocabulary and config.

Rules of this file:

1. The graph of a file decides what the file is; its name decides the precision only.
2. All parts are looked for before any runtime opens a session.
3. Each part has its own precision: a model may have an int8 encoder and an fp32 decoder.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from types import MappingProxyType
from typing import Final, Literal

from parakeet_streaming.catalog.file_reading import (
    exists,
    read_object,
    reading,
    refuse_pointer,
)
from parakeet_streaming.catalog.folder_errors import Found, no_folder, without
from parakeet_streaming.catalog.graph import Graph, read_graph
from parakeet_streaming.catalog.limits import (
    MOST_DECODER_BYTES,
    MOST_ENCODER_BYTES,
    MOST_GRAPHS,
    refuse_beyond,
)
from parakeet_streaming.catalog.precision import (
    PRECISIONS,
    check_precision,
    named_precision,
    precision_of,
)
from parakeet_streaming.catalog.real_paths import refuse_outside
from parakeet_streaming.catalog.roles import Role, role_of
from parakeet_streaming.catalog.vocabulary import PIECES_NAME
from parakeet_streaming.catalog.weight_files import check_weights
from parakeet_streaming.errors import (
    FileAccessError,
    ModelFormatError,
    ModelPartMissingError,
    ParakeetError,
)
from parakeet_streaming.plain_text import listed

VOCABULARY_NAMES: Final = ("vocab.txt", "tokens.txt")
CONFIG_NAME: Final = "config.json"

Layout = Literal["two-file", "three-file"]


@dataclass(frozen=True, slots=True)
class Part:
    """One .onnx file of a model."""

    path: Path
    precision: str
    """One of `PRECISIONS`."""
    graph: Graph = field(repr=False)

    @property
    def files(self) -> tuple[Path, ...]:
        """The .onnx file and the files beside it that hold its weights."""
        return (self.path, *(self.path.parent / name for name in self.graph.external_files))

    @property
    def size_bytes(self) -> int:
        return sum(path.stat().st_size for path in self.files)


@dataclass(frozen=True, slots=True)
class ModelParts:
    """The files of one model; each exists, and each is what it should be."""

    folder: Path
    layout: Layout
    encoder: Part
    decoder: Part
    """Prediction network and joint in one (two-file), or the prediction network (three-file)."""
    joiner: Part | None
    """The joint of a three-file model."""
    vocabulary: Path
    config: Mapping[str, object] = field(repr=False)
    """What config.json says; empty where there is none."""

    @property
    def onnx(self) -> tuple[Part, ...]:
        """Encoder, decoder and, in a three-file model, the joiner."""
        return (self.encoder, self.decoder, *([self.joiner] if self.joiner else []))


def find_parts(folder: str | Path, precision: str = "auto") -> ModelParts:
    """The parts of the model in `folder`.

    Args:
        folder: holds the .onnx files, or holds them in folders named by precision.
        precision: one of `PRECISIONS`, which the encoder then must have and the other parts have
            if they can; or `auto`, the first of `PRECISIONS` that is there, for each part.

    Raises:
        OptionError: no such precision.
        ModelNotFoundError: no such folder.
        ModelPartMissingError: a part, a file of its weights, or that precision is missing.
        ModelFormatError: another kind of model, a file instead of a folder, or a broken file.
        FileAccessError: the system does not let the folder or a file be read.
    """
    check_precision(precision)
    folder = Path(folder)
    if not (exists(folder) and folder.is_dir()):
        raise no_folder(folder)
    with reading(folder):
        return _find_parts(folder, precision)


def _find_parts(folder: Path, precision: str) -> ModelParts:
    parts, found = _read_folder(folder)
    encoder = _encoder(parts, found, precision)
    decoder, joiner = _decoder(parts, found, precision)
    for part in filter(None, (encoder, decoder, joiner)):
        check_weights(part.graph)
        most_bytes = MOST_ENCODER_BYTES if part is encoder else MOST_DECODER_BYTES
        refuse_beyond(f"the size of {part.path} with its weights", part.size_bytes, most_bytes)
    return ModelParts(
        folder=folder,
        layout="three-file" if joiner else "two-file",
        encoder=encoder,
        decoder=decoder,
        joiner=joiner,
        vocabulary=_vocabulary(folder, encoder),
        config=_config(folder, encoder),
    )


def _read_folder(folder: Path) -> tuple[dict[Role, list[Part]], Found]:
    """Every graph in the folder and in its folders named by precision, by role."""
    parts: dict[Role, list[Part]] = {}
    found = Found(folder)
    for path in _onnx_files(folder, found):
        try:
            graph = read_graph(path)
        except ParakeetError as error:
            # Not yet fatal: with Git LFS, people often pull one precision only.
            found.broken[path] = error
            continue
        role = role_of(graph)
        found.graphs.append((role, graph))
        precision = named_precision(path.relative_to(folder)) or precision_of(graph)
        parts.setdefault(role, []).append(Part(path, precision, graph))
    return parts, found


def _onnx_files(folder: Path, found: Found) -> list[Path]:
    """The .onnx files in the folder and in its folders named by precision.

    Raises:
        FileAccessError: the folder itself may not be read.
        ModelFormatError: it holds too many.
    """
    subfolders = [
        path
        for path in sorted(folder.iterdir())
        if path.is_dir() and (path.name == "onnx" or named_precision(PurePath(path.name, "x")))
    ]
    files = _onnx_in(folder)
    for each in subfolders:
        try:
            with reading(each):
                files += _onnx_in(each)
        except FileAccessError as error:
            found.broken[each] = error
    refuse_beyond(f"the number of .onnx files in {folder}", len(files), MOST_GRAPHS, least=0)
    return files


def _onnx_in(folder: Path) -> list[Path]:
    # Not glob(), which passes over a folder that may not be read.
    return sorted(path for path in folder.iterdir() if path.match("*.onnx"))


def _encoder(parts: Mapping[Role, list[Part]], found: Found, precision: str) -> Part:
    candidates = parts.get(Role.ENCODER) or parts.get(Role.CACHED_ENCODER, [])
    wanted = PRECISIONS if precision == "auto" else (precision,)
    encoder = _pick(found.folder, candidates, wanted)
    if encoder is not None:
        return encoder
    if not candidates or found.broken_named("encoder"):
        raise without(found, "encoder", "encoder-model.onnx")
    there = listed(sorted(f"{part.precision} ({part.path.name})" for part in candidates))
    raise ModelPartMissingError(
        f"{found.folder} has no {precision} encoder; there is {there}: ask for that precision, or "
        "fetch the file"
    )


def _decoder(
    parts: Mapping[Role, list[Part]], found: Found, precision: str
) -> tuple[Part, Part | None]:
    """Decoder_joint and None, or decoder and joiner."""
    order = sorted(PRECISIONS, key=lambda each: each != precision)
    folder = found.folder
    fused = _pick(folder, parts.get(Role.DECODER_JOINT, []), order)
    if fused is not None:
        return fused, None
    decoder = _pick(folder, parts.get(Role.DECODER, []), order)
    if decoder is None:
        raise without(found, "decoder", "decoder_joint-model.onnx")
    joiner = _pick(folder, parts.get(Role.JOINER, []), order)
    if joiner is None:
        raise without(found, "joiner", "joiner.onnx")
    return decoder, joiner


def _pick(folder: Path, candidates: Iterable[Part], order: Iterable[str]) -> Part | None:
    """The candidate whose precision stands first in `order`."""
    by_precision: dict[str, list[Part]] = {}
    for part in candidates:
        by_precision.setdefault(part.precision, []).append(part)
    for precision in order:
        alike = by_precision.get(precision, [])
        alike = [part for part in alike if part.path.parent == folder] or alike
        if len(alike) > 1:
            names = " and ".join(str(part.path.relative_to(folder)) for part in alike[:2])
            raise ModelFormatError(
                f"{folder} has {names}, which are the same part in {precision}; keep one of them"
            )
        if alike:
            return alike[0]
    return None


def _vocabulary(folder: Path, encoder: Part) -> Path:
    for place in (folder, encoder.path.parent):
        for name in VOCABULARY_NAMES:
            if exists(place / name):
                for each in (place / name, place / PIECES_NAME):
                    if exists(each):
                        refuse_outside(each, _places(folder, encoder))
                refuse_pointer(place / name)
                return place / name
    raise ModelPartMissingError(
        f"{folder} has no vocabulary ({' or '.join(VOCABULARY_NAMES)}, lines of piece and id); "
        "fetch it from where the model came from"
    )


def _places(folder: Path, encoder: Part) -> tuple[Path, ...]:
    """Where the small files of a model may lie: as its weights may."""
    return (folder, encoder.path.parent, encoder.path.resolve().parent)


def _config(folder: Path, encoder: Part) -> Mapping[str, object]:
    for place in (folder, encoder.path.parent):
        path = place / CONFIG_NAME
        if exists(path):
            refuse_outside(path, _places(folder, encoder))
            return MappingProxyType(read_object(path))
    return MappingProxyType({})
