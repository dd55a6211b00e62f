import shutil
from dataclasses import asdict

import pytest

torch = pytest.importorskip("torch", reason="the training group")

from parakeet_streaming.errors import ModelFormatError, ModelNotFoundError, ModelPartMissingError
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
