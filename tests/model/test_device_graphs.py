"""What is put around a decoder's graphs, and what they then say."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from parakeet_streaming.catalog.model_folder import find_parts
from parakeet_streaming.catalog.spec import read_spec
from parakeet_streaming.model import device_graphs as graphs
from parakeet_streaming.model.split_decoder import cut
from parakeet_streaming.runtime.session import open_session
from tests.catalog.graphs import GOLDEN


@pytest.fixture(scope="module")
def halves():
    parts = find_parts(GOLDEN)
    return cut(parts.decoder.path, read_spec(parts).names)


@pytest.fixture(scope="module")
def spec():
    return read_spec(find_parts(GOLDEN))


def opened(graph):
    return open_session(graph, provider="cpu", threads=1)


def test_a_joint_with_the_best_token_of_each_frame(halves, spec):
    size, count = spec.vocabulary.size, len(spec.durations)
    model = onnx.ModelProto.FromString(halves.joint)
    around = opened(graphs.joint_graph(model, spec.names, halves.predictions, size, count))
    random = np.random.default_rng(0)
    frames = random.normal(size=(9, spec.encoder_width)).astype("f4")
    positions = np.array([[0, 3], [8, 8], [2, 1]])
    outputs, rows = states(halves, spec, random, 4)[0], np.array([3, 0, 0])
    read = around.run(
        {
            graphs.FRAMES: frames,
            graphs.POSITIONS: positions,
            graphs.OUTPUTS: outputs,
            graphs.ROWS: rows,
        }
    )
    feeds = {
        spec.names.joint_frames: frames[positions].transpose(0, 2, 1),
        halves.predictions: outputs[rows],
    }
    logits = opened(halves.joint).run(feeds)[spec.names.logits][:, :, 0]
    tokens = logits[..., :size]
    np.testing.assert_array_equal(read[graphs.LOGITS], tokens)
    np.testing.assert_array_equal(read[graphs.DURATIONS], logits[..., size:])
    np.testing.assert_array_equal(read[graphs.TOKEN][..., 0], tokens.argmax(-1))
    shares = np.exp(tokens - tokens.max(-1, keepdims=True))
    np.testing.assert_allclose(read[graphs.PROBABILITY][..., 0], 1 / shares.sum(-1), rtol=1e-6)


def states(halves, spec, random, count):
    """Output, hidden and cell of a few rows, as the prediction network gives them."""
    shape = (spec.predictor_layers, count, spec.predictor_width)
    names = spec.names
    feeds = {
        names.targets: np.arange(count)[:, None],
        names.hidden: random.normal(size=shape).astype("f4"),
        names.cell: random.normal(size=shape).astype("f4"),
    }
    session = opened(halves.predictor)
    if names.target_lengths in session.inputs:
        feeds[names.target_lengths] = np.ones(count)
    found = session.run({name: each for name, each in feeds.items() if name in session.inputs})
    return tuple(found[each] for each in (halves.predictions, names.next_hidden, names.next_cell))


def test_a_prediction_network_that_moves_some_rows_on(halves, spec):
    random, names = np.random.default_rng(0), spec.names
    output, hidden, cell = states(halves, spec, random, 4)
    predictor = onnx.ModelProto.FromString(halves.predictor)
    around = opened(graphs.predictor_graph(predictor, names, halves.predictions))
    feeds = {
        names.targets: np.array([[7], [8]]),
        graphs.ROWS: np.array([2, 0]),
        graphs.MERGE: np.array([5, 1, 4, 3]),
        graphs.OUTPUTS: output,
        graphs.HIDDEN: hidden,
        graphs.CELL: cell,
    }
    bare = {names.targets: feeds[names.targets]}
    if names.target_lengths in around.inputs:
        feeds[names.target_lengths] = bare[names.target_lengths] = np.ones(2, np.int64)
    read = around.run(feeds)
    bare |= {names.hidden: hidden[:, [2, 0]], names.cell: cell[:, [2, 0]]}
    alone = opened(halves.predictor).run(bare)
    assert read[graphs.CHECK] == 0
    for kept, made, was, axis in (
        (graphs.OUTPUTS, halves.predictions, output, 0),
        (graphs.HIDDEN, names.next_hidden, hidden, 1),
        (graphs.CELL, names.next_cell, cell, 1),
    ):
        expected = was.copy()
        expected[(slice(None),) * axis + ([2, 0],)] = alone[made]
        np.testing.assert_allclose(read[graphs.NEXT[kept]], expected, rtol=0, atol=1e-6)


def test_of_equal_tokens_the_lowest_is_the_best():
    """As numpy's argmax: the loop's rule 6."""
    float_, names = TensorProto.FLOAT, read_spec(find_parts(GOLDEN)).names
    joint = helper.make_model(
        helper.make_graph(
            [
                helper.make_node("Unsqueeze", ["p", "axes"], ["q"]),
                helper.make_node("Transpose", [names.joint_frames], ["t"], perm=[0, 2, 1]),
                helper.make_node("Unsqueeze", ["t", "axes"], ["u"]),
                helper.make_node("Add", ["u", "q"], [names.logits]),
            ],
            "joint",
            [
                helper.make_tensor_value_info(each, float_, None)
                for each in (names.joint_frames, "p")
            ],
            [helper.make_tensor_value_info(names.logits, float_, None)],
            [helper.make_tensor("axes", TensorProto.INT64, [1], [2])],
        ),
        ir_version=8,
        opset_imports=[helper.make_opsetid("", 13)],
    )
    session = opened(graphs.joint_graph(joint, names, "p", 6, 0))
    frames = np.array([[1, 5, 5, 2, 5, 0], [3, 3, 3, 3, 3, 3], [-np.inf] * 5 + [0]], "f4")
    feeds = {
        graphs.FRAMES: frames,
        graphs.POSITIONS: np.array([[0, 1, 2]]),
        graphs.OUTPUTS: np.zeros((1, 1, 6), "f4"),
        graphs.ROWS: np.array([0]),
    }
    read = session.run(feeds)
    assert read[graphs.TOKEN][0, :, 0].tolist() == [1, 0, 5]
    assert read[graphs.PROBABILITY][0, 2, 0] == 1
    assert graphs.DURATIONS not in read


def test_the_opset_of_onnxs_own_operators():
    model = helper.make_model(
        helper.make_graph([], "g", [], []),
        opset_imports=[helper.make_opsetid("com.microsoft", 1), helper.make_opsetid("", 12)],
    )
    assert graphs.opset_of(model) == 12
    assert graphs.opset_of(onnx.ModelProto()) == 0
