"""Known models are one commit each, with a digest for each file."""

import hashlib
import re

import pytest

from parakeet_streaming.catalog.pinned import PINS, Pin, check_digests
from parakeet_streaming.catalog.resolve import KNOWN_MODELS
from parakeet_streaming.errors import ModelFormatError

CONFIG = """{
    "model_type": "nemo-conformer-tdt",
    "features_size": 128,
    "subsampling_factor": 8
}"""


def test_every_known_model_is_pinned():
    assert set(PINS) == set(KNOWN_MODELS.values())


@pytest.mark.parametrize("repo_id", PINS)
def test_a_pin_is_a_commit_and_digests_of_both_precisions(repo_id):
    pin = PINS[repo_id]
    assert re.fullmatch("[0-9a-f]{40}", pin.commit)
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in pin.sha256.values())
    assert len(set(pin.sha256.values())) == len(pin.sha256)
    assert set(pin.sha256) == {
        *("config.json", "vocab.txt", "encoder-model.onnx", "encoder-model.onnx.data"),
        *("encoder-model.int8.onnx", "decoder_joint-model.onnx", "decoder_joint-model.int8.onnx"),
    }


def test_the_digest_of_the_text_that_is_known():
    expected = hashlib.sha256(CONFIG.encode()).hexdigest()
    assert {pin.sha256["config.json"] for pin in PINS.values()} == {expected}


@pytest.mark.parametrize("said", [b"abd", b"", b"abc\n"])
def test_another_file_is_refused(tmp_path, said):
    path = tmp_path / "vocab.txt"
    pin = Pin("9" * 40, {"vocab.txt": hashlib.sha256(b"abc").hexdigest()})
    path.write_bytes(b"abc")
    check_digests(pin, [path])
    path.write_bytes(said)
    with pytest.raises(ModelFormatError, match=r"not the file that version 99999999 .*remove"):
        check_digests(pin, [path])


def test_a_file_that_is_not_of_that_version_is_refused(tmp_path):
    (tmp_path / "pieces.json").write_bytes(b"abc")
    with pytest.raises(ModelFormatError, match=r"pieces\.json is not the file"):
        check_digests(Pin("9" * 40, {}), [tmp_path / "pieces.json"])
