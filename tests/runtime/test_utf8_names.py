"""Folders whose names are no UTF-8 hold models like others."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from parakeet_streaming import ModelFormatError, load
from parakeet_streaming.runtime import utf8_names
from parakeet_streaming.runtime.utf8_names import is_utf8, utf8_name
from parakeet_streaming.testing import noise
from tests.catalog.graphs import (
    GOLDEN,
    in_cache_of_links,
    int8_folder,
    three_file_folder,
    weights_beside,
)


def odd(name):
    return os.fsdecode(name.encode("latin-1"))


@pytest.fixture
def folder(tmp_path):
    """A folder of which nobody can say in UTF-8 where it is."""
    path = tmp_path / odd("modèle")
    try:
        path.mkdir()
    except OSError:
        pytest.skip("this system takes no such name")
    if is_utf8(path):
        pytest.skip("names are UTF-8 on this system")
    return path


def test_a_name_in_utf8_stays_as_it_is(tmp_path):
    path = tmp_path / "modèle/encoder.onnx"
    with utf8_name(path) as name:
        assert name == str(path)


def test_another_name_leads_to_the_file_and_what_lies_beside_it(folder):
    (folder / "encoder.onnx").write_text("graph")
    (folder / "encoder.onnx.data").write_text("weights")
    with utf8_name(folder / "encoder.onnx") as name:
        assert is_utf8(name)
        assert Path(name).read_text() == "graph"
        assert Path(f"{name}.data").read_text() == "weights"
    assert not Path(name).exists()
    assert (folder / "encoder.onnx").exists()


def test_a_file_s_own_name_is_refused(folder):
    with (
        pytest.raises(ModelFormatError, match="rename the file"),
        utf8_name(folder / odd("é.onnx")),
    ):
        pass


def test_where_no_link_can_be_made(folder, monkeypatch):
    def fails(*_, **__):
        raise OSError("no links here")

    monkeypatch.setattr(utf8_names.Path, "symlink_to", fails)
    with pytest.raises(ModelFormatError, match="rename the folder"), utf8_name(folder / "a.onnx"):
        pass


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
@pytest.mark.parametrize(
    "layout", ["two files", "int8", "three files", "weights beside", "cache of links"]
)
def test_every_layout_loads(folder, layout, runtime, monkeypatch, tmp_path):
    if runtime == "openvino":
        pytest.importorskip("openvino", reason="the openvino extra")
    samples = noise(1.0)
    made = tmp_path / "made"
    if layout == "weights beside":
        weights_beside(made)
    elif layout == "cache of links":
        in_cache_of_links(weights_beside(tmp_path / "plain"), made)
    elif layout == "three files":
        three_file_folder(made)
    else:
        shutil.copytree(GOLDEN if layout == "two files" else int8_folder(), made)
    model = Path(shutil.move(made, folder))
    if layout == "cache of links":
        model = next(model.glob("models--*/snapshots/*"))
    # What is kept of a compiled graph has such a place, too.
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    found = load(model, runtime=runtime).transcribe(samples)
    (tmp_path / "link").symlink_to(model)
    assert load(tmp_path / "link", runtime=runtime).transcribe(samples) == found


@pytest.mark.skipif(sys.platform == "win32", reason="names are UTF-16 there")
def test_half_a_character_is_no_utf8():
    assert is_utf8("modèle")
    assert not is_utf8(odd("modèle"))
