"""A fused decoder_joint graph in; its two halves out: prediction network and joint.

The prediction network depends on tokens and LSTM states only; the joint depends on that network's
output and on encoder frames. In the fused graph the LSTM runs for every frame. In halves it runs
once per token, and many frames are scored in one call.

Rules of this file:

1. Nodes are divided between the halves and not changed: the halves compute what the whole computes.
2. The halves meet in exactly one tensor. Any other graph is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper

from parakeet_streaming.catalog.file_reading import reading
from parakeet_streaming.catalog.roles import TensorNames
from parakeet_streaming.catalog.weight_files import load_whole
from parakeet_streaming.errors import ModelFormatError


@dataclass(frozen=True, slots=True)
class Halves:
    """Two serialised ONNX models and the tensor in which they meet."""

    predictor: bytes
    joint: bytes
    predictions: str
    """Output of the predictor, input of the joint."""


def cut(path: Path, names: TensorNames) -> Halves:
    """Cuts the fused graph in `path`.

    Raises:
        ModelFormatError: the graph is not a prediction network and a joint that meet in one tensor.
        ModelPartMissingError: a file with its weights is gone.
    """
    with reading(path):
        return _cut(path, names)


def _cut(path: Path, names: TensorNames) -> Halves:
    model = load_whole(path)
    graph = model.graph
    of_frames = _reached_from([names.joint_frames], graph.node)
    of_tokens = _reached_from([names.targets, names.hidden, names.cell], graph.node)
    meeting = {
        name
        for node in graph.node
        if of_frames.intersection(node.output) and of_tokens.intersection(node.output)
        for name in node.input
        if name in of_tokens and name not in of_frames
    }
    if len(meeting) != 1:
        raise ModelFormatError(
            f"in {path} the prediction network and the joint meet in {len(meeting)} tensors, not "
            "one; export the model again with NeMo's model.export(), which fuses them in one"
        )
    (predictions,) = meeting
    predictor = _part(model, [predictions, names.next_hidden, names.next_cell], stop_at=())
    joint = _part(model, [names.logits], stop_at=(predictions,))
    return Halves(predictor.SerializeToString(), joint.SerializeToString(), predictions)


def _reached_from(sources: Iterable[str], nodes: Iterable[NodeProto]) -> set[str]:
    """Every tensor that depends on the sources; nodes must be sorted, as ONNX demands."""
    reached = set(sources)
    for node in nodes:
        if reached.intersection(node.input):
            reached.update(node.output)
    return reached


def _part(model: ModelProto, outputs: list[str], stop_at: tuple[str, ...]) -> ModelProto:
    """The part of a model that gives `outputs`, with the tensors in `stop_at` as inputs."""
    graph = model.graph
    wanted = set(outputs)
    nodes = []
    for node in reversed(graph.node):
        if wanted.intersection(node.output) and not set(stop_at).intersection(node.output):
            nodes.append(node)
            wanted.update(node.input)
    inputs = [each for each in graph.input if each.name in wanted]
    inputs += [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in stop_at]
    known = {each.name: each for each in graph.output}
    part = GraphProto(
        name=graph.name,
        node=reversed(nodes),
        initializer=[each for each in graph.initializer if each.name in wanted],
        input=inputs,
        output=[
            known.get(name) or helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
            for name in outputs
        ],
    )
    return ModelProto(
        ir_version=model.ir_version,
        opset_import=model.opset_import,
        functions=model.functions,
        graph=part,
    )
