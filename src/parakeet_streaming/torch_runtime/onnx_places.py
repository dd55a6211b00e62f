"""A graph in; its weights by the names that their modules have in the exporter's network, out.

An exporter keeps the names of some parameters, and gives others, which it transposes or folds,
names of its own (`onnx::MatMul_5791`). A node that reads those has the module's path as its name:

```
/layers.0/self_attn/linear_q/MatMul     layers.0.self_attn.linear_q.weight
/pre_encode/conv/conv.3/Conv            pre_encode.conv.3.weight: a Sequential is named twice
/encoder/keys_2/MatMul                  encoder.layers.2.attention.keys: our graph of one step
```

Rules of this file:

1. A weight without a place is left out: what is missing then is found where networks are made.
2. Weights are in torch's layout: a linear layer's (out, in), an LSTM's gates in torch's order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import numpy as np
import onnx
from onnx import NodeProto

from parakeet_streaming.ports import Floats
from parakeet_streaming.torch_runtime.onnx_constants import Constants, read_by

Weights = dict[str, Floats]

_OWN_NAME: Final = re.compile(r"onnx::|.*_quantized$|.*_output_\d+$|/")
"""Of constants that the exporter, or a quantiser, has named."""
_OUTPUT: Final = re.compile(r"_output_\d+.*$")
_STEP_LAYER: Final = re.compile(
    r"^encoder\.(?:(feed_forward_in|feed_forward_out)\.)?"
    r"(widen|narrow|keys|values|queries|positions|out|gated|batch_norm|pointwise)(?:_(\d+))?$"
)
"""Of a module in our graph of one step, whose layers are called part by part."""
_STEP_PARTS: Final = {
    "keys": "attention", "values": "attention", "queries": "attention", "positions": "attention",
    "out": "attention", "gated": "convolution", "batch_norm": "convolution",
    "pointwise": "convolution",
}  # fmt: skip
_GATES: Final = (0, 2, 3, 1)
"""ONNX has input, output, forget, candidate; torch input, forget, candidate, output."""
_PRODUCTS: Final = frozenset({"MatMul", "MatMulInteger", "Gemm"})
_CONVOLUTIONS: Final = frozenset({"Conv", "ConvInteger"})

CONTENT_BIAS: Final = "content_bias"
"""In place of a name: what is added to queries before they meet keys, where it has no name left."""
SCALE: Final = "scale"
SHIFT: Final = "shift"
"""Leaves of a batch norm that an exporter has made a product and a sum."""


def weights_of(model: onnx.ModelProto, constants: Constants) -> Weights:
    """Every weight that has a place."""
    found: Weights = {}
    recurrent = _Recurrent(constants)
    biases = 0
    for node in model.graph.node:
        if node.op_type in ("LSTM", "MatMulNBits") and recurrent.takes(node, found):
            continue
        for name, values in _of_node(node, constants):
            if name == CONTENT_BIAS:
                found[f"{CONTENT_BIAS}.{biases}"] = values
                biases += 1
            else:
                found[name] = values
    return found


def _of_node(node: NodeProto, constants: Constants) -> Iterator[tuple[str, Floats]]:
    if node.op_type == "MatMulNBits":
        yield f"{_place(node)}.weight", constants.blocks(node)
        return
    for at, name in read_by(node, constants).items():
        if not _OWN_NAME.match(name):
            if _is_parameter(name):
                yield name, constants.floats(name)
            continue
        if node.op_type in _PRODUCTS and at == 1:
            matrix = constants.floats(name)
            transposed = any(each.name == "transB" and each.i for each in node.attribute)
            yield f"{_place(node)}.weight", matrix if transposed else matrix.T
        elif node.op_type in _CONVOLUTIONS and at in (1, 2):
            yield f"{_place(node)}.{'weight' if at == 1 else 'bias'}", constants.floats(name)
        elif node.op_type in ("Mul", "Add"):
            yield from _of_sum(node, constants, name)


def _of_sum(node: NodeProto, constants: Constants, name: str) -> Iterator[tuple[str, Floats]]:
    """Of a batch norm that became a product and a sum; of what is added to queries."""
    place = _place(node)
    is_sum = node.op_type == "Add"
    if place.rpartition(".")[2] == "batch_norm":
        yield f"{place}.{SHIFT if is_sum else SCALE}", constants.floats(name)
    elif is_sum and name.startswith("onnx::"):
        values = constants.floats(name)
        if values.ndim == 3 and values.shape[1] == 1:
            yield CONTENT_BIAS, values


def _is_parameter(name: str) -> bool:
    """Whether a name that a network gave is of a weight; constants of graphs have others."""
    leaf = name.rpartition(".")[2]
    return leaf in {"weight", "bias", "running_mean", "running_var"} or "_bias" in leaf


def _place(node: NodeProto) -> str:
    """The path of the module that a node belongs to."""
    path = node.name if "/" in node.name else _OUTPUT.sub("", node.output[0])
    parts = [part for part in path.split("/")[:-1] if part]
    kept = [
        part
        for part, following in zip(parts, [*parts[1:], ""], strict=False)
        if not following.startswith(f"{part}.")
    ]
    place = ".".join(kept)
    step = _STEP_LAYER.match(place)
    if step is None:
        return place
    block, part, layer = step.groups()
    block = block or _STEP_PARTS[part]
    return f"encoder.layers.{layer or 0}.{block}.{part}"


class _Recurrent:
    """Weights of LSTMs, layer after layer."""

    def __init__(self, constants: Constants) -> None:
        self._constants = constants
        self._layers = 0

    def takes(self, node: NodeProto, found: Weights) -> bool:
        """Reads the node, if it is an LSTM or the product of one that is written out."""
        constants = self._constants
        if node.op_type == "LSTM":
            if not all(name in constants for name in node.input[1:4]):
                return False
            weight, recurrence, bias = (constants.floats(name)[0] for name in node.input[1:4])
            own, recurrent = np.split(bias, 2)
            self._lay(_place(node), (weight, recurrence, own, recurrent), found)
            return True
        stem = node.output[0].removesuffix(".product")
        bias_name = f"{stem}.bias"
        if stem == node.output[0] or bias_name not in constants:
            return False
        both, bias = constants.blocks(node), constants.floats(bias_name)
        width = bias.shape[0] // 4
        halves = both[:, : both.shape[1] - width], both[:, both.shape[1] - width :]
        self._lay(_place(node), (*halves, bias, np.zeros_like(bias)), found)
        return True

    def _lay(self, place: str, parts: tuple[Floats, ...], found: Weights) -> None:
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        for name, values in zip(names, parts, strict=True):
            gates = np.split(values, 4)
            ordered = np.concatenate([gates[gate] for gate in _GATES])
            found[f"{place}.{name}_l{self._layers}"] = ordered
        self._layers += 1
