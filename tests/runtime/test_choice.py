"""Which runtime `auto` stands for, and why."""

from dataclasses import replace

import pytest

from parakeet_streaming.catalog.graph import read_graph
from parakeet_streaming.errors import ModelFormatError, OptionError
from parakeet_streaming.runtime import choice as choice_module
from parakeet_streaming.runtime.choice import Chosen, choose, open_chosen
from parakeet_streaming.runtime.speeds import FP32, INT8_CALL, Speed
from tests.catalog.graphs import GOLDEN


@pytest.fixture(scope="module")
def graph():
    return read_graph(GOLDEN / "encoder-model.onnx")


@pytest.fixture(autouse=True)
def plain_machine(monkeypatch):
    monkeypatch.setattr(choice_module, "resolve_providers", lambda _: ("CPUExecutionProvider",))
    monkeypatch.setattr(choice_module.openvino_runtime, "version", lambda: "2026.4")


def measured(ours, theirs, form=FP32):
    other = Speed("openvino", "another form", 1e15)
    return lambda: (Speed("onnxruntime", form, ours), other, Speed("openvino", form, theirs))


def never():
    raise AssertionError("nothing need be measured")


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        (4e11, 9e11, "openvino"),
        (4e11, 3e11, "onnxruntime"),
        (4.0e11, 4.3e11, "onnxruntime"),
        (4.0e11, 4.5e11, "openvino"),
    ],
)
def test_the_faster_one_by_a_tenth(graph, ours, theirs, expected):
    chosen = choose(graph, measure=measured(ours, theirs))
    assert chosen.runtime == expected
    assert f"fp32: {ours / 1e9:.0f} (ONNX Runtime) and {theirs / 1e9:.0f}" in chosen.why


def test_the_form_of_the_weights_counts(graph):
    quantised = replace(graph, operators=frozenset({"DynamicQuantizeLinear"}))
    assert choose(quantised, measure=measured(1e12, 2e12, INT8_CALL)).runtime == "openvino"


@pytest.mark.parametrize(
    ("asked", "runtime", "why"),
    [
        ({"runtime": "openvino"}, "openvino", "asked for"),
        ({"runtime": "onnxruntime"}, "onnxruntime", "asked for"),
        ({"bfloat16": True}, "openvino", "only OpenVINO computes in bf16"),
        ({"provider": "cpu"}, "onnxruntime", "the provider cpu is ONNX Runtime's"),
    ],
)
def test_what_is_known_is_not_measured(graph, asked, runtime, why):
    chosen = choose(graph, **asked, measure=never)
    assert chosen.runtime == runtime
    assert why in chosen.why


def test_a_graphics_card_goes_first(graph, monkeypatch):
    both = ("CUDAExecutionProvider", "CPUExecutionProvider")
    monkeypatch.setattr(choice_module, "resolve_providers", lambda _: both)
    chosen = choose(graph, measure=never)
    assert chosen.runtime == "onnxruntime"
    assert "CUDAExecutionProvider" in chosen.why


def test_without_openvino_there_is_no_choice(graph, monkeypatch):
    monkeypatch.setattr(choice_module.openvino_runtime, "version", lambda: None)
    chosen = choose(graph, measure=never)
    assert (chosen.runtime, chosen.why) == ("onnxruntime", "OpenVINO is not installed")


def test_weights_that_are_not_measured(graph):
    for changes in ({"float16_weights": True}, {"operators": frozenset({"MatMulNBits"})}):
        chosen = choose(replace(graph, **changes), measure=never)
        assert chosen.runtime == "onnxruntime"
        assert "not measured" in chosen.why


def test_what_does_not_go_together_is_refused(graph):
    with pytest.raises(OptionError, match="use the runtime openvino"):
        choose(graph, runtime="onnxruntime", bfloat16=True)


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino", None])
def test_a_runtime_without_a_speed_decides_nothing(graph, runtime):
    speeds = () if runtime is None else (Speed(runtime, FP32, 1e12),)
    assert choose(graph, measure=lambda: speeds).runtime == "onnxruntime"


@pytest.fixture
def refusing(monkeypatch):
    """OpenVINO opens no graph; a list of what was opened."""
    opened = []

    def open_session(path, *, runtime, **_):
        opened.append(runtime)
        if runtime == "openvino":
            raise ModelFormatError("OpenVINO cannot open it")
        return "a session"

    monkeypatch.setattr(choice_module, "open_session", open_session)
    return opened


FASTER = Chosen("openvino", "faster")


def test_a_graph_that_openvino_does_not_open_runs_all_the_same(refusing, caplog):
    assert open_chosen(GOLDEN, FASTER) == ("a session", "onnxruntime")
    assert refusing == ["openvino", "onnxruntime"]
    assert "OpenVINO cannot open it" in caplog.text


@pytest.mark.parametrize("asked", [{"runtime": "openvino"}, {"bfloat16": True}])
def test_what_is_asked_for_is_an_error(refusing, asked):
    with pytest.raises(ModelFormatError):
        open_chosen(GOLDEN, FASTER, **asked)
    assert refusing == ["openvino"]
