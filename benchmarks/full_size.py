"""Sizes in; a folder with a model of Parakeet TDT 0.6B v3's shape and random weights out.

It hears nothing, but its graphs cost what the real ones cost: the encoder of `fast_conformer.py`,
and a decoder_joint of a two-layer LSTM and a joint over 8193 tokens and 5 durations, in the two-file
layout.

Rules of this file:

1. Weights are float32, seeded, and different in every layer: as many bytes are read as in life.
2. Biases of the joint are set on encoder frames of speech, so that tokens and blanks alternate as
   often as in real speech, and durations are mixed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from fast_conformer import write_encoder
from graphs import FLOAT, INT32, INT64, GraphBuilder
from numpy.typing import NDArray
from sizes import Size

from parakeet_streaming.engine.ports import DecoderJoint, Floats

TOKENS_PER_VISIT = 0.6
"""Share of the visited frames that give a token: 3 to 4 tokens a second with mixed durations."""

_ENCODER_FILE = "encoder-model.onnx"
_DECODER_FILE = "decoder_joint-model.onnx"
_BIAS = "joint.bias"
_CALIBRATION_STATES = 8


def build(folder: Path, size: Size, seed: int = 0) -> None:
    """Writes the model, with biases of zero."""
    generator = np.random.default_rng(seed)
    write_encoder(GraphBuilder(folder / _ENCODER_FILE, generator), size)
    _write_decoder_joint(GraphBuilder(folder / _DECODER_FILE, generator), size)
    pieces = [*(f"\u2581p{each}" for each in range(size.vocabulary - 1)), "<blk>"]
    lines = "".join(f"{piece} {each}\n" for each, piece in enumerate(pieces))
    (folder / "vocab.txt").write_text(lines, encoding="utf-8")


def calibrate(folder: Path, size: Size, frames: Floats, decoder_joint: DecoderJoint) -> None:
    """Sets the joint's biases in `folder`.

    Args:
        folder: the model, as `build` left it.
        size: as for `build`.
        frames: (1, U, D) of speech, from its encoder.
        decoder_joint: of that model.
    """
    logits = _sampled_logits(frames, decoder_joint)
    bias = -logits.mean(axis=0)
    tokens = logits[:, : size.vocabulary] + bias[: size.vocabulary]
    lead = tokens[:, :-1].max(axis=1) - tokens[:, -1]
    bias[size.vocabulary - 1] += np.quantile(lead, 1 - TOKENS_PER_VISIT)
    # Trained models rarely emit two tokens on one frame.
    bias[size.vocabulary] -= logits[:, size.vocabulary].std()
    model = onnx.load(folder / _DECODER_FILE)
    (stored,) = (each for each in model.graph.initializer if each.name == _BIAS)
    stored.raw_data = bias.astype(np.float32).tobytes()
    onnx.save_model(model, folder / _DECODER_FILE)


def _sampled_logits(frames: Floats, decoder_joint: DecoderJoint) -> NDArray[np.float32]:
    """Logits (U, V + n) of all frames, each under one of a few predictor states."""
    output, hidden, cell = decoder_joint.start()
    rows = []
    for token in range(_CALIBRATION_STATES):
        tokens, durations = decoder_joint.score(frames[:, token::_CALIBRATION_STATES], output)
        assert durations is not None
        rows.append(np.concatenate([tokens[0], durations[0]], axis=-1))
        output, hidden, cell = decoder_joint.advance([token], hidden, cell)
    return np.concatenate(rows)


def _write_decoder_joint(graph: GraphBuilder, size: Size) -> None:
    layers, width = size.predictor_layers, size.predictor_width
    frames = graph.takes("encoder_outputs", FLOAT, ["B", size.width, "K"])
    targets = graph.takes("targets", INT32, ["B", "N"])
    lengths = graph.takes("target_length", INT32, ["B"])
    states = [
        graph.takes(f"input_states_{each}", FLOAT, [layers, "B", width]) for each in (1, 2)
    ]
    predictions = _predictor(graph, targets, states, size)
    scored = size.vocabulary + size.durations
    rows = graph.node("Transpose", frames, perm=[0, 2, 1])
    rows = _affine(graph, rows, size.width, width)
    rows = graph.node("Unsqueeze", rows, graph.whole(2))
    columns = graph.node("Transpose", predictions, perm=[1, 0, 2])
    columns = graph.node("Unsqueeze", _affine(graph, columns, width, width), graph.whole(1))
    joined = graph.node("Relu", graph.node("Add", rows, columns))
    logits = graph.node("MatMul", joined, graph.random(width, scored, fan_in=width))
    bias = graph.weight(np.zeros(scored, np.float32), _BIAS)
    graph.node("Add", logits, bias, output="outputs")
    graph.node("Identity", lengths, output="prednet_lengths")
    graph.gives("outputs", FLOAT, ["B", "K", "N", scored])
    graph.gives("prednet_lengths", INT32, ["B"])
    for each in (1, 2):
        graph.gives(f"output_states_{each}", FLOAT, [layers, "B", width])
    graph.save(weights_inside=True)


def _predictor(graph: GraphBuilder, targets: str, states: list[str], size: Size) -> str:
    """Predictions (N, B, H); names the next states on the way."""
    layers, width = size.predictor_layers, size.predictor_width
    embedding = graph.random(size.vocabulary, width, fan_in=1)
    ids = graph.node("Cast", targets, to=INT64)
    values = graph.node("Transpose", graph.node("Gather", embedding, ids), perm=[1, 0, 2])
    following: list[list[str]] = [[], []]
    for layer in range(layers):
        bounds = (graph.whole(layer), graph.whole(layer + 1), graph.whole(0))
        hidden, cell = (graph.node("Slice", state, *bounds) for state in states)
        weights = [graph.random(1, 4 * width, width, fan_in=width) for _ in range(2)]
        bias = graph.weight(np.zeros((1, 8 * width), np.float32))
        values, *after = graph.split(
            "LSTM", values, *weights, bias, "", hidden, cell, outputs=3, hidden_size=width
        )
        values = graph.node("Squeeze", values, graph.whole(1))
        for kept, state in zip(following, after, strict=True):
            kept.append(state)
    for each, kept in enumerate(following, start=1):
        graph.node("Concat", *kept, axis=0, output=f"output_states_{each}")
    return values


def _affine(graph: GraphBuilder, rows: str, width_in: int, width_out: int) -> str:
    product = graph.node("MatMul", rows, graph.random(width_in, width_out, fan_in=width_in))
    return graph.node("Add", product, graph.weight(np.zeros(width_out, np.float32)))
