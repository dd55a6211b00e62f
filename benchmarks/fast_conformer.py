"""Sizes in; an encoder graph of a FastConformer's operations and random weights out.

Features (B, F, T) become frames (B, D, U): 8 × subsampling by strided and depthwise convolutions,
then layers of half a feed-forward, attention with relative positions, a convolution module and half
a feed-forward (Rekesh et al., "Fast Conformer with Linearly Scalable Attention", 2023). Padding
masks are left out: the windows of one stream have no padding.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphs import FLOAT, INT64, GraphBuilder
from sizes import Size

_TABLE_FRAMES = 5000
"""Frames that the table of positions allows, as in the exports of Parakeet: 400 s."""
_QUIET = 100
"""A module adds a tenth of a frame's size: random layers at full strength make all frames alike."""
_KERNEL_2D = 3
_STAGES = 3


def write_encoder(graph: GraphBuilder, size: Size) -> None:
    """Writes the whole encoder."""
    features = graph.takes("audio_signal", FLOAT, ["B", size.mel_bins, "T"])
    lengths = graph.takes("length", INT64, ["B"])
    frames = _subsampled(graph, features, size)
    count = graph.node("Gather", graph.node("Shape", frames), graph.whole(1), axis=0)
    positions = _positions(graph, count, size)
    for _ in range(size.layers):
        frames = _layer(graph, frames, positions, count, size)
    graph.node("Transpose", frames, perm=[0, 2, 1], output="outputs")
    stride = graph.whole(2**_STAGES)
    whole = graph.node("Div", graph.node("Sub", lengths, graph.whole(1)), stride)
    graph.node("Add", whole, graph.whole(1), output="encoded_lengths")
    graph.gives("outputs", FLOAT, ["B", size.width, "U"])
    graph.gives("encoded_lengths", INT64, ["B"])
    graph.save(weights_inside=False)


def _subsampled(graph: GraphBuilder, features: str, size: Size) -> str:
    """Features (B, F, T) to frames (B, U, D)."""
    channels = size.channels
    strided: dict[str, Any] = {"strides": [2, 2], "pads": [1, 1, 1, 1]}
    image = graph.node("Transpose", features, perm=[0, 2, 1])
    image = graph.node("Unsqueeze", image, graph.whole(1))
    taps = _KERNEL_2D**2
    kernel = graph.random(channels, 1, _KERNEL_2D, _KERNEL_2D, fan_in=taps)
    image = graph.node("Relu", graph.node("Conv", image, kernel, **strided))
    for _ in range(_STAGES - 1):
        kernel = graph.random(channels, 1, _KERNEL_2D, _KERNEL_2D, fan_in=taps)
        image = graph.node("Conv", image, kernel, group=channels, **strided)
        mix = graph.random(channels, channels, 1, 1, fan_in=channels)
        image = graph.node("Relu", graph.node("Conv", image, mix))
    image = graph.node("Transpose", image, perm=[0, 2, 1, 3])
    flat = channels * size.mel_bins // 2**_STAGES
    rows = graph.node("Reshape", image, graph.whole(0, 0, flat))
    return _linear(graph, rows, flat, size.width)


def _layer(graph: GraphBuilder, frames: str, positions: str, count: str, size: Size) -> str:
    """One layer, frames (B, U, D) to the same."""
    frames = _fed_forward(graph, frames, size)
    heard = _attention(graph, _normed(graph, frames, size.width), positions, count, size)
    frames = graph.node("Add", frames, heard)
    mixed = _convolution(graph, _normed(graph, frames, size.width), size)
    frames = _fed_forward(graph, graph.node("Add", frames, mixed), size)
    return _normed(graph, frames, size.width)


def _fed_forward(graph: GraphBuilder, frames: str, size: Size) -> str:
    """Frames, and half of what a feed-forward makes of them."""
    wide = _linear(graph, _normed(graph, frames, size.width), size.width, size.feed_forward)
    narrow = _linear(graph, _swish(graph, wide), size.feed_forward, size.width, quiet=True)
    return graph.node("Add", frames, graph.node("Mul", narrow, graph.scalar(0.5)))


def _attention(graph: GraphBuilder, frames: str, positions: str, count: str, size: Size) -> str:
    """Attention with relative positions (Dai et al., "Transformer-XL", 2019)."""
    per_head = size.width // size.heads
    split = graph.whole(0, 0, size.heads, per_head)
    query, keys, values, places = (
        graph.node("Reshape", _linear(graph, each, size.width, size.width), split)
        for each in (frames, frames, frames, positions)
    )
    keys = graph.node("Transpose", keys, perm=[0, 2, 3, 1])
    places = graph.node("Transpose", places, perm=[0, 2, 3, 1])
    values = graph.node("Transpose", values, perm=[0, 2, 1, 3])
    by_content, by_place = (
        graph.node(
            "Transpose",
            graph.node("Add", query, graph.random(size.heads, per_head, fan_in=per_head)),
            perm=[0, 2, 1, 3],
        )
        for _ in range(2)
    )
    content = graph.node("MatMul", by_content, keys)
    place = _shifted(graph, graph.node("MatMul", by_place, places), count)
    scores = graph.node("Add", content, place)
    scores = graph.node("Div", scores, graph.scalar(math.sqrt(per_head)))
    heard = graph.node("MatMul", graph.node("Softmax", scores, axis=-1), values)
    joined = graph.node("Transpose", heard, perm=[0, 2, 1, 3])
    joined = graph.node("Reshape", joined, graph.whole(0, 0, size.width))
    return _linear(graph, joined, size.width, size.width, quiet=True)


def _shifted(graph: GraphBuilder, scores: str, count: str) -> str:
    """Scores (B, H, U, 2U - 1) by distance to scores (B, H, U, U) by place."""
    padded = graph.node("Pad", scores, graph.whole(0, 0, 0, 1, 0, 0, 0, 0))
    turned = graph.node("Concat", graph.whole(0, 0, -1), count, axis=0)
    rows = graph.node("Reshape", padded, turned)
    end = graph.whole(2**40)
    rows = graph.node("Slice", rows, graph.whole(1), end, graph.whole(2))
    back = graph.node("Concat", graph.whole(0, 0), count, graph.whole(-1), axis=0)
    rows = graph.node("Reshape", rows, back)
    return graph.node("Slice", rows, graph.whole(0), count, graph.whole(3))


def _convolution(graph: GraphBuilder, frames: str, size: Size) -> str:
    width, kernel = size.width, size.kernel
    columns = graph.node("Transpose", frames, perm=[0, 2, 1])
    columns = graph.node("Conv", columns, graph.random(2 * width, width, 1, fan_in=width))
    value, gate = graph.split("Split", columns, outputs=2, axis=1)
    columns = graph.node("Mul", value, graph.node("Sigmoid", gate))
    along = graph.random(width, 1, kernel, fan_in=kernel)
    bias = graph.weight(np.zeros(width, np.float32))
    columns = graph.node("Conv", columns, along, bias, group=width, pads=[kernel // 2] * 2)
    mix = graph.random(width, width, 1, fan_in=_QUIET * width)
    columns = graph.node("Conv", _swish(graph, columns), mix)
    return graph.node("Transpose", columns, perm=[0, 2, 1])


def _positions(graph: GraphBuilder, count: str, size: Size) -> str:
    """Encodings (1, 2U - 1, D) of the distances U - 1 to 1 - U, cut from the middle of a table."""
    table = graph.weight(_sinusoids(size.width)[None])
    middle = graph.whole(_TABLE_FRAMES)
    first = graph.node("Sub", middle, count)
    behind = graph.node("Sub", graph.node("Add", middle, count), graph.whole(1))
    return graph.node("Slice", table, first, behind, graph.whole(1))


def _sinusoids(width: int) -> NDArray[np.float32]:
    """The table (2 n - 1, D), distance n - 1 first."""
    distance = np.arange(_TABLE_FRAMES - 1, -_TABLE_FRAMES, -1, dtype=np.float32)[:, None]
    rate = np.exp(np.arange(0, width, 2) * (-math.log(10_000.0) / width)).astype(np.float32)
    waves = np.stack([np.sin(distance * rate), np.cos(distance * rate)], axis=-1)
    return waves.reshape(distance.shape[0], width).astype(np.float32)


def _normed(graph: GraphBuilder, frames: str, width: int) -> str:
    gain = graph.weight(np.ones(width, np.float32))
    bias = graph.weight(np.zeros(width, np.float32))
    return graph.node("LayerNormalization", frames, gain, bias, axis=-1)


def _linear(
    graph: GraphBuilder, rows: str, width_in: int, width_out: int, *, quiet: bool = False
) -> str:
    fan_in = width_in * (_QUIET if quiet else 1)
    return graph.node("MatMul", rows, graph.random(width_in, width_out, fan_in=fan_in))


def _swish(graph: GraphBuilder, values: str) -> str:
    return graph.node("Mul", values, graph.node("Sigmoid", values))
