"""Weights under another program's names and a model's size in; our transducer with them out.

Rules of this file:

1. Every weight of our model must be given in its shape, and every given weight must have a place.
   Axes of size one are not counted: a pointwise convolution is a linear layer.
2. Tensors that are float32 already are used, not copied.
3. A tensor is plain numbers that are all in its file. Torch files can also hold views that repeat
   one number a billion times, and tensors without numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from parakeet_streaming.errors import ModelFormatError
from parakeet_streaming.plain_text import listed, shown
from parakeet_streaming.torch_model.sizes import MOST_WEIGHTS
from parakeet_streaming.torch_model.transducer import Transducer, TransducerConfig

# Their names and ours within a layer, where NeMo and transformers agree.
LAYER_NAMES: Final = {
    "norm_feed_forward1": "feed_forward_in.norm",
    "feed_forward1.linear1": "feed_forward_in.widen",
    "feed_forward1.linear2": "feed_forward_in.narrow",
    "norm_self_att": "attention.norm",
    "norm_conv": "convolution.norm",
    "conv.pointwise_conv1": "convolution.gated",
    "conv.depthwise_conv": "convolution.depthwise",
    "conv.pointwise_conv2": "convolution.pointwise",
    "norm_feed_forward2": "feed_forward_out.norm",
    "feed_forward2.linear1": "feed_forward_out.widen",
    "feed_forward2.linear2": "feed_forward_out.narrow",
    "norm_out": "norm",
}
# No exported graph reads them: a head for training, a counter.
_UNUSED_PREFIX: Final = "ctc."
_UNUSED_SUFFIX: Final = ".num_batches_tracked"
_DTYPES: Final = frozenset(
    (torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64)
)
"""Of weights; whole numbers are counters of training."""
_INPUT: Final = ("encoder.subsampling.out.weight", "encoder.subsampling.out.bias")


@dataclass(frozen=True, slots=True)
class Names:
    """Another program's names for modules and single parameters of ours."""

    outside: Mapping[str, str]
    """Their whole names to ours."""
    in_layer: Mapping[str, str]
    """Their names to ours after `encoder.layers.N.`, which is the same in all programs."""
    ignored: tuple[str, ...] = ()
    """Prefixes of weights that no recogniser needs."""

    def of_layers(self, layers: int) -> dict[str, str]:
        """Their names to ours, in a model of so many layers."""
        prefixes = [f"encoder.layers.{layer}." for layer in range(layers)]
        within = {
            prefix + theirs: prefix + ours
            for prefix in prefixes
            for theirs, ours in self.in_layer.items()
        }
        return {**self.outside, **within}


def renamed(
    weights: Mapping[str, object], names: Names, layers: int, origin: str
) -> dict[str, Tensor]:
    """The same tensors under our names.

    Raises:
        ModelFormatError: a weight that has no place in a Parakeet TDT, or that is no tensor.
    """
    known = names.of_layers(layers)
    ours: dict[str, Tensor] = {}
    for name, values in weights.items():
        if not isinstance(name, str) or not isinstance(values, Tensor):
            raise ModelFormatError(f"{origin}: {shown(name)} is no tensor; fetch the model again")
        _check_plain(name, values, origin)
        stem, _, leaf = name.rpartition(".")
        if name in known:
            ours[known[name]] = values
        elif stem in known:
            ours[f"{known[stem]}.{leaf}"] = values
        elif not name.startswith(names.ignored):
            raise _misfit(
                origin, f"{listed([name])} has no place in a Parakeet TDT of {layers} layers"
            )
    return ours


def scaled_input(weights: dict[str, Tensor], width: int) -> None:
    """Multiplies the input of the first layer by the root of the width, as `xscaling` does."""
    for name in _INPUT:
        if name in weights:
            weights[name] = weights[name].float() * math.sqrt(width)


def assembled(config: TransducerConfig, weights: dict[str, Tensor], origin: str) -> Transducer:
    """A transducer in evaluation with `weights`, which are taken out of their dictionary.

    Raises:
        ModelFormatError: weights that are missing, left over or of another shape.
    """
    with torch.device("meta"):  # so that memory holds the weights once
        model = Transducer(config)
    slots = model.state_dict()
    if (count := sum(slot.numel() for slot in slots.values())) > MOST_WEIGHTS:
        raise ModelFormatError(
            f"{origin} describes a model of {count} weights, and at most {MOST_WEIGHTS} are "
            "possible; fetch it again"
        )
    for name, values in weights.items():
        _check_plain(name, values, origin)
    if unknown := sorted(weights.keys() - slots.keys()):
        raise _misfit(origin, f"{_few(unknown)} not part of the model that its config describes")
    needed = (name for name in slots if not _unused(name))
    if missing := sorted(set(needed) - weights.keys()):
        raise _misfit(origin, f"{_few(missing)} missing")
    fitted = {
        name: _fitted(weights.pop(name), slot, name, origin)
        if name in weights
        else torch.zeros(slot.shape, dtype=slot.dtype)
        for name, slot in slots.items()
    }
    model.load_state_dict(fitted, assign=True)
    return model.eval()


def _fitted(values: Tensor, slot: Tensor, name: str, origin: str) -> Tensor:
    if _counted(values) != _counted(slot):
        raise _misfit(origin, f"{name} is {tuple(values.shape)}, not {tuple(slot.shape)}")
    return values.detach().reshape(slot.shape).to(slot.dtype)


def _check_plain(name: object, values: object, origin: str) -> None:
    """Refuses what is no tensor of numbers that lie in its file."""
    if (
        isinstance(name, str)
        and isinstance(values, Tensor)
        and values.layout is torch.strided
        and values.device.type == "cpu"
        and values.dtype in _DTYPES
        and values.nbytes <= values.untyped_storage().nbytes()
    ):
        return
    raise ModelFormatError(
        f"{origin}: {shown(name)} is no tensor of plain numbers; fetch the model again, or save it "
        "as float32, float16 or bfloat16"
    )


def _counted(values: Tensor) -> list[int]:
    return [size for size in values.shape if size != 1]


def _unused(name: str) -> bool:
    return name.startswith(_UNUSED_PREFIX) or name.endswith(_UNUSED_SUFFIX)


def _few(names: Iterable[str]) -> str:
    first, *rest = names
    first = listed([first])
    return f"{first} and {len(rest)} more are" if rest else f"{first} is"


def _misfit(origin: str, what: str) -> ModelFormatError:
    return ModelFormatError(
        f"{origin}: the weights do not fit: {what}; weights and config must be of one Parakeet TDT"
    )
