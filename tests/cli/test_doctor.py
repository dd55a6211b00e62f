import json

import pytest
import typer
from typer.testing import CliRunner

from parakeet_streaming import __version__
from parakeet_streaming.catalog import hub
from parakeet_streaming.catalog.hub import CachedModel
from parakeet_streaming.cli import doctor as doctor_module
from parakeet_streaming.errors import (
    ExtraMissingError,
    ModelFormatError,
    OptionError,
    ProviderMissingError,
)
from parakeet_streaming.runtime import choice
from parakeet_streaming.runtime.speeds import BF16, FORMS, Speed
from parakeet_streaming.sources.devices import InputDevice

SPEEDS = (
    *(Speed("onnxruntime", form, 4e11) for form in FORMS),
    *(Speed("openvino", form, 3e11) for form in FORMS),
    Speed("openvino", BF16, 9e11),
)


@pytest.fixture(autouse=True)
def no_cache(monkeypatch, tmp_path):
    monkeypatch.setattr(hub, "cached_models", tuple)
    monkeypatch.setattr(hub, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(doctor_module, "speeds", lambda: SPEEDS)
    monkeypatch.setattr(choice, "speeds", lambda: SPEEDS)


def run(*arguments, exit_code=0):
    app = typer.Typer()
    app.command()(doctor_module.doctor)
    result = CliRunner().invoke(app, arguments)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == exit_code
    return result.stdout


def test_all_sections_in_words(tmp_path):
    lines = run("--provider", "cpu").splitlines()
    titles = [line for line in lines if not line.startswith(" ")]
    assert titles == [
        *("system", "packages", "runtime", "speeds", "extras"),
        *("audio", "downloads", "built in models"),
    ]
    words = {line.split()[0]: line.split()[1:] for line in lines if line.startswith("  ")}
    assert words["parakeet-streaming"] == [__version__]
    assert words["cache"] == [str(tmp_path)]
    assert words["models"] == ["none"]
    assert words["memory"][1] == "GB"
    assert words["tiny-en"][:2] == ["provider", "CPUExecutionProvider,"]


def test_as_json():
    sections = json.loads(run("--json"))
    assert sections["packages"]["numpy"].count(".") == 2
    assert "onnxruntime" in sections["packages"]
    assert sections["packages"]["live_engine"] in ("interpreted", "compiled")
    assert "CPUExecutionProvider" in sections["runtime"]["providers"]
    assert sections["system"]["usable_cores"] >= 1
    assert sections["downloads"]["size_bytes"] == 0
    tiny = sections["built_in_models"]["tiny-en"]
    assert tiny["load_ms"] > 0
    assert 0 < tiny["one_second_of_audio_ms"] < 5000


def test_speeds_and_what_auto_makes_of_them(monkeypatch):
    told = json.loads(run("--json"))["speeds"]
    assert told["onnxruntime, fp32"] == "400 GFLOP/s"
    assert told["auto takes for fp32"] == "onnxruntime"
    assert told["fastest"] == "openvino, fp32, computed in bf16: --precision bf16"
    alone = SPEEDS[: len(FORMS)]
    monkeypatch.setattr(doctor_module, "speeds", lambda: alone)
    assert not any(key.startswith("auto") for key in json.loads(run("--json"))["speeds"])


def test_downloads_are_listed(monkeypatch, tmp_path):
    models = (CachedModel("a/b", tmp_path, 5_000_000), CachedModel("c/d", tmp_path, 1_000_000))
    monkeypatch.setattr(hub, "cached_models", lambda: models)
    out = run()
    assert "a/b, c/d" in out
    assert "6 MB" in out


@pytest.mark.parametrize(
    "error", [ModelFormatError("is broken"), ProviderMissingError("is broken")]
)
def test_a_model_that_does_not_run_is_told_and_fails(monkeypatch, error):
    def fails(*_, **__):
        raise error

    monkeypatch.setattr(doctor_module, "dry_run", fails)
    assert "tiny-en  error is broken" in run(exit_code=1)
    assert json.loads(run("--json", exit_code=1))["built_in_models"]["tiny-en"] == {
        "error": "is broken"
    }


def test_a_wrong_option_is_a_wrong_option():
    with pytest.raises(OptionError, match="abacus"):
        run("--provider", "abacus")


def test_missing_extras_say_what_to_install(monkeypatch):
    monkeypatch.setattr(doctor_module, "find_spec", lambda name: None)
    assert "not installed; microphones: pip install 'parakeet-streaming[mic]'" in run()


def test_microphones_are_listed(monkeypatch):
    device = InputDevice(3, "Headset", 1, 16_000, "ALSA", is_default=True)
    monkeypatch.setattr(doctor_module, "input_devices", lambda: (device,))
    assert "Headset (1 ch, 16000 Hz, default)" in run()


def test_what_microphones_need_is_named(monkeypatch):
    def missing():
        raise ExtraMissingError("PortAudio is missing; install it")

    monkeypatch.setattr(doctor_module, "input_devices", missing)
    assert "PortAudio is missing; install it" in run()


def test_what_is_optional_and_fails_is_told(monkeypatch):
    def fails():
        raise RuntimeError("not here")

    monkeypatch.setattr(doctor_module, "speeds", fails)
    monkeypatch.setattr(doctor_module, "input_devices", fails)
    monkeypatch.setattr(hub, "cached_models", fails)
    monkeypatch.setattr(doctor_module.openvino_runtime, "version", lambda: "2026.4")
    found = json.loads(run("--json", "--provider", "cpu"))
    assert found["speeds"] == {"not known": "no runtime could be measured"}
    assert found["audio"] == found["downloads"] == {"not known": "not here"}
    assert "does not compute on this machine" in found["runtime"]["openvino"]


def torch_line(*, gpus=(), version="2.13.0", monkeypatch):
    monkeypatch.setattr(doctor_module, "_gpus", lambda: gpus)
    real = doctor_module._version
    monkeypatch.setattr(
        doctor_module, "_version", lambda name: version if name == "torch" else real(name)
    )
    return json.loads(run("--json", "--provider", "cpu"))["runtime"]


def test_torch_and_no_gpu(monkeypatch):
    told = torch_line(monkeypatch=monkeypatch)
    assert told["torch"].startswith("2.13.0; it finds no CUDA GPU")
    assert told["auto_picks"] == "CPUExecutionProvider"


def test_no_torch(monkeypatch):
    told = torch_line(version=None, monkeypatch=monkeypatch)["torch"]
    assert told == "not installed; for a GPU: pip install 'parakeet-streaming[torch]'"


def test_a_gpu_is_what_auto_takes(monkeypatch):
    class Told:
        def transcribe(self, samples):
            assert samples.shape == (16_000,)

    asked = []
    monkeypatch.setattr(doctor_module, "load", lambda **options: asked.append(options) or Told())
    told = torch_line(gpus=("H100", "H200"), monkeypatch=monkeypatch)
    assert asked == [{"runtime": "torch", "device": "cuda"}]
    assert told["auto_picks"] == "torch on H100"
    assert told["torch"].startswith("2.13.0; cuda:0 H100, cuda:1 H200; one second of audio in ")


def test_a_gpu_that_does_not_compute(monkeypatch):
    def refuse(**options):
        raise ProviderMissingError("the driver is too old")

    monkeypatch.setattr(doctor_module, "load", refuse)
    told = torch_line(gpus=("H100",), monkeypatch=monkeypatch)
    assert "does not run there: the driver is too old" in told["torch"]


def test_torch_is_only_asked_where_there_may_be_a_gpu(monkeypatch):
    monkeypatch.setattr(doctor_module, "may_find_gpu", lambda: False)
    assert doctor_module._gpus() == ()
    pytest.importorskip("torch")
    monkeypatch.setattr(doctor_module, "may_find_gpu", lambda: True)
    assert isinstance(doctor_module._gpus(), tuple)
