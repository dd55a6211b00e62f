"""A fused decoder_joint cut in two computes what it computed whole."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from parakeet_streaming.catalog.model_folder import find_parts
from parakeet_streaming.catalog.spec import read_spec
from parakeet_streaming.errors import ModelFormatError
from parakeet_streaming.model.split_decoder import cut
from parakeet_streaming.runtime.session import open_session
from tests.catalog.graphs import GOLDEN, int8_folder


@pytest.mark.parametrize("folder", [GOLDEN, int8_folder()], ids=["fp32", "int8"])
def test_the_halves_equal_the_whole(folder: Path) -> None:
    parts = find_parts(folder)
    spec = read_spec(parts)
    names = spec.names
    whole = open_session(parts.decoder.path)
    halves = cut(parts.decoder.path, names)
    predictor, joint = open_session(halves.predictor), open_session(halves.joint)
    generator = np.random.default_rng(1)
    shape = (spec.predictor_layers, 1, spec.predictor_width)
    for token in (spec.vocabulary.blank_id, 0, 17):
        frame = generator.normal(size=(1, spec.encoder_width, 1)).astype(np.float32)
        state = {
            names.targets: np.array([[token]]),
            names.hidden: generator.normal(size=shape).astype(np.float32),
            names.cell: generator.normal(size=shape).astype(np.float32),
        }
        expected = whole.run(
            {**state, names.target_lengths: np.array([1]), names.joint_frames: frame}
        )
        predicted = predictor.run(state)
        scored = joint.run(
            {names.joint_frames: frame, halves.predictions: predicted[halves.predictions]}
        )
        assert (scored[names.logits] == expected[names.logits]).all()
        assert (predicted[names.next_hidden] == expected[names.next_hidden]).all()
        assert (predicted[names.next_cell] == expected[names.next_cell]).all()


def test_the_predictor_knows_no_frames_and_the_joint_no_tokens() -> None:
    parts = find_parts(GOLDEN)
    names = read_spec(parts).names
    halves = cut(parts.decoder.path, names)
    assert names.joint_frames not in open_session(halves.predictor).inputs
    assert set(open_session(halves.joint).inputs) == {names.joint_frames, halves.predictions}


def test_halves_that_meet_in_two_places_are_refused(tmp_path: Path) -> None:
    parts = find_parts(GOLDEN)
    names = read_spec(parts).names
    model = onnx.load(parts.decoder.path)
    # The LSTM state reaches the logits by a second way.
    model.graph.node.append(helper.make_node("ReduceSum", [names.hidden], ["sum"], keepdims=0))
    last = next(node for node in model.graph.node if names.logits in node.output)
    last.output[0] = "before"
    model.graph.node.append(helper.make_node("Add", ["before", "sum"], [names.logits]))
    assert model.graph.input[0].type.tensor_type.elem_type == TensorProto.FLOAT
    path = tmp_path / "two.onnx"
    onnx.save(model, path)
    with pytest.raises(ModelFormatError, match="meet in 2 tensors"):
        cut(path, names)
