"""A graph with its weights in; each constant that a node works with, as float32, out.

| how a graph has it | here |
|---|---|
| float32, float16, bfloat16 | the values |
| `X_quantized`, `X_scale`, `X_zero_point`, of ONNX Runtime's quantiser | `(q - zero) · scale` |
| DequantizeLinear of a constant | the same |
| MatMulNBits with 8 bits | block by block, the same |

Rules of this file:

1. What is stored in fewer bits comes out as the numbers that the graph multiplies by. That its
   activations are rounded too is no property of a weight.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, numpy_helper

from parakeet_streaming.errors import ModelFormatError
from parakeet_streaming.plain_text import shown
from parakeet_streaming.ports import Floats

_FLOATS: Final = frozenset(
    {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE}
)
_HALVES: Final = frozenset({TensorProto.FLOAT16, TensorProto.BFLOAT16})
_QUANTISED: Final = "_quantized"
_MIDDLE: Final = 128
"""What MatMulNBits stores for zero where no zero points are given."""


class Constants:
    """The constants of one graph."""

    def __init__(self, model: onnx.ModelProto, origin: str) -> None:
        """`model` has all weights in it; `origin`: what messages call it."""
        self._origin = origin
        self._tensors = {each.name: each for each in model.graph.initializer}
        self._dequantised = {
            node.output[0]: node
            for node in model.graph.node
            if node.op_type == "DequantizeLinear" and node.input[0] in self._tensors
        }
        self.rounded = False
        """Whether any constant that was asked for is stored in sixteen bits, or in eight."""

    def __contains__(self, name: str) -> bool:
        return name in self._dequantised or name in self._tensors

    def floats(self, name: str) -> Floats:
        """A constant as float32.

        Raises:
            ModelFormatError: stored in another way, or no weight.
        """
        if name in self._dequantised:
            node = self._dequantised[name]
            axis = next((each.i for each in node.attribute if each.name == "axis"), 1)
            values, scale = self._raw(node.input[0]), self.floats(node.input[1])
            zero = self._raw(node.input[2]) if len(node.input) > 2 else np.zeros(1)
            return self._scaled(values, scale, zero, axis)
        if name.endswith(_QUANTISED):
            stem = name.removesuffix(_QUANTISED)
            values = self._raw(name)
            scale, zero = self.floats(f"{stem}_scale"), self._raw(f"{stem}_zero_point")
            return self._scaled(values, scale, zero, 1 if values.ndim == 2 else 0)
        tensor = self._tensor(name)
        if tensor.data_type not in _FLOATS:
            raise ModelFormatError(
                f"{self._origin} has {shown(name)} in a form that torch does not take; use the "
                "fp32 export, or the model's own weights"
            )
        self.rounded = self.rounded or tensor.data_type in _HALVES
        return numpy_helper.to_array(tensor).astype(np.float32)

    def blocks(self, node: NodeProto) -> Floats:
        """The matrix (N, K) of a MatMulNBits."""
        told = {each.name: each.i for each in node.attribute}
        if told.get("bits") != 8 or any(node.input[3:]):
            raise ModelFormatError(
                f"{self._origin} has weights of {told.get('bits')} bits in blocks, which torch "
                "does not take; use the fp32 export"
            )
        values, scales = self._raw(node.input[1]), self.floats(node.input[2])
        self.rounded = True
        columns, blocks, _ = values.shape
        matrix = (values.astype(np.float32) - _MIDDLE) * scales.reshape(columns, blocks, 1)
        whole: Floats = matrix.reshape(columns, -1)[:, : told["K"]].astype(np.float32)
        return whole

    def _scaled(self, values: NDArray[Any], scale: Floats, zero: NDArray[Any], axis: int) -> Floats:
        self.rounded = True
        shape = [1] * values.ndim
        if scale.size > 1:
            shape[axis] = scale.size
        centred = values.astype(np.float32) - zero.astype(np.float32).reshape(
            shape if zero.size > 1 else [1] * values.ndim
        )
        scaled: Floats = (centred * scale.reshape(shape)).astype(np.float32)
        return scaled

    def _raw(self, name: str) -> NDArray[Any]:
        return numpy_helper.to_array(self._tensor(name))

    def _tensor(self, name: str) -> TensorProto:
        if name not in self._tensors:
            raise ModelFormatError(
                f"{self._origin} lacks the constant {shown(name)}; fetch or export the model again"
            )
        tensor: TensorProto = self._tensors[name]
        return tensor


def read_by(node: NodeProto, constants: Constants) -> Mapping[int, str]:
    """The inputs of a node that are constants, by their position."""
    return {at: name for at, name in enumerate(node.input) if name in constants}
