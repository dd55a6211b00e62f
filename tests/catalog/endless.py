"""The golden model with a loop in its encoder or decoder that no runtime leaves."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.catalog.graphs import GOLDEN

ROUNDS = 2**63 - 1


def endless_folder(target: Path, part: str = "encoder-model.onnx") -> Path:
    """The model in a new folder; what goes into `part` first goes round for ever."""
    shutil.copytree(GOLDEN, target)
    model = onnx.load(target / part)
    graph = model.graph
    first = graph.input[0].name
    go_on = ("Identity", "go", "going", TensorProto.BOOL)
    turn = ("Sin", "value", "turned", TensorProto.FLOAT)
    body = helper.make_graph(
        [helper.make_node(kind, [taken], [given]) for kind, taken, given, _ in (go_on, turn)],
        "body",
        [
            helper.make_tensor_value_info("round", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("value", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("going", TensorProto.BOOL, []),
            helper.make_tensor_value_info("turned", TensorProto.FLOAT, None),
        ],
    )
    for node in graph.node:
        node.input[:] = ["after the loop" if name == first else name for name in node.input]
    graph.initializer.append(numpy_helper.from_array(np.array(ROUNDS), "rounds"))
    graph.initializer.append(numpy_helper.from_array(np.array(True), "always"))
    loop = helper.make_node("Loop", ["rounds", "always", first], ["after the loop"], body=body)
    graph.node.insert(0, loop)
    onnx.save_model(model, target / part)
    return target
