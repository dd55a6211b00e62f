import io
import shutil
import zipfile
from dataclasses import asdict

import pytest

torch = pytest.importorskip("torch", reason="the training group")

from parakeet_streaming.errors import ModelFormatError, ModelPartMissingError
from parakeet_streaming.torch_model.checkpoint import read_checkpoint, read_torch_file
from parakeet_streaming.torch_model.fastconformer import EncoderConfig
from parakeet_streaming.torch_model.transducer import Transducer, TransducerConfig
from tests.torch_model.foreign import PIECES, TOKENIZER
from training.run import read_config, write_weights


@pytest.fixture
def model():
    torch.manual_seed(0)
    encoder = EncoderConfig(subsampling_channels=4, width=16, layers=1, heads=2)
    return Transducer(
        TransducerConfig(encoder, vocabulary=len(PIECES) + 1, predictor_width=12, joint_width=8)
    )


@pytest.fixture
def checkpoint(model, tmp_path):
    mean = {name: values.clone() for name, values in model.state_dict().items()}
    weights = {name: torch.zeros_like(values) for name, values in mean.items()}
    path = tmp_path / "checkpoint.pt"
    torch.save({"config": asdict(model.config), "model": weights, "mean": mean, "step": 3}, path)
    shutil.copy(TOKENIZER, tmp_path / "tokenizer.model")
    return path


def test_the_mean_of_a_run_is_read(checkpoint, model):
    read, pieces = read_checkpoint(checkpoint)
    assert pieces == PIECES
    assert read.config == model.config == read_config(checkpoint)
    for name, values in model.state_dict().items():
        torch.testing.assert_close(read.state_dict()[name], values)


def test_float16_weights_become_float32(checkpoint, model, tmp_path):
    write_weights(checkpoint, tmp_path / "weights.pt")
    read, _ = read_checkpoint(tmp_path / "weights.pt")
    for name, values in model.state_dict().items():
        theirs = read.state_dict()[name]
        assert theirs.dtype == values.dtype
        torch.testing.assert_close(theirs, values, atol=1e-3, rtol=1e-3)


def test_without_its_tokenizer_it_is_refused(checkpoint):
    (checkpoint.parent / "tokenizer.model").unlink()
    with pytest.raises(ModelPartMissingError, match=r"tokenizer\.model is missing"):
        read_checkpoint(checkpoint)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"mean": None}, "no mean weights"),
        ({"config": None}, "another version"),
        ({"config": {"encoder": {}, "colour": 3}}, "another version.*colour"),
        ({"config": {"encoder": {"width": 30, "heads": 4}}}, "another version.*width 30"),
        ({"config": {"encoder": {"layers": 1}}}, "do not fit"),
    ],
)
def test_another_checkpoint_is_refused(checkpoint, changes, match):
    saved = torch.load(checkpoint, weights_only=True)
    torch.save(saved | changes, checkpoint)
    with pytest.raises(ModelFormatError, match=match):
        read_checkpoint(checkpoint)


class RunsCode:
    def __reduce__(self):
        return print, ("code has run",)


def test_code_is_not_run(tmp_path, capsys):
    torch.save({"mean": RunsCode()}, tmp_path / "file.pt")
    with pytest.raises(ModelFormatError, match=r"file\.pt is no file of weights"):
        read_torch_file(tmp_path / "file.pt", "file.pt")
    assert capsys.readouterr().out == ""


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "file.pt"
    for content in (b"", b"no zip", b"PK\x03\x04" + bytes(100)):
        path.write_bytes(content)
        with pytest.raises(ModelFormatError, match="no file of weights"):
            read_torch_file(path, "file.pt")
    torch.save([torch.zeros(1)], path)
    with pytest.raises(ModelFormatError, match="no dictionary"):
        read_torch_file(path, "file.pt")


def pickled(path, values):
    """A torch file whose list of tensors is `values`."""
    torch.save({"a": torch.ones(3)}, path)
    with zipfile.ZipFile(path) as old:
        records = {each.filename: old.read(each) for each in old.infolist()}
    with zipfile.ZipFile(path, "w") as new:
        for name, content in records.items():
            new.writestr(name, values(content) if name.endswith("data.pkl") else content)
    return path


HOSTILE = {
    "a call": lambda old: old.replace(b"ctorch._utils\n_rebuild_tensor_v2", b"cos\nsystem"),
    "no dtype": lambda old: old.replace(b"FloatStorage", b"NoStorage"),
    "a storage beyond its bytes": lambda old: old.replace(b"K\x03t", b"J\x00\x10\x00\x00t").replace(
        b"K\x03\x85", b"J\x00\x10\x00\x00\x85"
    ),
    "a shape beyond its storage": lambda old: old.replace(b"K\x03\x85", b"J\xff\xff\xff\x7f\x85"),
    "a shape below 0": lambda old: old.replace(b"K\x03\x85", b"J\xff\xff\xff\xff\x85"),
    "terabytes": lambda _: b"\x80\x02c__builtin__\nbytearray\n\x8a\x06" + bytes(5) + b"\x70\x85R.",
    "half a list": lambda _: b"\x80\x02",
    "a deep list": lambda _: b"\x80\x02" + b"]" * 10**5 + b"a" * (10**5 - 1) + b".",
    "letters": lambda _: b"\x1b]0;T\x07",
}


@pytest.mark.parametrize("values", HOSTILE.values(), ids=HOSTILE)
def test_hostile_lists_of_tensors_are_one_short_error(tmp_path, values):
    path = pickled(tmp_path / "file.pt", values)
    for file in (path, io.BytesIO(path.read_bytes())):
        with pytest.raises(ModelFormatError, match=r"file\.pt is no file of weights") as raised:
            read_torch_file(file, "file.pt")
        message = str(raised.value)
        assert len(message) < 400
        assert "weights_only" not in message
        assert "add_safe_globals" not in message
        assert "\x1b" not in message
