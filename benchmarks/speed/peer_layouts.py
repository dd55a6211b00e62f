"""A model in; a folder with the same weights as a peer reads them out.

onnx-asr wants the community's names, and one precision for all files. sherpa-onnx wants three:

```
encoder.onnx   the encoder as it is, with metadata; weights beside it stay where they are
decoder.onnx   targets (B, 1) int32, target_length (B,) int32, two states
               → what the joint reads, prednet_lengths, two states
joiner.onnx    encoder_outputs (B, D, 1), what the decoder gave → logits
tokens.txt     one `piece id` a line
```
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import onnx
from onnx import ModelProto, TensorProto, helper

from parakeet_streaming.catalog.model_folder import CONFIG_NAME, VOCABULARY_NAMES, ModelParts
from parakeet_streaming.catalog.spec import ModelSpec
from parakeet_streaming.model.split_decoder import cut

ENCODER, DECODER, JOINER, TOKENS = "encoder.onnx", "decoder.onnx", "joiner.onnx", "tokens.txt"

_LENGTHS, _NEXT_LENGTHS = "target_length", "prednet_lengths"
_WIDE_TARGETS = "targets_as_int64"


def write_onnx_asr(parts: ModelParts, folder: Path) -> str | None:
    """Writes `parts` under the names onnx-asr looks for; gives what it calls the precision."""
    precision = None if parts.encoder.precision == "fp32" else parts.encoder.precision
    ending = f".{precision}.onnx" if precision else ".onnx"
    _link(parts.encoder.path, folder / f"encoder-model{ending}")
    for weights in parts.encoder.files[1:]:
        _link(weights, folder / weights.name)
    _link(parts.decoder.path, folder / f"decoder_joint-model{ending}")
    _link(parts.vocabulary, folder / VOCABULARY_NAMES[0])
    (folder / CONFIG_NAME).write_text(json.dumps(dict(parts.config)), encoding="utf-8")
    return precision


def write_sherpa(parts: ModelParts, spec: ModelSpec, folder: Path) -> None:
    """Writes the three files of a two-file model into `folder`."""
    halves = cut(parts.decoder.path, spec.names)
    decoder, joiner = (ModelProto.FromString(half) for half in (halves.predictor, halves.joint))
    _complete_decoder(decoder, spec)
    for kept, order in (
        (joiner.graph.input, [spec.names.joint_frames, halves.predictions]),
        (joiner.graph.output, [spec.names.logits]),
    ):
        _arrange(kept, order)
    _arrange(
        decoder.graph.output,
        [halves.predictions, _NEXT_LENGTHS, spec.names.next_hidden, spec.names.next_cell],
    )
    onnx.save(decoder, folder / DECODER)
    onnx.save(joiner, folder / JOINER)
    _write_encoder(parts, spec, folder)
    shutil.copy(parts.vocabulary, folder / TOKENS)


def _complete_decoder(decoder: ModelProto, spec: ModelSpec) -> None:
    """Takes int32 tokens, and a length which it hands on, as the exports of sherpa-onnx do."""
    graph, names = decoder.graph, spec.names
    targets = next(each for each in graph.input if each.name == names.targets)
    stored = targets.type.tensor_type.elem_type
    targets.type.tensor_type.elem_type = TensorProto.INT32
    for node in graph.node:
        node.input[:] = [_WIDE_TARGETS if each == names.targets else each for each in node.input]
    graph.node.insert(0, helper.make_node("Cast", [names.targets], [_WIDE_TARGETS], to=stored))
    kept = [each for each in graph.input if each.name != names.target_lengths]
    del graph.input[:]
    graph.input.extend([*kept, helper.make_tensor_value_info(_LENGTHS, TensorProto.INT32, ["B"])])
    _arrange(graph.input, [names.targets, _LENGTHS, names.hidden, names.cell])
    graph.node.append(helper.make_node("Identity", [_LENGTHS], [_NEXT_LENGTHS]))
    graph.output.append(helper.make_tensor_value_info(_NEXT_LENGTHS, TensorProto.INT32, ["B"]))


def _arrange(values: Any, order: list[str]) -> None:
    """Puts inputs or outputs in an order: sherpa-onnx reads them by position."""
    by_name = {each.name: each for each in values}
    arranged = [onnx.ValueInfoProto.FromString(by_name[name].SerializeToString()) for name in order]
    del values[:]
    values.extend(arranged)


def _write_encoder(parts: ModelParts, spec: ModelSpec, folder: Path) -> None:
    encoder = onnx.load(parts.encoder.path, load_external_data=False)
    properties = {
        "vocab_size": spec.vocabulary.size - 1,
        "normalize_type": "per_feature",
        "pred_rnn_layers": spec.predictor_layers,
        "pred_hidden": spec.predictor_width,
        "subsampling_factor": spec.subsampling_factor,
        "model_type": "EncDecRNNTBPEModel",
        # sherpa-onnx knows a TDT model by this word in its address.
        "url": spec.kind,
        "feat_dim": spec.mel_bins,
    }
    helper.set_model_props(encoder, {key: str(value) for key, value in properties.items()})
    onnx.save(encoder, folder / ENCODER)
    for weights in parts.encoder.files[1:]:
        _link(weights, folder / weights.name)


def _link(source: Path, target: Path) -> None:
    """The same file under another name; a copy where the file system has no such thing."""
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copy(source, target)
