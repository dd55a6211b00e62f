"""What was found in a folder without a whole model in; the error out, with what to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from parakeet_streaming.catalog.file_reading import (
    exists,
)
from parakeet_streaming.catalog.graph import Graph
from parakeet_streaming.catalog.roles import REFUSALS, Role
from parakeet_streaming.errors import (
    ModelFormatError,
    ModelNotFoundError,
    ModelPartMissingError,
    ParakeetError,
)
from parakeet_streaming.plain_text import listed

EXPORT_ADVICE: Final = (
    "turn it into ONNX with `parakeet export MODEL --to FOLDER`, or use an ONNX export such as "
    "istupakov/parakeet-tdt-0.6b-v3-onnx"
)

_OTHER_RUNTIMES: Final = {
    ".nemo": "NVIDIA NeMo",
    ".safetensors": "PyTorch",
    ".ckpt": "PyTorch",
    ".pt": "PyTorch",
    ".pth": "PyTorch",
    ".bin": "PyTorch",
    ".gguf": "ggml",
    ".ort": "one build of ONNX Runtime",
}
_ARCHIVES: Final = (".tar", ".gz", ".bz2", ".xz", ".tgz", ".zip")
_PART_WORDS: Final = ("encoder", "decoder", "join")


@dataclass(frozen=True, slots=True)
class Found:
    """What the .onnx files of a folder are."""

    folder: Path
    graphs: list[tuple[Role, Graph]] = field(default_factory=list)
    broken: dict[Path, ParakeetError] = field(default_factory=dict)
    """Files that could not be read, and why."""

    def broken_named(self, word: str) -> ParakeetError | None:
        """Why a file with `word` in its name could not be read, None where all could."""
        for path, error in self.broken.items():
            if word in path.name.lower():
                return error
        return None


def no_folder(path: Path) -> ParakeetError:
    """The error for a path that is no folder."""
    if not exists(path):
        return ModelNotFoundError(f"there is no folder {path}; give the folder of an ONNX model")
    suffix = path.suffix.lower()
    if suffix == ".onnx":
        return ModelFormatError(
            f"{path} is one file of a model; give its folder instead: {path.parent}"
        )
    if suffix in _OTHER_RUNTIMES:
        return ModelFormatError(
            f"{path} holds weights for {_OTHER_RUNTIMES[suffix]}, which cannot run here; "
            f"{EXPORT_ADVICE}"
        )
    if suffix in _ARCHIVES:
        return ModelFormatError(f"{path} is an archive; unpack it and give the folder")
    return ModelFormatError(f"{path} is a file; give the folder of an ONNX model")


def without(found: Found, part: str, example: str) -> ParakeetError:
    """The error for a folder in which `part` was not found, with the most useful reason.

    Args:
        found: what was there instead.
        part: encoder, decoder or joiner.
        example: the usual name of the missing file.
    """
    broken = found.broken_named(part[:4]) or (not found.graphs and found.broken_named(""))
    if broken:
        return broken
    for role, graph in found.graphs:
        if role in REFUSALS:
            return ModelFormatError(f"{graph.path} {REFUSALS[role]}")
    for role, graph in found.graphs:
        if role is Role.OTHER and any(word in graph.path.name.lower() for word in _PART_WORDS):
            return ModelFormatError(
                f"{graph.path} is no part of a Parakeet that we know: {graph.face}; {EXPORT_ADVICE}"
            )
    if not found.graphs:
        return _without_onnx(found.folder, example)
    there = listed([graph.path.name for _, graph in found.graphs])
    return ModelPartMissingError(
        f"{found.folder} has no {part} (such as {example}); there is {there}; fetch the missing "
        "file from where the model came from"
    )


def _without_onnx(folder: Path, example: str) -> ParakeetError:
    """The error for a folder without an .onnx file in the places that are searched."""
    for path in sorted(folder.iterdir()):
        runtime = _OTHER_RUNTIMES.get(path.suffix.lower())
        if runtime is not None:
            return ModelFormatError(
                f"{folder} holds no ONNX model but {path.name}, weights for {runtime}, which "
                f"cannot run here; {EXPORT_ADVICE}"
            )
    nested = sorted({path.parent.name for path in folder.glob("*/*.onnx")})
    if nested:
        return ModelPartMissingError(
            f"{folder} has models in the folders {listed(nested)}; give one of them"
        )
    return ModelPartMissingError(
        f"{folder} has no .onnx files (an encoder such as {example} first of all); give the folder "
        "of an ONNX model"
    )
