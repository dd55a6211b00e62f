"""The parts of an ONNX model in; our networks with its weights out.

Rules of this file:

1. The layouts that are known are NeMo's exports, in two files or three, and our own. Weights of
   another layout have no place, and the model is refused.
2. Sizes are those of the weights. `weights.py` compares each with the network that they describe.
3. A batch norm that an exporter folded is given as what it does: a factor and a summand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from parakeet_streaming.catalog.file_reading import reading
from parakeet_streaming.catalog.model_folder import ModelParts
from parakeet_streaming.catalog.spec import ModelSpec
from parakeet_streaming.catalog.weight_files import load_whole
from parakeet_streaming.errors import ModelFormatError, OptionError
from parakeet_streaming.ports import Floats
from parakeet_streaming.torch_model.fastconformer import EncoderConfig
from parakeet_streaming.torch_model.nemo import NAMES
from parakeet_streaming.torch_model.transducer import Transducer, TransducerConfig
from parakeet_streaming.torch_model.weights import assembled, renamed
from parakeet_streaming.torch_runtime.onnx_constants import Constants
from parakeet_streaming.torch_runtime.onnx_places import CONTENT_BIAS, SCALE, SHIFT, weights_of

_ADVICE: Final = (
    "use NeMo's export, one of `parakeet export`, the .nemo file itself, or another runtime"
)
_NORM_GUARD: Final = 1e-5
"""That batch norm adds to a variance."""


@dataclass(frozen=True, slots=True)
class Networks:
    """Networks that were read from graphs."""

    model: Transducer
    rounded: bool
    """Whether weights are stored in fewer bits: the graphs round activations too."""


def read_onnx(parts: ModelParts, spec: ModelSpec) -> Networks:
    """The networks of the model in `parts`, in evaluation and float32.

    Raises:
        ModelFormatError: weights in another layout or form, or of another model.
    """
    with reading(parts.folder, "has graphs that torch's networks cannot take"):
        return _read(parts, spec)


def _read(parts: ModelParts, spec: ModelSpec) -> Networks:
    if spec.vocabulary.blank_id != spec.vocabulary.size - 1:
        raise ModelFormatError(f"{parts.folder}: its blank is not its last piece; {_ADVICE}")
    weights: dict[str, Floats] = {}
    rounded = False
    roles = ("encoder", "decoder", "joint")
    for part, role in zip(parts.onnx, roles, strict=False):
        model = load_whole(part.path)
        constants = Constants(model, str(part.path))
        weights |= _named(weights_of(model, constants), role, parts.joiner is not None)
        rounded = rounded or constants.rounded
    origin = str(parts.folder)
    ours = any(name.startswith("encoder.subsampling.") for name in weights)
    layers = _count(weights, "encoder.layers.")
    weights = _with_content_biases(weights, ours, layers)
    tensors = {
        name: torch.from_numpy(np.array(values, np.float32)) for name, values in weights.items()
    }
    if not ours:
        tensors = renamed(tensors, NAMES, layers, origin)
    try:
        config = _config(tensors, spec, layers)
    except (KeyError, OptionError) as error:
        raise ModelFormatError(
            f"{origin}: its graphs have no weights where a Parakeet has them ({error}); {_ADVICE}"
        ) from error
    _unfold_norms(tensors, config.encoder)
    return Networks(assembled(config, tensors, origin), rounded)


def _named(weights: Mapping[str, Floats], role: str, three_files: bool) -> dict[str, Floats]:
    """The weights of one graph under whole names: a graph of one module leaves its name out."""
    if role == "encoder":
        doubled = {
            name.replace("encoder.encoder.", "encoder.", 1): each for name, each in weights.items()
        }
        known = ("encoder.", CONTENT_BIAS)
        return {
            name if name.startswith(known) else f"encoder.{name}": each
            for name, each in doubled.items()
        }
    named = {}
    for name, each in weights.items():
        whole = name.replace("decoder.dec_rnn.", "decoder.prediction.dec_rnn.", 1)
        if three_files and not whole.startswith(("decoder.", "joint.", "predictor.")):
            inside = "prediction." if whole.startswith(("dec_rnn.", "embed.")) else ""
            whole = f"{role}.{inside}{whole}"
        named[whole] = each
    return named


def _with_content_biases(
    weights: Mapping[str, Floats], ours: bool, layers: int
) -> dict[str, Floats]:
    """Biases without a name under the name of their layer: there is one in each, in order."""
    prefix = f"{CONTENT_BIAS}."
    nameless = [name for name in weights if name.startswith(prefix)]
    named = {name: each for name, each in weights.items() if not name.startswith(prefix)}
    if ours and len(nameless) == layers:
        for layer in range(layers):
            named[f"encoder.layers.{layer}.attention.content_bias"] = weights[f"{prefix}{layer}"]
    return named


def _count(weights: Mapping[str, object], prefix: str) -> int:
    numbers = {
        name.removeprefix(prefix).partition(".")[0] for name in weights if name.startswith(prefix)
    }
    return len(numbers)


def _config(weights: Mapping[str, Tensor], spec: ModelSpec, layers: int) -> TransducerConfig:
    """The sizes that the weights have."""
    first = "encoder.layers.0."
    inner, width = weights[f"{first}feed_forward_in.widen.weight"].shape
    encoder = EncoderConfig(
        mel_bins=spec.mel_bins,
        subsampling_channels=weights["encoder.subsampling.first.weight"].shape[0],
        width=width,
        layers=layers,
        heads=weights[f"{first}attention.position_bias"].shape[0],
        feed_forward=inner // width,
        kernel=weights[f"{first}convolution.depthwise.weight"].shape[-1],
        bias=f"{first}feed_forward_in.widen.bias" in weights,
    )
    return TransducerConfig(
        encoder=encoder,
        vocabulary=spec.vocabulary.size,
        durations=spec.durations,
        predictor_width=spec.predictor_width,
        predictor_layers=spec.predictor_layers,
        joint_width=weights["joint.frames.weight"].shape[0],
        max_symbols=spec.max_symbols,
    )


def _unfold_norms(weights: dict[str, Tensor], config: EncoderConfig) -> None:
    """Batch norms that are a product and a sum, or that a convolution has taken in."""
    for layer in range(config.layers):
        block = f"encoder.layers.{layer}.convolution"
        norm, bias = f"{block}.batch_norm", f"{block}.depthwise.bias"
        if f"{norm}.running_var" in weights:
            continue
        width = config.width
        scale = weights.pop(f"{norm}.{SCALE}", None)
        shift = weights.pop(f"{norm}.{SHIFT}", None)
        if scale is None or shift is None:
            scale, shift = torch.ones(width), weights.pop(bias, torch.zeros(width))
            if config.bias:
                weights[bias] = torch.zeros(width)
        weights[f"{norm}.weight"], weights[f"{norm}.bias"] = scale, shift
        weights[f"{norm}.running_mean"] = torch.zeros(width)
        weights[f"{norm}.running_var"] = torch.full((width,), 1.0 - _NORM_GUARD)
