"""Inputs and outputs of graphs in; the part of a model that each is, and its tensors' roles, out.

Rules of this file:

1. Ranks, types and order in the graph identify parts and tensors, because exporters choose names as
   they like. Names are used only to identify models of other kinds.
2. Every other kind of model has a sentence that says what to do instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from parakeet_streaming.catalog.graph import Graph, TensorSpec


class Role(Enum):
    """What a graph is in a model."""

    ENCODER = "encoder"
    CACHED_ENCODER = "cached encoder"
    DECODER_JOINT = "decoder_joint"
    DECODER = "decoder"
    JOINER = "joiner"
    CACHE_AWARE = "cache-aware encoder"
    CTC = "CTC model"
    AED = "attention decoder model"
    TRANSFORMERS = "transformers export"
    JOINT_DECISION = "joint that decides"
    STATELESS = "stateless transducer"
    OTHER = "something else"


_USE_TDT: Final = "use a Parakeet TDT or RNN-T export, such as istupakov/parakeet-tdt-0.6b-v3-onnx"

REFUSALS: Final[dict[Role, str]] = {
    Role.CACHE_AWARE: (
        "is a cache-aware streaming encoder (it takes cache_last_channel); this package streams "
        f"full-attention models by left, chunk and right context; {_USE_TDT}"
    ),
    Role.CTC: (
        "is a CTC model: one graph from features to log-probabilities, without a decoder and a "
        f"joint; {_USE_TDT}, or export this model's transducer head"
    ),
    Role.AED: (
        "belongs to a model with an attention decoder, such as Canary, which cannot be decoded "
        f"frame by frame; {_USE_TDT}"
    ),
    Role.TRANSFORMERS: (
        "is an export in the layout of transformers (input_features), such as Whisper or Parakeet "
        f"CTC; {_USE_TDT}"
    ),
    Role.JOINT_DECISION: (
        "returns decisions (token ids) where logits are needed; use an export whose joint ends in "
        "logits, such as istupakov/parakeet-tdt-0.6b-v3-onnx"
    ),
    Role.STATELESS: (
        "is the decoder of a stateless transducer, such as Zipformer, without the two LSTM states "
        f"of a Parakeet; {_USE_TDT}"
    ),
}


@dataclass(frozen=True, slots=True)
class CachedNames:
    """Names of the tensors that a cached encoder takes from one step and gives to the next."""

    look_back: str
    """In: (B,) integer."""
    past_filled: str
    """In: (B,) integer."""
    past_keys: str
    """In: (L, B, K, D) float."""
    past_values: str
    """In: (L, B, K, D) float."""
    past_convolved: str
    """In: (L, B, R, D) float."""
    keys: str
    """Out: (L, B, U, D) float."""
    values: str
    """Out: (L, B, U, D) float."""
    convolved: str
    """Out: (L, B, R + U, D) float."""


@dataclass(frozen=True, slots=True)
class TensorNames:
    """What each graph calls its inputs and outputs, by role."""

    features: str
    """Encoder, in: (B, F, T) float."""
    feature_lengths: str
    """Encoder, in: (B,) integer."""
    frames: str
    """Encoder, out: (B, D, U) float."""
    frame_lengths: str
    """Encoder, out: (B,) integer."""
    targets: str
    """Decoder, in: (B, 1) integer."""
    target_lengths: str | None
    """Decoder, in: (B,) integer; None where the graph has no such input."""
    hidden: str
    """Decoder, in: (L, B, H) float."""
    cell: str
    """Decoder, in: (L, B, H) float."""
    next_hidden: str
    """Decoder, out: (L, B, H) float."""
    next_cell: str
    """Decoder, out: (L, B, H) float."""
    joint_frames: str
    """Joint (the decoder_joint itself or the joiner), in: (B, D, K) float."""
    logits: str
    """Joint, out: (B, K, 1, V + n) float."""
    predictions: str | None = None
    """Three-file decoder, out: (B, H, 1) float; None in a two-file model."""
    joint_predictions: str | None = None
    """Joiner, in: (B, H, 1) float; None in a two-file model."""
    cached: CachedNames | None = None
    """Of a cached encoder; None where every window is encoded whole."""


def role_of(graph: Graph) -> Role:
    """Which part of which kind of model a graph is."""
    if _is_cached_encoder(graph):
        return Role.CACHED_ENCODER
    return _foreign_by_name(graph) or _by_shape(graph)


def tensor_names(encoder: Graph, decoder: Graph, joiner: Graph | None) -> TensorNames:
    """The roles of all tensors of a model's graphs.

    Args:
        encoder: an encoder.
        decoder: a decoder_joint, or a decoder if there is a joiner.
        joiner: the joiner of a three-file model.
    """
    joint = joiner or decoder
    lengths = [spec.name for spec in decoder.inputs if _is_integer(spec, 1)]
    hidden, cell = _floats(decoder.inputs)[-2:]
    next_hidden, next_cell = _floats(decoder.outputs)[-2:]
    fused = joiner is None
    return TensorNames(
        features=_floats(encoder.inputs)[0],
        feature_lengths=next(spec.name for spec in encoder.inputs if _is_integer(spec, 1)),
        frames=_floats(encoder.outputs)[0],
        frame_lengths=next(spec.name for spec in encoder.outputs if _is_integer(spec, 1)),
        targets=next(spec.name for spec in decoder.inputs if _is_integer(spec, 2)),
        target_lengths=lengths[0] if lengths else None,
        hidden=hidden,
        cell=cell,
        next_hidden=next_hidden,
        next_cell=next_cell,
        joint_frames=_floats(joint.inputs)[0],
        logits=_floats(joint.outputs, 4)[0],
        predictions=None if fused else _floats(decoder.outputs)[0],
        joint_predictions=None if fused else _floats(joint.inputs)[1],
        cached=_cached_names(encoder) if role_of(encoder) is Role.CACHED_ENCODER else None,
    )


def _cached_names(encoder: Graph) -> CachedNames:
    _, look_back, filled = (spec.name for spec in encoder.inputs if _is_integer(spec, 1))
    return CachedNames(look_back, filled, *_floats(encoder.inputs, 4), *_floats(encoder.outputs, 4))


def _is_float(spec: TensorSpec, rank: int) -> bool:
    return spec.dtype.kind == "f" and spec.rank == rank


def _is_integer(spec: TensorSpec, rank: int) -> bool:
    return spec.dtype.kind in "iu" and spec.rank == rank


def _is_cached_encoder(graph: Graph) -> bool:
    integers = sum(_is_integer(spec, 1) for spec in graph.inputs)
    past, kept = len(_floats(graph.inputs, 4)), len(_floats(graph.outputs, 4))
    answers = _floats(graph.outputs) and any(_is_integer(spec, 1) for spec in graph.outputs)
    return bool(answers) and (len(_floats(graph.inputs)), integers, past, kept) == (1, 3, 3, 3)


def _foreign_by_name(graph: Graph) -> Role | None:
    inputs = {spec.name for spec in graph.inputs}
    outputs = {spec.name for spec in graph.outputs}
    if any(name.startswith("cache_last") for name in inputs):
        return Role.CACHE_AWARE
    if inputs & {"encoder_mask", "decoder_mems"} or "encoder_mask" in outputs:
        return Role.AED
    if inputs & {"input_features", "input_ids"}:
        return Role.TRANSFORMERS
    if outputs & {"logprobs", "log_probs"}:
        return Role.CTC
    return None


def _by_shape(graph: Graph) -> Role:
    """The role by ranks and types, in the order of inputs and outputs."""
    inputs, outputs = graph.inputs, graph.outputs
    floats = sum(_is_float(spec, 3) for spec in inputs)
    integers = sum(spec.dtype.kind in "iu" for spec in inputs)
    logits = any(_is_float(spec, 4) for spec in outputs)
    states = sum(_is_float(spec, 3) for spec in outputs)
    tokens = any(_is_integer(spec, 2) for spec in inputs)
    lengths_in = any(_is_integer(spec, 1) for spec in inputs)
    if (floats, integers, lengths_in) == (1, 1, True) and len(inputs) == 2:
        lengths = any(_is_integer(spec, 1) for spec in outputs)
        if _is_float(outputs[0], 3):
            return Role.ENCODER if lengths else Role.CTC
    if tokens and logits and (floats, states) == (3, 2):
        return Role.DECODER_JOINT
    if tokens and not logits and (floats, states) == (2, 3):
        return Role.DECODER
    if (floats, integers, len(inputs)) == (2, 0, 2):
        return Role.JOINER if logits else Role.JOINT_DECISION
    if tokens and floats == 0 and len(inputs) <= 2:
        return Role.STATELESS
    return Role.OTHER


def _floats(specs: tuple[TensorSpec, ...], rank: int = 3) -> list[str]:
    return [spec.name for spec in specs if _is_float(spec, rank)]
