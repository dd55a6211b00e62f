"""Sizes in; graphs of a Parakeet with these sizes and without weights, a few hundred bytes, out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import onnx
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper

Size = int | str

VOCABULARY: Final = b"<unk> 0\n\xe2\x96\x81the 1\n<0xC3> 2\n<0xA9> 3\n, 4\n<blk> 5\n"


@dataclass(frozen=True, slots=True)
class Sizes:
    """Of the axes that a model fixes."""

    mel_bins: Size = 128
    encoder_width: Size = 16
    layers: Size = 2
    predictor_width: Size = 8
    scores: Size = 11
    """Six pieces and five durations."""


def encoder(sizes: Sizes, metadata: Mapping[str, str], table_rows: int = 0) -> bytes:
    """An encoder; with `table_rows`, one that cuts that many positions out of a table."""
    nodes, tables = [], []
    if table_rows:
        width = sizes.encoder_width if isinstance(sizes.encoder_width, int) else 16
        tables = [TensorProto(name="table", data_type=1, dims=[table_rows, max(0, width)])]
        nodes = [helper.make_node("Slice", ["table"], ["positions"])]
    return _written(
        [_floats("audio_signal", "B", sizes.mel_bins, "T"), _integers("length", "B")],
        [_floats("outputs", "B", sizes.encoder_width, "U"), _integers("encoded_lengths", "B")],
        nodes,
        tables,
        metadata,
    )


def decoder_joint(sizes: Sizes) -> bytes:
    """Prediction network and joint in one."""
    state = (sizes.layers, "B", sizes.predictor_width)
    return _written(
        [
            _floats("encoder_outputs", "B", sizes.encoder_width, "K"),
            _integers("targets", "B", 1),
            _integers("target_length", "B"),
            _floats("input_states_1", *state),
            _floats("input_states_2", *state),
        ],
        [
            _floats("outputs", "B", "K", 1, sizes.scores),
            _floats("output_states_1", *state),
            _floats("output_states_2", *state),
        ],
    )


def write_model(folder: Path, sizes: Sizes, metadata: Mapping[str, str], rows: int = 0) -> None:
    """Both graphs and a vocabulary."""
    (folder / "encoder-model.onnx").write_bytes(encoder(sizes, metadata, rows))
    (folder / "decoder_joint-model.onnx").write_bytes(decoder_joint(sizes))
    (folder / "vocab.txt").write_bytes(VOCABULARY)


def _floats(name: str, *shape: Size) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _integers(name: str, *shape: Size) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.INT64, shape)


def _written(
    inputs: list[ValueInfoProto],
    outputs: list[ValueInfoProto],
    nodes: list[NodeProto] | None = None,
    tables: list[TensorProto] | None = None,
    metadata: Mapping[str, str] | None = None,
) -> bytes:
    graph = helper.make_graph(nodes or [], "small", inputs, outputs, tables or [])
    model: ModelProto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    onnx.helper.set_model_props(model, dict(metadata or {}))
    whole: bytes = model.SerializeToString()
    return whole
