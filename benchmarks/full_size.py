"""Sizes in; a folder with a model of Parakeet TDT 0.6B v3's shape and random weights out.

It hears nothing, but its graphs cost what the real ones cost. In the two-file layout: the encoder
of `fast_conformer.py`, and a decoder_joint of a two-layer LSTM and a joint over 8193 tokens and 5
durations.

Rules of this file:

1. Weights are float32, seeded, and different in every layer: as many bytes are read as in life.
2. Biases of the joint are set on encoder frames of speech, so that tokens and blanks alternate as
   often as in real speech, and durations are mixed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from fast_conformer import write_encoder
from graphs import FLOAT, INT32, INT64, GraphBuilder
from parakeet_streaming.engine.ports import DecoderJoint, Floats
from sizes import Size

TOKENS_PER_VISIT = 0.6
"""Share of the visited frames that give a token: 3 to 4 tokens a second with mixed durations."""

_ENCODER_FILE = "encoder-model.onnx"
_DECODER_FILE = "decoder_joint-model.onnx"
_FRAMES, _FRAMES_BIAS = "joint.enc.weight", "joint.enc.bias"
_PREDICTIONS = "joint.pred.weight"
_SCORES, _SCORES_BIAS = "joint.out.weight", "joint.out.bias"
_JOINT = (_FRAMES, _FRAMES_BIAS, _PREDICTIONS, _SCORES, _SCORES_BIAS)
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
    """Sets the joint's biases in `folder`, and scales what it reads of the frames.

    Args:
        folder: the model, as `build` left it.
        size: as for `build`.
        frames: (1, U, D) of speech, from its encoder.
        decoder_joint: of that model.
    """
    model = onnx.load(folder / _DECODER_FILE)
    stored = {each.name: each for each in model.graph.initializer}
    weights = {name: numpy_helper.to_array(stored[name]) for name in _JOINT}
    # A random encoder makes frames that hardly differ: only their differences count here.
    spread = frames[0].std(axis=0) + np.float32(1e-6)
    weights[_FRAMES] = weights[_FRAMES] / spread[:, None]
    weights[_FRAMES_BIAS] = -frames[0].mean(axis=0) @ weights[_FRAMES]
    logits = _logits(frames[0], _predictions(decoder_joint, len(frames[0])), weights)
    bias = -logits.mean(axis=0)
    blank, no_frames = size.vocabulary - 1, size.vocabulary
    tokens = logits[:, : size.vocabulary] + bias[: size.vocabulary]
    lead = tokens[:, :-1].max(axis=1) - tokens[:, -1]
    bias[blank] += np.quantile(lead, 1 - TOKENS_PER_VISIT)
    # Trained models rarely emit two tokens on one frame.
    bias[no_frames] -= 2 * logits[:, no_frames].std()
    weights[_SCORES_BIAS] = bias
    for name, values in weights.items():
        stored[name].raw_data = values.astype(np.float32).tobytes()
    onnx.save_model(model, folder / _DECODER_FILE)


def _predictions(decoder_joint: DecoderJoint, count: int) -> NDArray[np.float32]:
    """Outputs (count, H) of the prediction network along a few tokens, over and over."""
    output, hidden, cell = decoder_joint.start()
    outputs = []
    for token in range(_CALIBRATION_STATES):
        outputs.append(output.reshape(-1))
        output, hidden, cell = decoder_joint.advance([token], hidden, cell)
    return np.stack(outputs)[np.arange(count) % _CALIBRATION_STATES]


def _logits(
    frames: Floats, predictions: Floats, weights: dict[str, NDArray[np.float32]]
) -> NDArray[np.float32]:
    """What the joint gives, (U, V + n), for frames (U, D) and predictions (U, H)."""
    heard = frames @ weights[_FRAMES] + weights[_FRAMES_BIAS]
    said = predictions @ weights[_PREDICTIONS]
    scores: NDArray[np.float32] = np.maximum(heard + said, 0) @ weights[_SCORES]
    return scores


def _write_decoder_joint(graph: GraphBuilder, size: Size) -> None:
    layers, width = size.predictor_layers, size.predictor_width
    frames = graph.takes("encoder_outputs", FLOAT, ["B", size.width, "K"])
    targets = graph.takes("targets", INT32, ["B", "N"])
    lengths = graph.takes("target_length", INT32, ["B"])
    states = [graph.takes(f"input_states_{each}", FLOAT, [layers, "B", width]) for each in (1, 2)]
    predictions = _predictor(graph, targets, states, size)
    scored = size.vocabulary + size.durations
    rows = graph.node("Transpose", frames, perm=[0, 2, 1])
    rows = graph.node("MatMul", rows, graph.random(size.width, width, name=_FRAMES))
    rows = graph.node("Add", rows, graph.weight(np.zeros(width, np.float32), _FRAMES_BIAS))
    rows = graph.node("Unsqueeze", rows, graph.whole(2))
    columns = graph.node("Transpose", predictions, perm=[1, 0, 2])
    columns = graph.node("MatMul", columns, graph.random(width, width, name=_PREDICTIONS))
    columns = graph.node("Unsqueeze", columns, graph.whole(1))
    joined = graph.node("Relu", graph.node("Add", rows, columns))
    logits = graph.node("MatMul", joined, graph.random(width, scored, name=_SCORES))
    bias = graph.weight(np.zeros(scored, np.float32), _SCORES_BIAS)
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
