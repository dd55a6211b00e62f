"""What is measured of a machine, by which graphs, and how long the result is kept."""

import json

import numpy as np
import onnx
import pytest

from parakeet_streaming.catalog.graph import read_graph
from parakeet_streaming.runtime import speeds as speeds_module
from parakeet_streaming.runtime.openvino_runtime import multiplies_bfloat16, version
from parakeet_streaming.runtime.session import open_session
from parakeet_streaming.runtime.speeds import (
    BF16,
    FORMS,
    FP32,
    INT8_CALL,
    INT8_ROW,
    WIDTH,
    Speed,
    form_of,
    probe_graph,
    speeds,
)
from tests.catalog.graphs import GOLDEN


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(speeds_module, "cache_folder", lambda _: tmp_path)
    return tmp_path


@pytest.fixture
def counted(monkeypatch):
    """Stands for the measurement; a list of how often it was made."""
    made = []

    def measured():
        made.append(1)
        return (Speed("onnxruntime", FORMS[0], 1e9 + len(made)),)

    monkeypatch.setattr(speeds_module, "_measured", measured)
    return made


def test_every_form_of_every_runtime_is_measured(folder, monkeypatch):
    monkeypatch.setattr(speeds_module, "usable_cores", lambda: 1)
    found = speeds()
    expected = {("onnxruntime", form) for form in FORMS}
    if version() is not None:
        expected |= {("openvino", form) for form in FORMS}
    if multiplies_bfloat16():
        expected.add(("openvino", BF16))
    assert {(each.runtime, each.form) for each in found} == expected
    assert all(each.operations > 1e6 for each in found)
    assert not list(folder.rglob("*.blob"))


def test_a_runtime_that_cannot_compute_has_no_speed(monkeypatch, caplog):
    def fails(*_, **__):
        raise MemoryError("not enough")

    monkeypatch.setattr(speeds_module, "usable_cores", lambda: 1)
    monkeypatch.setattr(speeds_module, "openvino_computes", lambda: True)
    monkeypatch.setattr(speeds_module.openvino_runtime, "version", lambda: "1")
    monkeypatch.setattr(speeds_module.openvino_runtime, "open_openvino", fails)
    assert {each.runtime for each in speeds()} == {"onnxruntime"}
    assert "not enough" in caplog.text
    monkeypatch.setattr(speeds_module, "cache_folder", lambda _: None)
    monkeypatch.setattr(speeds_module.onnx_runtime, "open_onnx_runtime", fails)
    assert speeds() == ()


def test_it_is_measured_once(counted):
    assert speeds() == speeds()
    assert len(counted) == 1


@pytest.mark.parametrize("what", ["usable_cores", "processor"])
def test_another_machine_is_measured_anew(counted, monkeypatch, what):
    first = speeds()
    monkeypatch.setattr(speeds_module, what, lambda: "another")
    assert speeds() != first
    assert len(counted) == 2


def entry(runtime="onnxruntime", form=FP32, operations=1e9, **more):
    return {"runtime": runtime, "form": form, "operations": operations, **more}


HUGE = 10**400


@pytest.mark.parametrize(
    "broken",
    [
        *("", "[]", "{}", '{"origin": 1}', "null", "7", '"speeds"', "\x00", "{" * 10),
        *("[" * 100_000, '{"origin": ' * 100_000, "9" * 5_000),
        '{"origin": "ORIGIN", "speeds": {"a": 1}}',
    ],
    ids=lambda value: value[:20],
)
def test_a_file_that_is_broken_is_written_anew(folder, counted, broken):
    check_written_anew(folder, counted, broken)


@pytest.mark.parametrize(
    "listed",
    [[], None, {}, "onnxruntime", 7, [[]], [None], ["onnxruntime"], [{}], [entry(), {}]]
    + [[entry(), entry()], [entry(), entry(operations=2e9)], [entry(runtime="torch")]]
    + [[entry(runtime=["onnxruntime"])], [entry(runtime={})], [entry(form="int4")]]
    + [[entry(form=None)], [{"runtime": "onnxruntime", "form": FP32}]]
    + [[entry(operations=value)] for value in ("1e9", "fast", None, True, [1e9], {}, 0, -1e9)]
    + [[entry(operations=value)] for value in (float("nan"), float("inf"), 1e19, HUGE, -HUGE)],
    ids=lambda value: repr(value)[:60],
)
def test_speeds_that_were_never_measured_are_measured_anew(folder, counted, listed):
    text = json.dumps({"origin": "ORIGIN", "speeds": listed})
    check_written_anew(folder, counted, text)


def test_speeds_as_they_were_kept_are_believed(folder, counted):
    speeds()
    (kept,) = folder.iterdir()
    said = json.loads(kept.read_text())
    said["speeds"] = [entry(operations=7, since="then"), entry("openvino", BF16, 2e9)]
    kept.write_text(json.dumps(said))
    assert speeds() == (Speed("onnxruntime", FP32, 7.0), Speed("openvino", BF16, 2e9))
    assert len(counted) == 1


def check_written_anew(folder, counted, text):
    speeds()
    (kept,) = folder.iterdir()
    kept.write_text(text.replace("ORIGIN", json.loads(kept.read_text())["origin"]))
    speeds()
    assert len(counted) == 2
    assert json.loads(kept.read_text())["speeds"][0]["operations"] == 1e9 + 2


def test_where_nothing_can_be_kept_it_is_measured_each_time(counted, monkeypatch):
    monkeypatch.setattr(speeds_module, "cache_folder", lambda _: None)
    assert speeds() != speeds()


def test_a_place_that_cannot_be_written_costs_time_only(counted, monkeypatch, folder):
    monkeypatch.setattr(speeds_module, "cache_folder", lambda _: folder / "nowhere")
    assert speeds() != speeds()


@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_known_again(tmp_path, form):
    path = tmp_path / "probe.onnx"
    path.write_bytes(probe_graph(form))
    onnx.checker.check_model(str(path))
    assert form_of(read_graph(path).operators) == form


def test_all_forms_compute_alike():
    rows = np.random.default_rng(3).standard_normal((3, WIDTH), np.float32)
    exact, by_call, by_row = (
        open_session(probe_graph(form), threads=1).run({"x": rows})["y"] for form in FORMS
    )
    for found in (by_call, by_row):
        assert np.linalg.norm(found - exact) < 0.02 * np.linalg.norm(exact)


def test_other_forms_are_not_known():
    assert form_of(frozenset({"MatMul", "Add"})) == FP32
    assert form_of(frozenset({"DynamicQuantizeMatMul"})) == INT8_CALL
    assert form_of(frozenset({"QuantizeLinear", "DequantizeLinear", "MatMul"})) == INT8_ROW
    assert form_of(frozenset({"DequantizeLinear", "MatMul"})) is None
    assert form_of(frozenset({"MatMulNBits"})) is None
    assert form_of(read_graph(GOLDEN / "encoder-model.onnx").operators) == FP32
