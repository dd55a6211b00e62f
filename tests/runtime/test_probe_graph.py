"""Graphs that stand for an encoder: each form is what it is called, and all compute alike."""

import numpy as np
import onnx
import pytest

from parakeet_streaming.catalog.graph import read_graph
from parakeet_streaming.runtime.probe_graph import (
    FORMS,
    FP32,
    INT8_CALL,
    INT8_ROW,
    WIDTH,
    form_of,
    probe_graph,
)
from parakeet_streaming.runtime.session import open_session
from tests.catalog.graphs import GOLDEN


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
