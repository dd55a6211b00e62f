import errno
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from parakeet_streaming import ContextConfig, load
from parakeet_streaming.catalog.model_folder import find_parts
from parakeet_streaming.cli import export as export_module
from parakeet_streaming.cli.app import app
from parakeet_streaming.errors import (
    ExtraMissingError,
    ModelNotFoundError,
    OptionError,
    UnavailableError,
)
from parakeet_streaming.export import replacing as replacing_module
from tests.another_user import as_somebody_else


def run(*arguments):
    result = CliRunner().invoke(app, ["export", *(str(each) for each in arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def source():
    pytest.importorskip("torch", reason="the training group")
    from tests.torch_model.foreign import TINY

    return TINY


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_what_is_written_loads(source, tmp_path, precision):
    target = tmp_path / "my model"
    result = run(source, "--to", target, "--precision", precision)
    assert result.exit_code == 0
    ready, hint = result.stdout.splitlines()
    assert ready.startswith(f"{source} is ready in {target} (")
    assert hint == f"try it: parakeet transcribe --model '{target}' speech.wav"
    told = result.stderr.splitlines()
    assert told[0] == f"reading {source} ..."
    assert told[1] == "writing encoder (2 layers of width 16) and decoder_joint ..."
    assert (told[2:] == []) == (precision == "fp32")
    parts = find_parts(target)
    assert (parts.encoder.precision, parts.decoder.precision) == (precision, precision)
    load(target, provider="cpu", threads=1).transcribe(np.zeros(16_000, np.float32))


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_cached_encoder_serves_both_modes(source, tmp_path, precision):
    target = tmp_path / "model"
    result = run(source, "--to", target, "--streaming", "cached", "--precision", precision)
    assert result.stdout.splitlines()[1].endswith("--cached speech.wav")
    recognizer = load(target, provider="cpu", threads=1)
    samples = np.random.default_rng(0).normal(0, 0.1, 30_000).astype(np.float32)
    for cached in (False, True):
        stream = recognizer.stream(ContextConfig(2, 0.5, 0.5), cached=cached)
        stream.feed(samples)
        assert stream.finish()[-1].transcript.audio_s == pytest.approx(30_000 / 16_000)


def test_streaming_is_window_or_cached(tmp_path):
    with pytest.raises(OptionError, match="--streaming quick does not exist; use window or cached"):
        run(tmp_path, "--to", tmp_path / "x", "--streaming", "quick")


def test_force_replaces_the_model_and_nothing_else(source, tmp_path):
    for name in ("encoder-model.fp16.onnx", "encoder-model.onnx.data", "vocab.txt", "notes.md"):
        (tmp_path / name).write_text("of another model")
    with pytest.raises(OptionError, match=r"is not empty; .* --force"):
        run(source, "--to", tmp_path)
    assert (tmp_path / "vocab.txt").read_text() == "of another model"
    assert run(source, "--to", tmp_path, "--force").exit_code == 0
    assert {each.name for each in tmp_path.iterdir()} == {
        *("encoder-model.onnx", "decoder_joint-model.onnx", "config.json"),
        *("vocab.txt", "pieces.json", "notes.md"),
    }


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_full_disk_costs_no_earlier_model(source, tmp_path, monkeypatch, precision):
    from parakeet_streaming.export import onnx_files, quantise

    earlier = tmp_path / "model"
    run(source, "--to", earlier)
    before = {path.name: path.read_bytes() for path in earlier.iterdir()}

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    module, last = {
        "fp32": (onnx_files, "write_decoder"),
        "int8": (quantise, "scale_blocks"),
    }[precision]
    monkeypatch.setattr(module, last, full)
    for target in (earlier, tmp_path / "new"):
        with pytest.raises(UnavailableError, match=r"No space left.*; .* is as it was"):
            run(source, "--to", target, "--force", "--precision", precision)
    assert {path.name: path.read_bytes() for path in earlier.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    load(earlier, provider="cpu", threads=1)


def test_what_int8_needs_meanwhile_is_said_first(source, tmp_path, monkeypatch):
    told = run(source, "--to", tmp_path / "new", "--precision", "int8").stderr.splitlines()
    assert told[2].startswith("this needs about ")
    assert f" in {tempfile.gettempdir()} until it is done (TMPDIR" in told[2]
    assert told[3] == "quantising to int8 ..."


def test_a_disk_without_room_is_refused_before_anything_is_written(source, tmp_path, monkeypatch):
    (tmp_path / "vocab.txt").write_text("of another model")
    none_left = shutil.disk_usage(tmp_path)._replace(free=100)
    monkeypatch.setattr(replacing_module.shutil, "disk_usage", lambda _: none_left)
    for precision in ("fp32", "int8"):
        with pytest.raises(OptionError, match=r"of room, and the export needs .*TMPDIR"):
            run(source, "--to", tmp_path, "--force", "--precision", precision)
    assert [each.name for each in tmp_path.iterdir()] == ["vocab.txt"]


def test_a_source_that_cannot_be_read_costs_nothing(source, tmp_path):
    (tmp_path / "vocab.txt").write_text("of another model")
    with pytest.raises(ModelNotFoundError):
        run(tmp_path / "none.nemo", "--to", tmp_path, "--force")
    assert [each.name for each in tmp_path.iterdir()] == ["vocab.txt"]
    with pytest.raises(ModelNotFoundError):
        run(tmp_path / "none.nemo", "--to", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_the_source_is_not_overwritten(source, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(source, folder)
    with pytest.raises(OptionError, match="is what is to be exported"):
        run(folder, "--to", folder, "--force")
    with pytest.raises(OptionError, match="is a file"):
        run(folder, "--to", folder / "config.json")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("n" * 300, r"cannot write .*too long"),
        ("n" * 300 + "/m", r"cannot write .*too long"),
        ("file", "file is a file; name a folder"),
        ("file/m", "file is a file; name a folder"),
        ("nowhere", "nowhere is a link"),
        ("circle", "circle is a link"),
        ("nowhere/m", "nowhere is a link"),
        ("a\0b", r"cannot write .*null"),
    ],
)
def test_where_no_folder_can_be_costs_nothing(source, tmp_path, name, said):
    (tmp_path / "file").write_text("")
    (tmp_path / "nowhere").symlink_to("nothing")
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(OptionError, match=said):
        export_module.export(source, tmp_path / name)
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize(("private", "mode"), [("", 0o500), ("", 0), ("m", 0o500), ("m", 0)])
def test_where_nothing_may_be_written_costs_nothing(source, private, mode):
    with tempfile.TemporaryDirectory() as everybody:
        root = Path(everybody)
        root.chmod(0o755)
        (root / "m").mkdir()
        (root / private).chmod(mode)
        with as_somebody_else(), pytest.raises(OptionError, match=r"cannot write .*denied"):
            export_module.export(source, root / "m")
        root.chmod(0o755)


def test_another_precision_is_refused(tmp_path):
    with pytest.raises(OptionError, match="--precision fp16 does not exist; use fp32 or int8"):
        run(tmp_path, "--to", tmp_path / "new", "--precision", "fp16")


def test_help_names_the_extra_that_it_needs():
    assert "parakeet-streaming[export]" in run("--help").output


def test_what_is_not_installed_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(
        export_module, "find_spec", lambda name: None if name == "torch" else object()
    )
    with pytest.raises(ExtraMissingError, match=r"needs torch; .*parakeet-streaming\[export\]"):
        run(tmp_path, "--to", tmp_path / "new")
