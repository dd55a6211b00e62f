import shutil
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from onnx import helper

from parakeet_streaming.errors import (
    ComputeError,
    ModelFormatError,
    ModelPartMissingError,
    OptionError,
    ProviderMissingError,
)
from parakeet_streaming.runtime import onnx_runtime as runtime_module
from parakeet_streaming.runtime import session as session_module
from parakeet_streaming.runtime.onnx_runtime import (
    GPU,
    HOST,
    DeviceArray,
    available_providers,
    resolve_providers,
)
from parakeet_streaming.runtime.providers import PROVIDERS
from parakeet_streaming.runtime.session import open_session
from tests.catalog.graphs import FLOAT, GOLDEN, HALF, INT32, face

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
TENSORRT = "TensorrtExecutionProvider"


@pytest.fixture(scope="module")
def encoder():
    return open_session(GOLDEN / "encoder-model.onnx", provider="cpu", threads=1)


@pytest.fixture
def offered(monkeypatch):
    """Makes the runtime claim to offer CUDA."""
    monkeypatch.setattr(runtime_module.ort, "get_available_providers", lambda: [CUDA, CPU])


def runnable(inputs, outputs, *nodes):
    """The bytes of a small model that runs."""
    model = face(inputs, outputs, operators=(), nodes=nodes)
    model.ir_version = 8
    return model.SerializeToString()


def test_inputs_and_outputs_in_order(encoder):
    assert list(encoder.inputs) == ["audio_signal", "length"]
    assert list(encoder.outputs) == ["outputs", "encoded_lengths"]
    assert encoder.inputs["audio_signal"].fixed(1) == 128
    assert encoder.inputs["length"].dtype == np.int64
    assert encoder.inputs["length"].shape == ("length_dynamic_axes_1",)
    assert (encoder.providers, encoder.threads) == ((CPU,), 1)


def test_runs_and_names_its_outputs(encoder):
    features = np.zeros((1, 128, 101), np.float32)
    outputs = encoder.run({"audio_signal": features, "length": np.array([100])})
    assert list(outputs) == ["outputs", "encoded_lengths"]
    assert outputs["outputs"].shape == (1, 96, 13)
    assert outputs["encoded_lengths"].tolist() == [13]


def test_the_same_call_gives_the_same_frames(encoder):
    features = np.random.default_rng(7).normal(size=(1, 128, 33)).astype(np.float32)
    feeds = {"audio_signal": features, "length": np.array([32])}
    assert np.array_equal(encoder.run(feeds)["outputs"], encoder.run(feeds)["outputs"])


def test_integers_and_floats_are_cast_to_what_the_graph_declares():
    model = runnable(
        [("ids", INT32, ["n"]), ("gains", FLOAT, ["n"])],
        [("same_ids", INT32, ["n"]), ("same_gains", FLOAT, ["n"])],
        helper.make_node("Identity", ["ids"], ["same_ids"]),
        helper.make_node("Identity", ["gains"], ["same_gains"]),
    )
    outputs = open_session(model).run({"ids": np.array([3, 4]), "gains": np.array([0.5, 2.0])})
    assert outputs["same_ids"].dtype == np.int32
    assert outputs["same_ids"].tolist() == [3, 4]
    assert outputs["same_gains"].dtype == np.float32


def test_half_precision_stays_inside():
    model = runnable(
        [("x", HALF, ["n"])], [("y", HALF, ["n"])], helper.make_node("Identity", ["x"], ["y"])
    )
    outputs = open_session(model).run({"x": np.array([0.1], np.float32)})
    assert outputs["y"].dtype == np.float32
    assert outputs["y"][0] == np.float32(np.float16(0.1))


def test_a_float_is_no_integer(encoder):
    feeds = {"audio_signal": np.zeros((1, 128, 9), np.float32), "length": np.array([8.0])}
    with pytest.raises(ComputeError, match="could not run"):
        encoder.run(feeds)


@pytest.mark.parametrize(
    ("feeds", "said"),
    [
        ({"audio_signal": np.zeros((1, 127, 9), np.float32), "length": np.array([8])}, "dimension"),
        ({"audio_signal": np.zeros((1, 128, 9), np.float32)}, "length"),
        ({"sound": np.zeros(3)}, "sound"),
    ],
    ids=["shape", "missing", "unknown"],
)
def test_refused_calls_are_our_error_and_leave_no_chatter(encoder, capfd, feeds, said):
    with pytest.raises(ComputeError, match=rf"encoder-model\.onnx could not run.*{said}"):
        encoder.run(feeds)
    assert capfd.readouterr() == ("", "")


def test_a_call_that_fails_inside_leaves_no_chatter(capfd):
    added = runnable(
        [("x", FLOAT, ["n"]), ("y", FLOAT, ["m"])],
        [("z", FLOAT, ["k"])],
        helper.make_node("Add", ["x", "y"], ["z"]),
    )
    with pytest.raises(ComputeError, match="sums could not run"):
        open_session(added, name="sums").run({"x": np.zeros(2), "y": np.zeros(3)})
    assert capfd.readouterr() == ("", "")


def test_broken_graphs_are_our_error_and_leave_no_chatter(tmp_path, capfd):
    (tmp_path / "m.onnx").write_bytes(b"junk" * 50)
    with pytest.raises(ModelFormatError, match=r"cannot open .*m\.onnx"):
        open_session(tmp_path / "m.onnx")
    unknown = face([("x", FLOAT, [1])], [("y", FLOAT, [1])], operators=["Nonsense"])
    with pytest.raises(ModelFormatError, match="cannot open this one"):
        open_session(unknown.SerializeToString(), name="this one")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("dims", "data"), [([2**62], b"\0" * 8), ([2**40, 2**40], b""), ([2**61, 4], b"\0" * 16)]
)
def test_sizes_that_overflow_leave_no_chatter(capfd, dims, data):
    model = face([("x", FLOAT, [1])], [("y", FLOAT, [1])])
    weights = onnx.TensorProto(name="\x1b[2Jw", data_type=FLOAT, dims=dims, raw_data=data)
    model.graph.initializer.append(weights)
    model.graph.node.append(helper.make_node("Add", ["x", "\x1b[2Jw"], ["y"]))
    with pytest.raises(ModelFormatError, match="cannot open this one"):
        open_session(model.SerializeToString(), name="this one")
    assert capfd.readouterr() == ("", "")


def test_a_missing_file(tmp_path):
    with pytest.raises(ModelPartMissingError, match=r"m\.onnx is missing"):
        open_session(str(tmp_path / "m.onnx"))


def test_weights_are_found_through_links_of_a_cache(tmp_path):
    """The hub's cache holds links; the runtime must find the weights beside the link."""
    (tmp_path / "blobs").mkdir()
    (tmp_path / "snapshot").mkdir()
    model = onnx.load(GOLDEN / "decoder_joint-model.onnx")
    onnx.save_model(model, tmp_path / "m.onnx", save_as_external_data=True, location="m.onnx.data")
    for number, name in enumerate(("m.onnx", "m.onnx.data")):
        shutil.move(tmp_path / name, tmp_path / f"blobs/{number}")
        (tmp_path / "snapshot" / name).symlink_to(f"../blobs/{number}")
    assert "outputs" in open_session(tmp_path / "snapshot/m.onnx").outputs


@pytest.mark.parametrize("threads", [0, -1, True])
def test_impossible_threads(threads):
    with pytest.raises(OptionError, match="threads"):
        open_session(GOLDEN / "decoder_joint-model.onnx", threads=threads)


def test_threads_default_to_usable_cores(monkeypatch):
    monkeypatch.setattr(session_module, "usable_cores", lambda: 3)
    assert open_session(GOLDEN / "decoder_joint-model.onnx").threads == 3


def test_the_cpu_is_always_offered():
    assert CPU in available_providers()
    assert resolve_providers("cpu") == resolve_providers("auto") == (CPU,)
    assert resolve_providers("cpuexecutionprovider") == (CPU,)


@pytest.mark.usefixtures("offered")
@pytest.mark.parametrize("name", ["auto", "cuda", "CUDA", CUDA])
def test_cuda_where_it_is_offered(name):
    assert resolve_providers(name) == (CUDA, CPU)


@pytest.mark.parametrize(
    ("name", "package"),
    [("cuda", "onnxruntime-gpu"), ("dml", "onnxruntime-directml"), ("coreml", "on a Mac")],
)
def test_a_provider_that_is_not_offered(monkeypatch, name, package):
    monkeypatch.setattr(runtime_module.ort, "get_available_providers", lambda: [CPU])
    with pytest.raises(ProviderMissingError, match=rf"there is {CPU}\); install .*{package}"):
        resolve_providers(name)


def test_a_provider_that_does_not_exist():
    with pytest.raises(OptionError, match="use auto, cpu, cuda"):
        resolve_providers("abacus")


def test_every_short_name_is_known():
    for name, (own, _) in PROVIDERS.items():
        if own not in available_providers():
            with pytest.raises(ProviderMissingError, match=own):
                resolve_providers(name)


def falls_back(source, options, providers, enable_fallback):
    """Acts as the runtime does whose provider cannot start: it takes the CPU in silence."""
    assert enable_fallback == 0
    return SimpleNamespace(
        get_inputs=list, get_outputs=list, get_providers=lambda: [CPU], wanted=providers
    )


def throws(source, options, providers, enable_fallback):
    if CUDA in dict(providers):
        raise RuntimeError("[ONNXRuntimeError] : 1 : FAIL : libcublas is missing.\nmore")
    return falls_back(source, options, providers, enable_fallback)


@pytest.mark.usefixtures("offered")
@pytest.mark.parametrize("runtime", [falls_back, throws])
def test_a_provider_that_cannot_start_is_an_error(monkeypatch, runtime):
    monkeypatch.setattr(runtime_module.ort, "InferenceSession", runtime)
    with pytest.raises(ProviderMissingError, match="is offered but could not run the graph"):
        open_session(b"x", provider="cuda")


@pytest.mark.usefixtures("offered")
@pytest.mark.parametrize("runtime", [falls_back, throws])
def test_auto_takes_the_cpu_where_cuda_cannot_start_and_logs_why(monkeypatch, caplog, runtime):
    monkeypatch.setattr(runtime_module.ort, "InferenceSession", runtime)
    assert open_session(b"x", provider="auto").providers == (CPU,)
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage().startswith(f"the CPU runs the graph: {CUDA} is offered but")


@pytest.mark.usefixtures("offered")
def test_the_reason_of_the_runtime_is_told(monkeypatch):
    monkeypatch.setattr(runtime_module.ort, "InferenceSession", throws)
    with pytest.raises(ProviderMissingError, match="the graph: libcublas is missing; check"):
        open_session(b"x", provider="cuda")


def test_outputs_that_are_kept_are_inputs_of_the_next_call():
    add = helper.make_node("Add", ["x", "x"], ["y"])
    half = helper.make_node("Cast", ["y"], ["z"], to=onnx.TensorProto.FLOAT16)
    graph = runnable([("x", FLOAT, ["n"])], [("y", FLOAT, ["n"]), ("z", HALF, ["n"])], add, half)
    session = open_session(graph, provider="cpu", threads=1)
    assert session.device is None
    read, kept = session.run_bound({"x": np.ones(3)}, kept=("y",), device=HOST)
    assert read == {}
    assert kept["y"].shape == (3,)
    read, again = session.run_bound({"x": kept["y"]}, read=("z", "y"), device=HOST)
    assert list(read) == ["z", "y"]
    assert again == {}
    assert read["z"].dtype == np.float32
    assert read["y"].tolist() == read["z"].tolist() == [4, 4, 4]
    assert kept["y"].numpy().tolist() == [2, 2, 2]


def test_an_array_on_a_device_is_a_copy():
    host = np.arange(4, dtype="f4")[::2]
    there = DeviceArray.of(host, HOST)
    host[:] = 9
    assert there.numpy().tolist() == [0, 2]


def test_a_bound_call_that_cannot_run_is_an_error_of_ours(encoder):
    features = np.zeros((1, 5, 101), np.float32)
    with pytest.raises(ComputeError, match=r"encoder-model\.onnx could not run"):
        encoder.run_bound(
            {"audio_signal": features, "length": np.array([100])}, read=("outputs",), device=HOST
        )


def test_tensorrt_leaves_to_cuda_what_it_cannot_run(monkeypatch):
    all_three = [TENSORRT, CUDA, CPU]
    monkeypatch.setattr(runtime_module.ort, "get_available_providers", lambda: all_three)
    assert resolve_providers("tensorrt") == resolve_providers("trt") == tuple(all_three)
    assert resolve_providers("cuda") == resolve_providers("auto") == (CUDA, CPU)


@pytest.mark.usefixtures("offered")
def test_tensorrt_that_is_not_there_is_told():
    with pytest.raises(ProviderMissingError, match="install onnxruntime-gpu and TensorRT's"):
        open_session(b"x", provider="tensorrt")


def test_a_gpus_sessions_keep_their_outputs_there_and_get_options(monkeypatch):
    asked = []

    def runtime(source, options, providers, enable_fallback):
        asked.append(dict(providers))
        names = [name for name, _ in providers]
        return SimpleNamespace(get_inputs=list, get_outputs=list, get_providers=lambda: names)

    all_three = [TENSORRT, CUDA, CPU]
    monkeypatch.setattr(runtime_module.ort, "get_available_providers", lambda: all_three)
    monkeypatch.setattr(runtime_module.ort, "InferenceSession", runtime)
    devices = [open_session(b"x", provider=each).device for each in ("cpu", "cuda", "tensorrt")]
    open_session(b"x", provider="tensorrt", float16=True)
    assert devices == [None, GPU, GPU]
    assert asked[0] == {CPU: {}}
    assert (
        asked[1][CUDA] == asked[2][CUDA] == {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"}
    )
    assert [each[TENSORRT]["trt_fp16_enable"] for each in asked[2:]] == ["False", "True"]
