import io
import tarfile

import onnx
import pytest

from parakeet_streaming.catalog.model_folder import find_parts
from parakeet_streaming.errors import ModelFormatError, ModelNotFoundError, ModelPartMissingError
from tests.catalog.graphs import FLOAT, INT64, ctc, encoder, face, folder, two_file_folder
from tests.catalog.test_roles import CASES


def nemo_archive(path):
    with tarfile.open(path, "w") as archive:
        config = b"target: nemo.collections.asr.models.EncDecRNNTBPEModel\n"
        member = tarfile.TarInfo("model_config.yaml")
        member.size = len(config)
        archive.addfile(member, io.BytesIO(config))
    return path


def test_a_nemo_file(tmp_path):
    with pytest.raises(ModelFormatError, match=r"NVIDIA NeMo.*parakeet export.*istupakov/parakeet"):
        find_parts(nemo_archive(tmp_path / "tdt.nemo"))


@pytest.mark.parametrize(
    ("name", "runtime"),
    [("tdt.nemo", "NVIDIA NeMo"), ("pytorch_model.bin", "PyTorch"), ("encoder.ort", "one build")],
)
def test_a_folder_of_weights_for_another_runtime(tmp_path, name, runtime):
    nemo_archive(tmp_path / name)
    with pytest.raises(ModelFormatError, match=rf"{name}, weights for {runtime}.*parakeet export"):
        find_parts(tmp_path)


def test_no_such_folder(tmp_path):
    with pytest.raises(ModelNotFoundError, match="there is no folder"):
        find_parts(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("name", "said"),
    [("encoder-model.onnx", "give its folder"), ("m.tar.bz2", "unpack"), ("m.txt", "is a file")],
)
def test_a_file_instead_of_a_folder(tmp_path, name, said):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(ModelFormatError, match=said):
        find_parts(tmp_path / name)


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("ctc", "is a CTC model"),
        ("cache-aware", "cache-aware streaming encoder"),
        ("canary encoder", "attention decoder, such as Canary"),
        ("whisper encoder", "layout of transformers"),
    ],
)
def test_a_foreign_encoder_is_named(tmp_path, case, said):
    with pytest.raises(ModelFormatError, match=rf"{said}.*istupakov/parakeet"):
        find_parts(folder(tmp_path, model=CASES[case][0]))


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("canary decoder", "attention decoder, such as Canary"),
        ("zipformer decoder", "stateless transducer"),
        ("joint that decides", "returns decisions"),
    ],
)
def test_a_foreign_decoder_is_named(tmp_path, case, said):
    with pytest.raises(ModelFormatError, match=said):
        find_parts(folder(tmp_path, encoder=encoder(), decoder=CASES[case][0]))


def test_a_ctc_head_beside_a_whole_model_does_not_matter(tmp_path):
    two_file_folder(tmp_path)
    onnx.save_model(ctc(), tmp_path / "ctc.onnx")
    assert find_parts(tmp_path).encoder.path.name == "encoder.onnx"


def test_an_unknown_encoder_shows_its_face(tmp_path):
    unknown = face([("x", FLOAT, ["B", 80])], [("y", INT64, ["B"])])
    with pytest.raises(ModelFormatError, match=r"no part of a Parakeet.*x float32\[B, 80\]"):
        find_parts(folder(tmp_path, encoder=unknown))


@pytest.mark.parametrize("part", ["encoder", "decoder_joint"])
def test_a_broken_part_is_named_rather_than_missed(tmp_path, part):
    path = two_file_folder(tmp_path) / f"{part}.onnx"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ModelFormatError, match=rf"{part}\.onnx is no whole ONNX file"):
        find_parts(tmp_path)


def test_a_lone_broken_file_is_named(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"junk")
    with pytest.raises(ModelFormatError, match=r"model\.onnx is no whole ONNX file"):
        find_parts(tmp_path)


def test_what_is_there_is_listed(tmp_path):
    with pytest.raises(ModelPartMissingError, match=r"no decoder .* there is encoder\.onnx"):
        find_parts(folder(tmp_path, encoder=encoder()))
