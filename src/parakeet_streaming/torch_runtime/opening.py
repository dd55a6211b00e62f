"""A model in any form that torch can take in; the model behind the port, and its pieces, out.

| source | read by |
|---|---|
| a `.nemo` file, a folder of transformers, a checkpoint of training | `torch_model/` |
| a folder of ONNX files | `onnx_networks.py`; then compared with the graphs themselves |

Rules of this file:

1. A model is moved to the device after it was compared: graphs run on the processor.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from parakeet_streaming.catalog.fingerprint import fingerprint, fingerprint_of
from parakeet_streaming.catalog.model_folder import ModelParts
from parakeet_streaming.catalog.piece_types import PieceTypes
from parakeet_streaming.catalog.spec import ModelSpec, name_of
from parakeet_streaming.catalog.vocabulary import Vocabulary
from parakeet_streaming.model.numpy_networks import DecoderJoint
from parakeet_streaming.model.transducer import FrameEncoder
from parakeet_streaming.torch_model.hugging_face import CONFIG_NAME
from parakeet_streaming.torch_model.pieces import Pieces
from parakeet_streaming.torch_model.safetensors_files import has_weights
from parakeet_streaming.torch_model.sources import read_source
from parakeet_streaming.torch_model.transducer import Transducer
from parakeet_streaming.torch_runtime.devices import open_device
from parakeet_streaming.torch_runtime.onnx_networks import read_onnx
from parakeet_streaming.torch_runtime.parity import require_parity
from parakeet_streaming.torch_runtime.transducer import TorchTransducer

_BLANK: Final = "<blk>"
_BESIDE: Final = ("*.safetensors", "*.json", "tokenizer.model")
"""Files of a model with weights of its own, beside the one that is named."""


@dataclass(frozen=True, slots=True)
class Read:
    """Networks on the processor, and what else a recognizer needs of a model."""

    model: Transducer
    vocabulary: Vocabulary
    name: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Choices:
    """How a model is opened; fields as in `load`."""

    device: str = "auto"
    threads: int | None = None
    max_symbols: int | None = None
    confidence: str = "probability"
    bfloat16: bool = False
    cache_int8: bool = False


def has_own_weights(path: Path) -> bool:
    """Whether a path is a model's own weights: any file, or a folder that transformers wrote."""
    if not path.is_dir():
        return path.is_file()
    graphs = next(path.glob("*.onnx"), None)
    return graphs is None and (path / CONFIG_NAME).is_file() and has_weights(path)


def read_own_weights(path: Path) -> Read:
    """The model in a path with weights of its own.

    Raises:
        ModelNotFoundError, ModelFormatError, ModelPartMissingError, FileAccessError: see
            `read_source`.
    """
    model, pieces = read_source(path)
    folder = path if path.is_dir() else path.parent
    beside = {each for pattern in _BESIDE for each in folder.glob(pattern)}
    archive = path.suffix == ".nemo"
    files = [path] if archive else sorted(beside | ({path} if path.is_file() else set()))
    vocabulary = vocabulary_of(pieces)
    name = name_of(path) if path.is_dir() else path.stem
    return Read(model, vocabulary, name, fingerprint_of(files))


def vocabulary_of(pieces: Pieces) -> Vocabulary:
    """Pieces of a tokenizer, and the blank after them."""
    types = PieceTypes(pieces.unknown, pieces.control, pieces.bytes_, pieces.unknown_text)
    return Vocabulary((*pieces, _BLANK), len(pieces), types)


def read_graphs(
    parts: ModelParts, spec: ModelSpec, encoder: FrameEncoder, decoder: DecoderJoint
) -> Read:
    """The model in a folder of graphs.

    Args:
        parts: its files.
        spec: what they say.
        encoder: its encoder as a graph, to compare with.
        decoder: its prediction network and joint, likewise.

    Raises:
        ModelFormatError: networks that are not known here, or that compute something else.
    """
    networks = read_onnx(parts, spec)
    origin = str(parts.folder)
    require_parity(networks.model, encoder, decoder, rounded=networks.rounded, origin=origin)
    return Read(networks.model, spec.vocabulary, spec.name, fingerprint(parts))


def open_torch(read: Read, choices: Choices) -> TorchTransducer:
    """The model on its device.

    Raises:
        OptionError: no such device.
        ProviderMissingError: there is no such GPU.
        ComputeError: the device has no room for it.
    """
    return TorchTransducer(
        read.model,
        open_device(choices.device, choices.threads),
        max_symbols=choices.max_symbols,
        confidence=choices.confidence,
        bfloat16=choices.bfloat16,
        cache_int8=choices.cache_int8,
        fingerprint=read.fingerprint,
    )
