import errno
import os
import re
import shutil
from dataclasses import asdict

import pytest

torch = pytest.importorskip("torch", reason="the training group")

from parakeet_streaming.errors import (
    ModelFormatError,
    ModelNotFoundError,
    ModelPartMissingError,
    ParakeetError,
)
from parakeet_streaming.torch_model import nemo as nemo_module
from parakeet_streaming.torch_model.hugging_face import read_hugging_face
from parakeet_streaming.torch_model.sources import read_source
from tests.torch_model.foreign import PIECES, TINY, TOKENIZER, hugging_face, nemo_members, write_tar


def nemo(folder):
    return write_tar(folder / "a.nemo", nemo_members())


def zipped_nemo(folder):
    return write_tar(folder / "named-anyhow", nemo_members(), "w:gz")


def transformers(folder):
    return TINY


def checkpoint(folder):
    model, _ = read_hugging_face(TINY)
    torch.save({"config": asdict(model.config), "mean": model.state_dict()}, folder / "weights.pt")
    shutil.copy(TOKENIZER, folder / "tokenizer.model")
    return folder / "weights.pt"


@pytest.mark.parametrize("write", [nemo, zipped_nemo, transformers, checkpoint])
def test_all_formats_give_one_model(tmp_path, write):
    model, pieces = read_source(write(tmp_path))
    expected, _ = read_hugging_face(TINY)
    assert pieces == PIECES
    for name, values in expected.state_dict().items():
        assert torch.equal(model.state_dict()[name], values), name


def test_nothing_there(tmp_path):
    with pytest.raises(ModelNotFoundError, match=r"does not exist; give a \.nemo file"):
        read_source(tmp_path / "none.nemo")


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("a.nemo", b"text", "no tar, as every .nemo is"),
        ("a.nemo", b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS pointer"),
        ("a.bin", b"text", "no model that can be read; give"),
        ("a.nemo", b"", "no tar"),
    ],
)
def test_other_files_are_refused(tmp_path, name, content, match):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelFormatError, match=match):
        read_source(tmp_path / name)


def test_other_folders_are_refused(tmp_path, small_folder):
    with pytest.raises(ModelPartMissingError, match=r"has no config\.json; give"):
        read_source(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(ModelPartMissingError, match=r"has no model\.safetensors; give"):
        read_source(tmp_path)
    with pytest.raises(ModelFormatError, match="holds ONNX files already"):
        read_source(small_folder)


def test_a_tokenizer_of_another_model_is_refused(tmp_path):
    path = checkpoint(tmp_path)
    saved = torch.load(path, weights_only=True)
    saved["config"]["vocabulary"] = 24
    for name in ("predictor.embedding.weight", "ctc.weight", "ctc.bias"):
        saved["mean"][name] = saved["mean"][name][:24]
    for name in ("joint.out.weight", "joint.out.bias"):
        saved["mean"][name] = saved["mean"][name][:29]
    torch.save(saved, path)
    with pytest.raises(ModelFormatError, match="24 pieces, the model scores 23"):
        read_source(path)


def test_added_tokens_behind_the_blank_are_left_out(tmp_path):
    folder = hugging_face(tmp_path / "model")
    told = (folder / "tokenizer.json").read_text()
    (folder / "tokenizer.json").write_text(told.replace("<blank>", "<pad>"))
    assert read_source(folder)[1] == PIECES


POSIX = pytest.mark.skipif(os.name == "nt", reason="other kinds of files")


def folder(path):
    path.mkdir()


def dangling(path):
    path.symlink_to(path.parent / "gone")


def loop(path):
    path.symlink_to(path)


@POSIX
@pytest.mark.parametrize("make", [os.mkfifo, folder, dangling, loop])
@pytest.mark.parametrize(
    "name",
    ["config.json", "tokenizer.json", "model.safetensors", "generation_config.json",
     "processor_config.json", "preprocessor_config.json", "model.safetensors.index.json",
     "model-00001-of-00001.safetensors"],
)  # fmt: skip
def test_any_kind_of_file_in_a_folder_is_our_error_and_makes_nobody_wait(tmp_path, name, make):
    model = hugging_face(tmp_path / "model")
    if "safetensors" in name:
        (model / "model.safetensors").unlink()
    (model / name).unlink(missing_ok=True)
    make(model / name)
    with pytest.raises(ParakeetError) as raised:
        read_source(model)
    assert "\n" not in str(raised.value)


@POSIX
@pytest.mark.parametrize("make", [os.mkfifo, dangling, loop])
def test_any_kind_of_source_is_our_error(tmp_path, make):
    make(tmp_path / "a.nemo")
    with pytest.raises(ParakeetError, match=r"a\.nemo is (a pipe|a link)"):
        read_source(tmp_path / "a.nemo")


@pytest.mark.parametrize("name", ["n" * 300, "a/" * 3000, "a\x00b", "\x1b]0;T\x07"])
def test_any_name_is_our_error(tmp_path, name):
    with pytest.raises(ParakeetError):
        read_source(tmp_path / name)


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RecursionError(), OverflowError("x"), IndexError(), UnicodeError(),
     PermissionError(errno.EACCES, "no"), OSError(errno.EIO, "no"), RuntimeError("C++\nline")],
    ids=repr,
)  # fmt: skip
def test_whatever_a_file_provokes_is_our_error(tmp_path, monkeypatch, error):
    def provoked(*_):
        raise error

    monkeypatch.setattr(nemo_module, "config_of", provoked)
    with pytest.raises(ParakeetError) as raised:
        read_source(nemo(tmp_path))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "change",
    [
        {"encoder__d_model": 10**15}, {"encoder__n_layers": 10**15}, {"encoder__n_heads": 10**9},
        {"encoder__conv_kernel_size": 10**15 + 1}, {"encoder__ff_expansion_factor": 10**15},
        {"encoder__feat_in": 4 * 10**7}, {"encoder__subsampling_conv_channels": 10**15},
        {"decoder__vocab_size": 10**15}, {"joint__num_extra_outputs": 10**15},
        {"decoding": {"greedy": {"max_symbols": 10**15}}}, {"encoder__d_model": -2},
        {"preprocessor__window_size": float("inf")}, {"preprocessor__window_size": float("nan")},
        {"encoder__att_context_size": [[]]}, {"encoder__att_context_size": {"a": 1}},
        {"target": ["x"] * 10**5}, {"tokenizer__type": {"a": ["b"] * 10**5}},
    ],
    ids=str,
)  # fmt: skip
def test_no_number_of_a_config_makes_a_huge_model(tmp_path, change):
    path = write_tar(tmp_path / "a.nemo", nemo_members(**change))
    with pytest.raises(ParakeetError) as raised:
        read_source(path)
    assert len(str(raised.value)) < 1000


@pytest.mark.parametrize(
    "change",
    [
        {"vocab_size": 10**15}, {"decoder_hidden_size": 10**15}, {"num_decoder_layers": 10**15},
        {"max_symbols_per_step": 10**15}, {"durations": list(range(10**5))},
        {"encoder_config__hidden_size": 10**15}, {"encoder_config__intermediate_size": 10**15},
        {"encoder_config__num_hidden_layers": 10**15}, {"encoder_config__num_mel_bins": 10**15},
        {"encoder_config__num_attention_heads": 10**15},
        {"encoder_config__conv_kernel_size": 10**15 + 1},
        {"encoder_config__subsampling_conv_channels": 10**15}, {"vocab_size": -5},
    ],
    ids=lambda change: str(change)[:60],
)  # fmt: skip
def test_nor_does_one_of_transformers(tmp_path, change):
    with pytest.raises(ParakeetError) as raised:
        read_source(hugging_face(tmp_path / "model", **change))
    assert len(str(raised.value)) < 1000


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\xff" * 8, (2**62).to_bytes(8, "little") + b"{}", (2).to_bytes(8, "little") + b"{}",
        (10**5).to_bytes(8, "little") + b"[" * 10**5,
        *(
            len(header).to_bytes(8, "little") + header + bytes(16)
            for header in (
                b'{"a":{"dtype":"X9","shape":[4],"data_offsets":[0,16]}}',
                b'{"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,16]}}',
                b'{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,99999999999]}}',
                b'{"a":{"dtype":"U64","shape":[2],"data_offsets":[0,16]}}',
                b'{"a\\u001b":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}',
            )
        ),
    ],
    ids=range(10),
)  # fmt: skip
def test_broken_safetensors_are_our_error(tmp_path, content):
    model = hugging_face(tmp_path / "model")
    (model / "model.safetensors").write_bytes(content)
    with pytest.raises(ModelFormatError) as raised:
        read_source(model)
    assert str(raised.value).isprintable()


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "generation_config.json"])
@pytest.mark.parametrize(
    "content",
    [b"[" * 10**5, b'{"a":' * 10**5, b'{"a": ' + b"9" * 5000 + b"}", b"\xff", b"nul", b"[]", b"3"],
    ids=["lists", "objects", "digits", "bytes", "cut", "list", "number"],
)
def test_broken_json_is_our_error(tmp_path, name, content):
    model = hugging_face(tmp_path / "model")
    (model / name).write_bytes(content)
    with pytest.raises(ModelFormatError, match=re.escape(name)) as raised:
        read_source(model)
    assert len(str(raised.value)) < 600
