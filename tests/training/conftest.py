"""Makes `training` importable however pytest is started."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

REPOSITORY = Path(__file__).parents[2]
if str(REPOSITORY) not in sys.path:
    sys.path.insert(0, str(REPOSITORY))

LONGEST = 60
SIGNS = "əɹɪɛæʌɑɔɒʊiuɡsztdnmlbpkfvwhjŋʃʒʧʤθðAIOWYQˈˌːᵊᵻ ,.!"


@pytest.fixture
def kokoro_folder(tmp_path):
    """A model that says its style's row for two seconds, which is the number of phonemes."""
    from onnx import TensorProto, helper, save

    times = helper.make_tensor("times", TensorProto.INT64, [2], [1, 188])
    flat = helper.make_tensor("flat", TensorProto.INT64, [1], [-1])
    graph = helper.make_graph(
        [
            helper.make_node("Tile", ["style", "times"], ["rows"]),
            helper.make_node("Mul", ["rows", "speed"], ["scaled"]),
            helper.make_node("Reshape", ["scaled", "flat"], ["audio"]),
        ],
        "kokoro",
        [
            helper.make_tensor_value_info("tokens", TensorProto.INT64, [1, "n"]),
            helper.make_tensor_value_info("style", TensorProto.FLOAT, [1, 256]),
            helper.make_tensor_value_info("speed", TensorProto.FLOAT, [1]),
        ],
        [helper.make_tensor_value_info("audio", TensorProto.FLOAT, ["m"])],
        [times, flat],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    save(model, tmp_path / "model.onnx")
    ids = {sign: number for number, sign in enumerate(SIGNS, start=1)}
    (tmp_path / "vocab.json").write_text(json.dumps({"vocab": ids}), encoding="utf-8")
    (tmp_path / "voices").mkdir()
    row = np.arange(LONGEST, dtype=np.float32)[:, None]
    for name, factor in (("af_one", 1.0), ("bm_two", 3.0), ("zf_three", 5.0)):
        np.repeat(row * np.float32(factor), 256, axis=1).tofile(tmp_path / f"voices/{name}.bin")
    return tmp_path
