"""A small model that transformers wrote, against what transformers answers."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training group")

from safetensors.torch import load_file, save_file

from parakeet_streaming.errors import ModelFormatError, ModelPartMissingError
from parakeet_streaming.torch_model.hugging_face import read_hugging_face
from tests.torch_model.foreign import PIECES, TINY, answers, expected, hugging_face, silenced


def test_answers_are_those_of_transformers():
    model, pieces = read_hugging_face(TINY)
    frames, logits = answers(model)
    np.testing.assert_allclose(frames, silenced(expected()["frames"]), atol=1e-5)
    np.testing.assert_allclose(logits, silenced(expected()["logits"]), atol=1e-5)
    assert pieces == PIECES
    assert model.config.blank_id == len(PIECES)


@pytest.mark.parametrize("scale", [True, None])  # None leaves it out: transformers scales then
def test_scaled_input(tmp_path, scale):
    model, _ = read_hugging_face(
        hugging_face(tmp_path / "scaled", encoder_config__scale_input=scale)
    )
    np.testing.assert_allclose(answers(model)[0], silenced(expected()["scaled_frames"]), atol=1e-5)


def test_shards_of_bfloat16(tmp_path):
    folder = hugging_face(tmp_path / "sharded")
    weights = {
        name: values.bfloat16() if values.is_floating_point() else values
        for name, values in load_file(folder / "model.safetensors").items()
    }
    (folder / "model.safetensors").unlink()
    names = sorted(weights)
    for number, some in enumerate((names[:40], names[40:]), start=1):
        path = folder / f"model-0000{number}-of-00002.safetensors"
        save_file({name: weights[name] for name in some}, path)
    model, _ = read_hugging_face(folder)
    assert {values.dtype for values in model.parameters()} == {torch.float32}
    np.testing.assert_allclose(answers(model)[0], silenced(expected()["frames"]), atol=0.1)


REFUSED = {
    "RNN-T": ({"model_type": "parakeet_rnnt"}, "model_type is 'parakeet_rnnt'"),
    "CTC": ({"model_type": "parakeet_ctc"}, "model_type is 'parakeet_ctc'"),
    "no kind": ({"model_type": None}, "model_type is None"),
    "tanh": ({"hidden_act": "tanh"}, "hidden_act is 'tanh'"),
    "gelu": ({"encoder_config__hidden_act": "gelu"}, "encoder_config.hidden_act is 'gelu'"),
    "factor 4": ({"encoder_config__subsampling_factor": 4}, "subsampling_factor is 4"),
    "half a bias": ({"encoder_config__convolution_bias": False}, "convolution_bias is False"),
    "an odd inner width": ({"encoder_config__intermediate_size": 40}, "intermediate_size is 40"),
    "a narrow inner width": ({"encoder_config__intermediate_size": 8}, "intermediate_size is 8"),
    "blank within": ({"blank_token_id": 3}, "blank_token_id is 3, and only 24"),
    "durations with gaps": ({"durations": [0, 2, 4]}, "only durations 0, 1"),
    "an odd width": ({"encoder_config__num_attention_heads": 3}, "width 16 with 3 heads"),
    "another width": ({"decoder_hidden_size": 8}, "do not fit"),
    "more layers": ({"encoder_config__num_hidden_layers": 3}, "missing"),
}


@pytest.mark.parametrize(("changes", "match"), REFUSED.values(), ids=REFUSED)
def test_another_model_is_refused(tmp_path, changes, match):
    with pytest.raises(ModelFormatError, match=match):
        read_hugging_face(hugging_face(tmp_path / "other", **changes))


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_missing_and_broken_files_are_named(tmp_path, name):
    folder = hugging_face(tmp_path / "broken")
    (folder / name).write_bytes(b'{"cut": ')
    with pytest.raises(ModelFormatError, match=f"{name} is (no JSON|broken)"):
        read_hugging_face(folder)
    (folder / name).unlink()
    with pytest.raises(ModelPartMissingError, match=name):
        read_hugging_face(folder)


@pytest.mark.parametrize("pieces", [None, [], {"a": 0, "b": 2}, {"a": "0"}, {"a": []}])
def test_a_tokenizer_with_gaps_is_refused(tmp_path, pieces):
    folder = hugging_face(tmp_path / "gaps")
    (folder / "tokenizer.json").write_text(json.dumps({"model": {"vocab": pieces}}))
    with pytest.raises(ModelFormatError, match="of the 24 pieces before the blank"):
        read_hugging_face(folder)
