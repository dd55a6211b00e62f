"""Configs of transformers: what would be heard otherwise is refused by name."""

import json

import pytest

torch = pytest.importorskip("torch", reason="the training group")

from parakeet_streaming.errors import ModelFormatError
from parakeet_streaming.torch_model.hugging_face import config_of, read_hugging_face
from parakeet_streaming.torch_model.hugging_face_settings import (
    check_features,
    check_generation,
    check_settings,
)
from parakeet_streaming.torch_model.settings import Settings
from tests.torch_model.foreign import TINY, hugging_face

# As transformers writes it for an 80-bin model.
EXTRACTOR = {
    "feature_extractor_type": "ParakeetFeatureExtractor",
    "feature_size": 80,
    "hop_length": 160,
    "n_fft": 512,
    "padding_side": "right",
    "padding_value": 0.0,
    "preemphasis": 0.97,
    "processor_class": "ParakeetProcessor",
    "return_attention_mask": True,
    "sampling_rate": 16000,
    "win_length": 400,
}
OTHER_FEATURES = {
    "preemphasis": None,
    "hop_length": 128,
    "win_length": 320,
    "n_fft": 1024,
    "sampling_rate": 8000,
    "feature_size": 128,
    "feature_extractor_type": "WhisperFeatureExtractor",
}


@pytest.mark.parametrize("name", ["preprocessor_config.json", "processor_config.json"])
@pytest.mark.parametrize(("key", "value"), OTHER_FEATURES.items(), ids=OTHER_FEATURES)
def test_other_features_are_refused_by_name(tmp_path, name, key, value):
    folder = hugging_face(tmp_path / "model")
    nested = name == "processor_config.json"

    def write(extractor):
        told = {"feature_extractor": extractor} if nested else extractor
        (folder / name).write_text(json.dumps(told))

    write(EXTRACTOR)
    read_hugging_face(folder)
    write({**EXTRACTOR, key: value})
    with pytest.raises(ModelFormatError, match=rf"{name}: .*{key} is .*, and only"):
        read_hugging_face(folder)


def test_the_newer_file_of_features_decides(tmp_path):
    folder = hugging_face(tmp_path / "model")
    (folder / "preprocessor_config.json").write_text(json.dumps({"hop_length": 128}))
    (folder / "processor_config.json").write_text(json.dumps({"feature_extractor": EXTRACTOR}))
    read_hugging_face(folder)
    (folder / "processor_config.json").write_text(json.dumps({"blank_token": "<blank>"}))
    with pytest.raises(ModelFormatError, match="hop_length is 128"):
        read_hugging_face(folder)


def test_keys_left_out_have_the_defaults_of_transformers():
    check_features(Settings({}, "config"), 80)
    with pytest.raises(ModelFormatError, match="feature_size is 80, and only 128"):
        check_features(Settings({}, "config"), 128)


def test_an_unknown_setting_of_features_is_refused():
    with pytest.raises(ModelFormatError, match="loudness is 2, a setting that is not known"):
        check_features(Settings({**EXTRACTOR, "loudness": 2}, "config"), 80)


OTHER_MODELS = {
    "decoder_start_token_id": 3,
    "quantization_config": {"bits": 4},
    "auto_map": {"AutoModel": "mine.Model"},
    "encoder_config__num_key_value_heads": 1,
    "encoder_config__head_dim": 4,
    "encoder_config__subsampling_conv_kernel_size": 5,
    "encoder_config__louder": 3,
}


@pytest.mark.parametrize(("key", "value"), OTHER_MODELS.items(), ids=OTHER_MODELS)
def test_other_models_are_refused_by_name(tmp_path, key, value):
    name = key.replace("__", r"\.")
    with pytest.raises(ModelFormatError, match=rf"config\.json: {name} is .*(only|not known)"):
        read_hugging_face(hugging_face(tmp_path / "model", **{key: value}))


def test_settings_that_change_nothing(tmp_path):
    told = json.loads((TINY / "config.json").read_text())
    told |= {"architectures": None, "torch_dtype": "bfloat16", "decoder_start_token_id": 24}
    told["encoder_config"] |= {"hidden_act": "swish", "max_position_embeddings": 100}
    check_settings(Settings(told, "config"))


def test_the_most_tokens_on_a_frame(tmp_path):
    folder = hugging_face(tmp_path / "model", max_symbols_per_step=3)
    assert read_hugging_face(folder)[0].config.max_symbols == 3
    del folder
    told = json.loads((TINY / "config.json").read_text())
    del told["max_symbols_per_step"]
    assert config_of(Settings(told, "config")).max_symbols == 10


@pytest.mark.parametrize(
    "generation",
    [
        {"num_beams": 4},
        {"do_sample": True},
        {"suppress_tokens": [3]},
        {"decoder_start_token_id": 3},
    ],
)
def test_other_tokens_than_the_likeliest_are_refused(generation):
    (key,) = generation
    with pytest.raises(ModelFormatError, match=f"{key} is .*decoded greedily"):
        check_generation(Settings(generation, "config"), 24)


def test_a_converted_models_generation_is_accepted():
    written = {
        "_from_model_config": True,
        "decoder_start_token_id": 24,
        "pad_token_id": 1,
        "suppress_tokens": [25, 26, 27, 28, 29],
        "transformers_version": "5.23.0",
    }
    check_generation(Settings(written, "config"), 24)
    check_generation(Settings({}, "config"), 24)
