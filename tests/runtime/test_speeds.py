"""What is measured of a machine, and how long that is believed."""

import json

import pytest

from parakeet_streaming.runtime import speeds as speeds_module
from parakeet_streaming.runtime.openvino_runtime import multiplies_bfloat16, version
from parakeet_streaming.runtime.probe_graph import FORMS
from parakeet_streaming.runtime.speeds import BF16, Speed, speeds


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


def test_it_is_measured_once(counted):
    assert speeds() == speeds()
    assert len(counted) == 1


@pytest.mark.parametrize("what", ["usable_cores", "_processor_lines"])
def test_another_machine_is_measured_anew(counted, monkeypatch, what):
    first = speeds()
    monkeypatch.setattr(speeds_module, what, lambda: ["model name: another"])
    assert speeds() != first
    assert len(counted) == 2


@pytest.mark.parametrize("broken", ["", "[]", "{}", '{"origin": 1}'])
def test_a_file_that_is_broken_is_written_anew(folder, counted, broken):
    speeds()
    (kept,) = folder.iterdir()
    kept.write_text(broken)
    speeds()
    assert len(counted) == 2
    assert json.loads(kept.read_text())["speeds"][0]["operations"] == 1e9 + 2


def test_where_nothing_can_be_kept_it_is_measured_each_time(counted, monkeypatch):
    monkeypatch.setattr(speeds_module, "cache_folder", lambda _: None)
    assert speeds() != speeds()


def test_a_place_that_cannot_be_written_costs_time_only(counted, monkeypatch, folder):
    monkeypatch.setattr(speeds_module, "cache_folder", lambda _: folder / "nowhere")
    assert speeds() != speeds()


def test_a_system_that_tells_nothing_of_its_processor(tmp_path):
    assert speeds_module._processor_lines(tmp_path / "nothing") == []
