"""Sizes in; a folder with a model of Parakeet TDT 0.6B v3's shape and random weights out.

It hears nothing, but every graph costs what the real one costs: a FastConformer encoder of 24
layers (relative positions, depthwise convolutions, 8 × subsampling) and a decoder_joint of a
two-layer LSTM and a joint over 8193 tokens and 5 durations, in the two-file layout.

Rules of this file:

1. Weights are float32, seeded, and different in every layer: as many bytes are read as in life.
2. Padding masks are left out: windows of one stream have no padding.
3. Biases of the joint are set on real encoder frames, so that about `TOKENS_PER_VISIT` of the
   frames that are visited give a token, and durations are mixed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from graphs import FLOAT, INT32, INT64, GraphBuilder
from numpy.typing import NDArray
from onnx import helper

from parakeet_streaming.engine.ports import DecoderJoint, Floats

TOKENS_PER_VISIT = 0.6
"""With durations 0 to 4 alike, gives 3 to 4 tokens per second."""

ENCODER_FILE = "encoder-model.onnx"
DECODER_FILE = "decoder_joint-model.onnx"
_MEL_BINS = 128
_POSITIONS = 5000
_BIAS = "joint.joint_net.2.bias"
_CALIBRATION_TOKENS = 8


@dataclass(frozen=True)
class Size:
    """Shape of the model; the defaults are those of Parakeet TDT 0.6B v3."""

    layers: int = 24
    width: int = 1024
    heads: int = 8
    feed_forward: int = 4096
    kernel: int = 9
    channels: int = 256
    predictor_width: int = 640
    vocabulary: int = 8193
    """Blank included."""
    durations: int = 5


def build(folder: Path, size: Size, seed: int = 0) -> None:
    """Writes the model, with biases of zero."""
    generator = np.random.default_rng(seed)
    _encoder(GraphBuilder(folder / ENCODER_FILE, generator), size)
    _decoder_joint(GraphBuilder(folder / DECODER_FILE, generator, external=False), size)
    pieces = [*(f"\u2581p{each}" for each in range(size.vocabulary - 1)), "<blk>"]
    lines = "".join(f"{piece} {each}\n" for each, piece in enumerate(pieces))
    (folder / "vocab.txt").write_text(lines, encoding="utf-8")


def calibrate(folder: Path, size: Size, frames: Floats, decoder_joint: DecoderJoint) -> None:
    """Sets the joint's biases so that encoder frames (1, U, D) give tokens and blanks in turn.

    Args:
        folder: the model, as `build` left it.
        size: as for `build`.
        frames: of real speech.
        decoder_joint: of that model.
    """
    logits = _sampled_logits(frames, decoder_joint)
    bias = -logits.mean(axis=0)
    centred = logits[:, : size.vocabulary] + bias[: size.vocabulary]
    margin = centred[:, :-1].max(axis=1) - centred[:, -1]
    bias[size.vocabulary - 1] += np.quantile(margin, 1 - TOKENS_PER_VISIT)
    model = onnx.load(folder / DECODER_FILE)
    (stored,) = (each for each in model.graph.initializer if each.name == _BIAS)
    stored.raw_data = bias.astype(np.float32).tobytes()
    onnx.save_model(model, folder / DECODER_FILE)


def _sampled_logits(frames: Floats, decoder_joint: DecoderJoint) -> NDArray[np.float32]:
    """Logits (n, V + durations) of all frames, each under one of a few predictor states."""
    output, hidden, cell = decoder_joint.start()
    rows = []
    for offset in range(_CALIBRATION_TOKENS):
        block = frames[:, offset::_CALIBRATION_TOKENS]
        tokens, durations = decoder_joint.score(block, output)
        assert durations is not None
        rows.append(np.concatenate([tokens[0], durations[0]], axis=-1))
        output, hidden, cell = decoder_joint.advance([offset], hidden, cell)
    return np.concatenate(rows)


def _encoder(graph: GraphBuilder, size: Size) -> None:
    graph.input("audio_signal", FLOAT, ["B", _MEL_BINS, "T"])
    graph.input("length", INT64, ["B"])
    frames = _subsampled(graph, "audio_signal", size)
    count = graph.node("Gather", frames_shape := graph.node("Shape", frames), graph.ints(1), axis=0)
    del frames_shape
    positions = _positions(graph, count, size)
    for _ in range(size.layers):
        frames = _conformer_layer(graph, frames, positions, count, size)
    graph.node("Transpose", frames, perm=[0, 2, 1], output="outputs")
    last = graph.node("Sub", "length", graph.ints(1))
    whole = graph.node("Div", last, graph.ints(8))
    graph.node("Add", whole, graph.ints(1), output="encoded_lengths")
    graph.output("outputs", FLOAT, ["B", size.width, "U"])
    graph.output("encoded_lengths", INT64, ["B"])
    graph.save()
