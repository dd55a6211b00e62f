import json
import shutil

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from typer.testing import CliRunner

from parakeet_streaming.catalog import hub
from parakeet_streaming.catalog.hub import CachedModel
from parakeet_streaming.cli.app import app
from parakeet_streaming.cli.models import models_app
from parakeet_streaming.errors import ModelFormatError, ModelNotFoundError, ModelPartMissingError
from tests.catalog.graphs import (
    GOLDEN,
    TINY_EN,
    decoder_joint,
    encoder,
    folder,
    three_file_folder,
    two_file_folder,
)

V3 = "istupakov/parakeet-tdt-0.6b-v3-onnx"


@pytest.fixture(autouse=True)
def cached(monkeypatch):
    """An empty cache, and a hub that must not be asked."""
    models: list[CachedModel] = []

    def fetch(repo_id, **options):
        raise AssertionError(f"asked for {repo_id}")

    monkeypatch.setattr(hub, "cached_models", lambda: tuple(models))
    monkeypatch.setattr(hub, "fetch", fetch)
    return models


def run(*arguments):
    result = CliRunner().invoke(models_app, [str(each) for each in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0
    return result.stdout


def test_list_without_downloads():
    lines = [line.split() for line in run("list").splitlines()]
    assert lines[0] == ["NAME", "STATE", "SIZE", "HUB", "ID"]
    assert lines[1][:3] == ["tiny-en", "built", "in"]
    assert ["parakeet-tdt-0.6b-v3", "not", "downloaded", V3] in lines


def test_list_with_downloads(cached, tmp_path):
    cached.append(CachedModel(V3, tmp_path, 671_000_000))
    cached.append(CachedModel("other/model", tmp_path, 12_000))
    lines = [line.split() for line in run("list").splitlines()]
    assert ["parakeet-tdt-0.6b-v3", "downloaded", "671", "MB", V3] in lines
    assert lines[-1] == ["other/model", "downloaded", "12", "kB", "other/model"]
    assert len(lines) == 5


def test_list_as_json(cached, tmp_path):
    cached.append(CachedModel(V3, tmp_path, 671_000_000))
    models = {each["name"]: each for each in json.loads(run("list", "--json"))}
    assert models["tiny-en"]["size_bytes"] > 10_000_000
    assert models["tiny-en"]["hub_id"] is None
    assert models["parakeet-tdt-0.6b-v3"]["size_bytes"] == 671_000_000
    assert models["parakeet-tdt-0.6b-v2"] == {
        "name": "parakeet-tdt-0.6b-v2",
        "state": "not downloaded",
        "size_bytes": None,
        "hub_id": "istupakov/parakeet-tdt-0.6b-v2-onnx",
    }


def test_inspect_tells_what_a_model_is():
    lines = dict(line.strip().split("  ", 1) for line in run("inspect", GOLDEN).splitlines()[1:3])
    assert lines["kind"].strip() == "TDT, two-file"
    out = run("inspect", GOLDEN)
    assert out.startswith("tdt-tiny-onnx\n")
    for said in (
        "encoder-model.onnx, fp32, 6.89 MB",
        "audio_signal float32[",
        "257 pieces, blank 256",
        "0 1 2 3 4",
        "400 s per window",
        "2 × 64",
        "exact",
    ):
        assert said in out


def test_inspect_of_an_unlimited_int8_model():
    out = run("inspect", "tiny-en")
    assert "no limit" in out
    assert "one stream per encoder call" in out
    assert "onnxruntime.quant" in out


def test_inspect_of_rnnt(tmp_path):
    folder(tmp_path, encoder=encoder(), decoder_joint=decoder_joint(5))
    out = run("inspect", tmp_path)
    assert "RNNT, two-file" in out
    assert "none" in out


def test_inspect_as_json(tmp_path):
    model = json.loads(run("inspect", three_file_folder(tmp_path), "--json"))
    assert (model["kind"], model["layout"]) == ("tdt", "three-file")
    assert list(model["parts"]) == ["encoder", "decoder", "joiner"]
    assert model["parts"]["joiner"]["outputs"] == ["outputs float32[B, K, N, 262]"]
    assert model["parts"]["encoder"]["size_bytes"] > 6_000_000
    assert (model["durations"], model["max_seconds"]) == ([0, 1, 2, 3, 4], 400.0)
    assert model["metadata"]["vocab_size"] == "256"
    assert json.loads(run("inspect", "tiny-en", "--json"))["max_seconds"] is None


def test_inspect_takes_a_precision(tmp_path):
    two_file_folder(tmp_path)
    folder(tmp_path, encoder_int8=encoder())
    assert "encoder.int8.onnx" in run("inspect", tmp_path, "--precision", "int8")
    assert "encoder.int8.onnx" not in run("inspect", tmp_path)


@pytest.mark.parametrize(("name", "more"), [("tiny-en", ["cached"]), (str(GOLDEN), [])])
def test_verify_runs_the_model(name, more):
    lines = run("verify", name, "--provider", "cpu").splitlines()
    told = [line.split("  ")[1] for line in lines]
    assert told == ["files", "vocabulary", "shapes", "weights", "dry run", *more]
    assert "13 frames" in lines[4]
    assert lines[4].endswith("on CPUExecutionProvider")


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_verify_runs_a_cached_model_in_both_modes(tmp_path, precision):
    pytest.importorskip("torch", reason="the training group")
    from tests.torch_model.foreign import TINY

    folder = tmp_path / "model"
    options = ["--streaming", "cached", "--precision", precision]
    written = CliRunner().invoke(app, ["export", str(TINY), "--to", str(folder), *options])
    assert written.exit_code == 0
    lines = run("verify", folder, "--provider", "cpu").splitlines()
    assert lines[-2].split("  ")[1] == "dry run"
    assert "13 frames" in lines[-2]
    assert lines[-1] == "ok  cached      3 steps with context 1-0.4-0.16"


def test_verify_stops_at_what_is_wrong(tmp_path):
    with pytest.raises(ModelFormatError, match="cannot open"):
        run("verify", two_file_folder(tmp_path))
    (tmp_path / "vocab.txt").write_text("a\n")
    with pytest.raises(ModelFormatError, match="line 1"):
        run("verify", tmp_path)
    (tmp_path / "encoder.onnx").unlink()
    with pytest.raises(ModelPartMissingError, match="no encoder"):
        run("verify", tmp_path)


def test_verify_refuses_a_weight_that_no_tone_reaches(tmp_path):
    broken = shutil.copytree(GOLDEN, tmp_path / "model") / "decoder_joint-model.onnx"
    model = onnx.load(broken)
    (table,) = (each for each in model.graph.initializer if each.name.endswith("embed.weight"))
    values = numpy_helper.to_array(table).copy()
    values[17, 3] = np.nan
    table.CopyFrom(numpy_helper.from_array(values, table.name))
    onnx.save_model(model, broken)
    with pytest.raises(ModelFormatError, match=r"decoder_joint-model.onnx: 1 of \d+ weights in"):
        run("verify", broken.parent)


def test_download_asks_the_hub(monkeypatch):
    asked = []

    def fetch(repo_id, **options):
        asked.append((repo_id, options))
        return TINY_EN

    monkeypatch.setattr(hub, "fetch", fetch)
    out = run("download", "parakeet-tdt-0.6b-v3", "--precision", "int8", "--revision", "v1")
    assert asked == [(V3, {"revision": "v1", "precision": "int8", "update": False})]
    assert out == f"parakeet-tdt-0.6b-v3 is ready in {TINY_EN} (17.8 MB)\n"
    run("download", V3, "--update")
    assert asked[1] == (V3, {"revision": None, "precision": "auto", "update": True})


def test_an_unknown_name():
    with pytest.raises(ModelNotFoundError, match="did you mean tiny-en"):
        run("inspect", "tinyen")


def test_no_command_shows_help():
    out = CliRunner().invoke(models_app, []).output
    for command in ("list", "download", "inspect", "verify"):
        assert command in out
