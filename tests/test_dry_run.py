"""A model runs as the product runs it, and what is wrong with it is noticed."""

import shutil

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from parakeet_streaming import dry_run as dry_run_module
from parakeet_streaming.dry_run import dry_run
from parakeet_streaming.errors import ModelFormatError, ProviderMissingError
from parakeet_streaming.load import load
from parakeet_streaming.runtime.cores import usable_cores
from parakeet_streaming.runtime.onnx_runtime import available_providers
from tests.catalog.graphs import GOLDEN, TINY_EN, three_file_folder
from tests.torch_model.conftest import small_model

__all__ = ["small_model"]


@pytest.mark.parametrize(
    ("folder", "cached_steps"), [(GOLDEN, 0), (TINY_EN, 3)], ids=["golden", "tiny-en"]
)
def test_real_models_run(folder, cached_steps):
    found = dry_run(folder, provider="cpu", threads=1)
    assert (found.frames, found.cached_steps) == (13, cached_steps)
    assert (found.providers, found.threads) == (("CPUExecutionProvider",), 1)
    assert min(found.load_ms, found.encode_ms, found.decode_ms) > 0


def test_a_three_file_model_runs(tmp_path):
    assert dry_run(three_file_folder(tmp_path), threads=1).frames == 13


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_cached_encoder_runs_in_both_modes(small_model, tmp_path, precision):
    from parakeet_streaming.export.onnx_files import write_model
    from parakeet_streaming.export.quantise import write_int8

    folder = tmp_path / "fp32"
    write_model(small_model, ["<unk>", "▁", *"abcdef"], folder, cached=True)
    if precision == "int8":
        folder = tmp_path / "int8"
        write_int8(tmp_path / "fp32", folder)
    found = dry_run(folder, provider="cpu")
    assert found.frames == 13
    assert found.cached_steps >= 2


def test_it_runs_what_load_gives(monkeypatch):
    """Sessions, threads and the parts of the decoder are those of every stream."""
    opened = {}

    def loaded(source, *, wrap, **options):
        def noted(session, role):
            opened[role] = session.threads
            return wrap(session, role)

        return load(source, wrap=noted, **options)

    monkeypatch.setattr(dry_run_module, "load", loaded)
    assert dry_run(GOLDEN, provider="cpu").threads == usable_cores()
    assert list(opened) == ["encoder", "predictor", "joint"]
    assert opened["joint"] == min(usable_cores(), 4)


@pytest.fixture
def copied(tmp_path):
    """The golden model, of which a test may change a file."""
    folder = tmp_path / "model"
    shutil.copytree(GOLDEN, folder)
    return folder


def changed(path, change):
    model = onnx.load(path)
    change(model.graph)
    onnx.save_model(model, path)


def with_nan(graph):
    weight = [each for each in graph.initializer if len(each.dims) == 2][-1]
    values = numpy_helper.to_array(weight).copy()
    values[:] = np.nan
    weight.CopyFrom(numpy_helper.from_array(values, weight.name))


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("encoder-model.onnx", "of the encoder is not finite"),
        ("decoder_joint-model.onnx", "weights in .* are not finite"),
    ],
)
def test_numbers_that_are_not_finite_are_an_error(copied, file, message):
    changed(copied / file, with_nan)
    with pytest.raises(ModelFormatError, match=message):
        dry_run(copied, provider="cpu", threads=1)


def cut_output(axis, count):
    """A change that cuts frames to `count` along `axis`, which shape inference cannot see."""

    def change(graph):
        for node in graph.node:
            for at, name in enumerate(node.output):
                if name == "outputs":
                    node.output[at] = "uncut"
        length = graph.input[1].name
        constants = {"zero": [0], "axis": [axis], "count": [count]}
        for name, value in constants.items():
            graph.initializer.append(numpy_helper.from_array(np.array(value), name))
        graph.node.extend(
            [
                helper.make_node("ReduceMax", [length], ["longest"], keepdims=1),
                helper.make_node("Mul", ["longest", "zero"], ["nothing"]),
                helper.make_node("Add", ["nothing", "count"], ["end"]),
                helper.make_node("Slice", ["uncut", "zero", "end", "axis"], ["outputs"]),
            ]
        )

    return change


@pytest.mark.parametrize(
    ("axis", "count", "message"),
    [(2, 12, r"\(1, 96, 12\) instead of \(1, 96, 13\)"), (1, 95, r"\(1, 95, 13\) instead of")],
)
def test_another_shape_is_an_error(copied, axis, count, message):
    changed(copied / "encoder-model.onnx", cut_output(axis, count))
    with pytest.raises(ModelFormatError, match=rf"output outputs of the encoder .* {message}"):
        dry_run(copied, provider="cpu", threads=1)


@pytest.mark.skipif("CoreMLExecutionProvider" in available_providers(), reason="offered here")
def test_a_provider_that_is_not_there():
    with pytest.raises(ProviderMissingError):
        dry_run(GOLDEN, provider="coreml")
