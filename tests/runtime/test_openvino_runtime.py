"""The same graphs, the same answers, from the other runtime."""

import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

pytest.importorskip("openvino", reason="the openvino extra")

from parakeet_streaming import load
from parakeet_streaming.catalog.graph import read_graph
from parakeet_streaming.catalog.model_folder import find_parts
from parakeet_streaming.catalog.spec import read_spec
from parakeet_streaming.catalog.weight_files import check_weights
from parakeet_streaming.errors import ComputeError, ModelFormatError, OptionError
from parakeet_streaming.model.encoder import OnnxEncoder
from parakeet_streaming.ports import EncoderInput
from parakeet_streaming.runtime import openvino_runtime
from parakeet_streaming.runtime.openvino_runtime import multiplies_bfloat16, open_openvino
from parakeet_streaming.runtime.page_release import MAPPINGS
from parakeet_streaming.runtime.session import open_session
from parakeet_streaming.testing import noise
from tests.catalog.graphs import FLOAT, GOLDEN, external, in_cache_of_links, weights_beside

ENCODER = GOLDEN / "encoder-model.onnx"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    def cache_folder(name):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
        return tmp_path / name

    monkeypatch.setattr(openvino_runtime, "cache_folder", cache_folder)
    return tmp_path


@pytest.fixture(scope="module")
def features():
    return np.random.default_rng(7).normal(size=(2, 128, 201)).astype(np.float32)


def both(**options):
    return (
        open_session(ENCODER, runtime=runtime, threads=1, **options)
        for runtime in ("onnxruntime", "openvino")
    )


def test_frames_equal_those_of_onnx_runtime(features):
    feeds = {"audio_signal": features, "length": np.array([200, 120])}
    ours, theirs = (session.run(feeds) for session in both())
    assert list(ours) == list(theirs)
    assert ours["encoded_lengths"].tolist() == theirs["encoded_lengths"].tolist()
    np.testing.assert_allclose(ours["outputs"][0], theirs["outputs"][0], atol=2e-4)
    np.testing.assert_allclose(ours["outputs"][1, :, :15], theirs["outputs"][1, :, :15], atol=2e-4)


def test_faces_are_alike():
    ours, theirs = both()
    for one, other in ((ours.inputs, theirs.inputs), (ours.outputs, theirs.outputs)):
        assert list(one) == list(other)
        assert [each.dtype for each in one.values()] == [each.dtype for each in other.values()]
        assert [each.rank for each in one.values()] == [each.rank for each in other.values()]
    assert theirs.inputs["audio_signal"].fixed(1) == 128
    assert theirs.providers == ("OpenVINO CPU",)


def test_frames_stay_when_the_next_call_runs():
    parts = find_parts(GOLDEN)
    session = open_session(ENCODER, runtime="openvino", threads=1)
    encoder = OnnxEncoder(session, read_spec(parts))
    first = encoder.encode([EncoderInput(noise(2.0))]).frames[0]
    before = first.copy()
    encoder.encode([EncoderInput(-noise(2.0))])
    assert np.array_equal(first, before)


def test_threads_do_not_meet_in_one_call(features):
    session = open_session(ENCODER, runtime="openvino", threads=1)
    expected = [session.run(_feeds(features * each))["outputs"].copy() for each in range(4)]
    wrong = []

    def work(each):
        answers = [session.run(_feeds(features * each))["outputs"].copy() for _ in range(5)]
        wrong.extend(each for answer in answers if not np.array_equal(answer, expected[each]))

    threads = [threading.Thread(target=work, args=(each,)) for each in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def _feeds(features):
    return {"audio_signal": features, "length": np.array([200, 200])}


def test_what_was_compiled_is_kept(cache):
    open_session(ENCODER, runtime="openvino", threads=1)
    assert list(cache.rglob("*.blob"))


def test_a_model_runs_whole():
    samples = noise(3.0)
    told = [
        [(each.id, each.start_frame, each.duration_frames) for each in transcript.tokens]
        for transcript in (
            load(GOLDEN, runtime=runtime, threads=1).transcribe(samples)
            for runtime in ("onnxruntime", "openvino")
        )
    ]
    assert told[0]
    assert told[0] == told[1]


def test_bfloat16_where_the_processor_has_it():
    if not multiplies_bfloat16():
        with pytest.raises(OptionError, match="bfloat16"):
            load(GOLDEN, precision="bf16")
        return
    assert load(GOLDEN, precision="bf16").transcribe(noise(1.0)) is not None


def test_what_is_kept_is_of_one_precision(features, monkeypatch):
    """OpenVINO's own name of it leaves the precision out."""
    feeds = _feeds(features)
    if multiplies_bfloat16():
        rough = open_session(ENCODER, runtime="openvino", threads=1, bfloat16=True).run(feeds)
        expected = rough["outputs"].copy()
    exact = open_session(ENCODER, runtime="openvino", threads=1).run(feeds)["outputs"].copy()
    ours = open_session(ENCODER, runtime="onnxruntime", threads=1).run(feeds)["outputs"]
    np.testing.assert_allclose(exact, ours, atol=2e-4)
    if multiplies_bfloat16():
        again = open_session(ENCODER, runtime="openvino", threads=1, bfloat16=True).run(feeds)
        assert np.array_equal(again["outputs"], expected)
        assert not np.array_equal(expected, exact)


def test_a_graph_it_cannot_read(tmp_path):
    (tmp_path / "x.onnx").write_bytes(b"no graph at all")
    with pytest.raises(ModelFormatError, match=r"OpenVINO cannot open .*x\.onnx.*onnxruntime"):
        open_openvino(str(tmp_path / "x.onnx"), threads=1, name=str(tmp_path / "x.onnx"))


def test_a_call_it_cannot_run(features):
    session = open_session(ENCODER, runtime="openvino", threads=1)
    with pytest.raises(ComputeError, match="could not run"):
        session.run({"audio_signal": features[:, :5], "length": np.array([200, 200])})


def test_sessions_that_come_and_go_leave_ctrl_c_as_it_was():
    code = """
import os, signal
from parakeet_streaming.runtime.openvino_runtime import open_openvino
from parakeet_streaming.runtime.speeds import FP32, probe_graph
told = []
signal.signal(signal.SIGINT, lambda *_: told.append("told"))
graph = probe_graph(FP32)
first = open_openvino(graph, threads=1, name="first", kept=False)
second = open_openvino(graph, threads=1, name="second", kept=False)
del first
del second
os.kill(os.getpid(), signal.SIGINT)
print(*told)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=300
    )
    assert (done.returncode, done.stdout) == (0, "told\n"), done.stderr


def test_weights_in_the_hub_s_cache_of_links(features, tmp_path):
    snapshot = in_cache_of_links(weights_beside(tmp_path / "plain"), tmp_path / "hub")
    feeds = {"audio_signal": features, "length": np.array([200, 120])}
    expected = open_session(ENCODER, runtime="openvino", threads=1).run(feeds)
    for _ in range(2):  # compiled, and from the cache
        session = open_session(snapshot / ENCODER.name, runtime="openvino", threads=1)
        found = session.run(feeds)
        assert np.array_equal(found["outputs"], expected["outputs"])


def test_a_library_in_the_model_s_folder_keeps_its_addresses(tmp_path):
    """As where the folder also holds a virtual environment."""
    library = next(Path(np.__file__).parent.rglob("_umath_linalg*.so"), None)
    if library is None or not MAPPINGS.is_file():
        pytest.skip("no such library, or no list of mappings")
    shutil.copy(library, tmp_path / "library.so")
    shutil.copy(ENCODER, tmp_path / "encoder.onnx")
    code = """
import ctypes, os, sys
from parakeet_streaming.runtime.openvino_runtime import open_openvino
folder = sys.argv[1]
ctypes.CDLL(f"{folder}/library.so")
def pages():
    rows = [line.split() for line in open("/proc/self/maps") if f"{folder}/library.so" in line]
    edges = [row[0].split("-") for row in rows if row[1] == "r--p"]
    return [ctypes.string_at(int(at, 16), int(end, 16) - int(at, 16)) for at, end in edges]
before = pages()
open_openvino(f"{folder}/encoder.onnx", threads=1, name="x", kept=False)
print(bool(before) and pages() == before, flush=True)
os._exit(0)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr


def in_every_place():
    """Models with one tensor, wherever a model can have it, whose values an address names."""
    opset = helper.make_opsetid("", 17)
    x, y = (helper.make_tensor_value_info(name, FLOAT, [2]) for name in "xy")

    def model(nodes, **parts):
        functions = parts.pop("functions", ())
        graph = helper.make_graph([*nodes, helper.make_node("Neg", ["x"], ["y"])], "g", [x], [y])
        for name, value in parts.items():
            getattr(graph, name).append(value)
        return helper.make_model(
            graph, functions=functions, opset_imports=[opset, helper.make_opsetid("own", 1)]
        )

    tensor = external("w", "*/_ORT_MEM_ADDR_/*", 8)
    sparse = onnx.SparseTensorProto(values=tensor, dims=[2])
    indices = onnx.SparseTensorProto(
        values=helper.make_tensor("w", FLOAT, [2], [1, 2]), indices=tensor, dims=[2]
    )
    constant = helper.make_node("Constant", [], ["c"], value=tensor)
    inner = helper.make_graph([constant], "inner", [], [y])
    branch = helper.make_node("If", ["x"], ["z"], then_branch=inner, else_branch=inner)
    twice = helper.make_graph([branch], "twice", [], [y])
    deep = helper.make_node("If", ["x"], ["z"], then_branch=twice, else_branch=twice)
    default = onnx.FunctionProto(name="F", domain="own", opset_import=[opset])
    default.attribute_proto.append(helper.make_attribute("w", tensor))
    training = model([])
    training.training_info.add().algorithm.initializer.append(tensor)
    return {
        "initializer": model([], initializer=tensor),
        "sparse values": model([], sparse_initializer=sparse),
        "sparse indices": model([], sparse_initializer=indices),
        "attribute": model([constant]),
        "list": model([helper.make_node("Own", [], ["c"], values=[tensor, tensor])]),
        "sparse attribute": model([helper.make_node("Constant", [], ["c"], sparse_value=sparse)]),
        "branch": model([branch]),
        "branch of a branch": model([deep]),
        "graphs": model([helper.make_node("Own", [], ["c"], graphs=[inner, inner])]),
        "function": model(
            [], functions=[helper.make_function("own", "F", [], ["z"], [deep], [opset])]
        ),
        "default of a function": model([], functions=[default]),
        "training": training,
    }


@pytest.mark.parametrize("place", in_every_place())
def test_an_address_in_place_of_a_file_is_refused_wherever_it_stands(tmp_path, place):
    path = tmp_path / "encoder.onnx"
    onnx.save_model(in_every_place()[place], path)
    named = tmp_path / "*" / "_ORT_MEM_ADDR_"
    named.mkdir(parents=True)
    (named / "*").write_bytes(bytes(8))
    with pytest.raises(ModelFormatError, match="outside its folder: that is no name"):
        open_session(path, runtime="openvino", threads=1)
    with pytest.raises(ModelFormatError, match="outside its folder: that is no name"):
        check_weights(read_graph(path))


def test_weights_beside_a_graph_are_read_from_the_file_that_was_checked(features, tmp_path):
    """OpenVINO cuts leading dots off names, and would read another file."""
    model = onnx.load(ENCODER)
    onnx.save_model(
        model, tmp_path / ENCODER.name, save_as_external_data=True, location=".weights.data"
    )
    (tmp_path / "weights.data").write_bytes(bytes((tmp_path / ".weights.data").stat().st_size))
    feeds = {"audio_signal": features, "length": np.array([200, 120])}
    expected = open_session(ENCODER, runtime="openvino", threads=1).run(feeds)["outputs"].copy()
    session = open_session(tmp_path / ENCODER.name, runtime="openvino", threads=1)
    assert np.array_equal(session.run(feeds)["outputs"], expected)


def test_a_link_to_a_graph_with_its_weights_inside(features, tmp_path):
    (tmp_path / "link.onnx").symlink_to(ENCODER)
    session = open_session(tmp_path / "link.onnx", runtime="openvino", threads=1)
    assert session.run({"audio_signal": features, "length": np.array([200, 120])})
