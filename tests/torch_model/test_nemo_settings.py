"""Configs of NeMo archives: what would be heard otherwise is refused by name."""

import pytest

torch = pytest.importorskip("torch", reason="the training group")

from parakeet_streaming.errors import ModelFormatError
from parakeet_streaming.limits import MOST_SYMBOLS
from parakeet_streaming.torch_model.nemo import config_of
from parakeet_streaming.torch_model.nemo_settings import (
    check_settings,
    durations_of,
    max_symbols_of,
)
from parakeet_streaming.torch_model.settings import Settings
from tests.torch_model.foreign import nemo_config


def settings(**changes):
    """The config with `section__key` as given, be it null."""
    config = nemo_config()
    config["decoding"] = {"strategy": "greedy_batch", "greedy": {"max_symbols": 10}, "beam": {}}
    for key, value in changes.items():
        *path, last = key.split("__") if not key.endswith("_target_") else key.split("__", 1)
        section = config
        for each in path:
            section = section[each]
        section[last] = value
    return Settings(config, "config")


# What changes what NeMo hears.
REFUSED = {
    "preprocessor__lowfreq": 20,
    "preprocessor__highfreq": 7600,
    "preprocessor__mel_norm": None,
    "preprocessor__mag_power": 1.0,
    "preprocessor__log": False,
    "preprocessor__log_zero_guard_type": "clamp",
    "preprocessor__log_zero_guard_value": "1e-05",
    "preprocessor__exact_pad": True,
    "preprocessor__preemph": None,
    "preprocessor__window": "hamming",
    "preprocessor__window_size": 0.02,
    "preprocessor__window_stride": "0.02",
    "preprocessor__n_window_size": 320,
    "preprocessor__n_fft": 1024,
    "preprocessor__frame_splicing": 2,
    "preprocessor__normalize": "all_features",
    "encoder__att_context_style": "chunked_limited_with_rc",
    "encoder__att_chunk_context_size": [1, 2, 3],
    "encoder__att_context_size": [[70, 13], [-1, -1]],
    "encoder__conv_context_style": "dcc",
    "encoder__conv_context_size": [4, 0],
    "encoder__feat_out": 32,
    "encoder__reduction": "striding",
    "decoder__prednet__rnn_hidden_size": 24,
    "decoder__blank_as_pad": False,
    "joint__jointnet__activation": "sigmoid",
    "decoding__strategy": "maes",
    "decoding__strip_lang_tags": True,
    "decoding__big_blank_durations": [2, 4],
    "decoding__greedy__ngram_lm_model": "lm.nemo",
    "decoding__greedy__boosting_tree": {"key_phrases_list": ["Ada"]},
}


@pytest.mark.parametrize(("key", "value"), REFUSED.items(), ids=REFUSED)
def test_what_changes_what_is_heard_is_refused_by_name(key, value):
    name = key.replace("__", r"\.")
    with pytest.raises(
        ModelFormatError, match=rf"config: {name}.* is .*, and only .*; (use|texts)"
    ):
        check_settings(settings(**{key: value}))


@pytest.mark.parametrize(
    "part",
    [
        *("preprocessor", "encoder", "decoder", "decoder__prednet"),
        *("joint", "joint__jointnet", "decoding", "decoding__greedy"),
    ],
)
def test_an_unknown_setting_is_refused_unless_it_is_null(part):
    check_settings(settings(**{f"{part}__louder": None}))
    check_settings(settings())
    with pytest.raises(ModelFormatError, match=r"louder is 3, a setting that is not known here"):
        check_settings(settings(**{f"{part}__louder": 3}))


# The default in other words, and what changes training, memory or speed only.
HARMLESS = {
    "preprocessor__lowfreq": 0.0,
    "preprocessor__highfreq": 8000.0,
    "preprocessor__log_zero_guard_value": "5.96e-08",
    "preprocessor__n_fft": None,
    "preprocessor__dither": "1e-05",
    "preprocessor__pad_to": 16,
    "preprocessor__window_size": "0.025",
    "preprocessor__nb_augmentation_prob": 0.3,
    "preprocessor__stft_conv": True,
    "encoder__att_context_size": [[-1, -1], [70, 13]],
    "encoder__reduction_factor": 1,
    "encoder__conv_context_size": [2, 2],
    "encoder__feat_out": 16,
    "encoder__untie_biases": False,
    "encoder__subsampling_conv_chunking_factor": 4,
    "encoder__pos_emb_max_len": 100,
    "encoder__stochastic_depth_drop_prob": 0.2,
    "decoder__prednet__rnn_hidden_size": 12,
    "decoder__prednet__forget_gate_bias": 0.5,
    "joint__jointnet__activation": "ReLU",
    "joint__log_softmax": True,
    "decoding__strategy": "greedy",
    "decoding__temperature": 0.5,
    "decoding__greedy__boosting_tree": {"key_phrases_list": None, "context_score": 1.0},
    "decoding__durations": [0, 1, 2, 3, 4],
    "spec_augment": {"freq_masks": 2},
}


@pytest.mark.parametrize(("key", "value"), HARMLESS.items(), ids=HARMLESS)
def test_what_changes_nothing_that_is_heard_is_accepted(key, value):
    assert config_of(settings(**{key: value})) == config_of(settings())


def test_windows_in_samples_and_an_idle_reduction():
    in_samples = {"window_size": None, "n_window_size": 400}
    hops = {"window_stride": 0, "n_window_stride": 160}
    idle = {"reduction": "pooling", "reduction_factor": 1}
    changes = {f"preprocessor__{key}": value for key, value in {**in_samples, **hops}.items()}
    check_settings(settings(**changes, **{f"encoder__{key}": idle[key] for key in idle}))


@pytest.mark.parametrize("target", ["EncDecRNNTBPEModelWithPrompt", "EncDecMultiTalkerModel"])
def test_a_model_with_more_parts_is_refused(target):
    with pytest.raises(ModelFormatError, match=f"the model is a nemo.{target}, which may have"):
        check_settings(settings(target=f"nemo.{target}"))


def test_another_preprocessor_is_refused():
    changes = {"preprocessor___target_": "nemo.AudioToMFCCPreprocessor"}
    with pytest.raises(ModelFormatError, match="not a AudioToMelSpectrogramPreprocessor"):
        check_settings(settings(**changes))


@pytest.mark.parametrize(
    ("greedy", "expected"),
    [
        (None, 10),
        ({}, 10),
        ({"max_symbols": 3}, 3),
        ({"max_symbols": None, "max_symbols_per_step": 30}, 30),
        ({"max_symbols": 0, "max_symbols_per_step": 30}, 30),
        ({"max_symbols": 5, "max_symbols_per_step": 30}, 5),
        ({"max_symbols": None}, MOST_SYMBOLS),
    ],
)
def test_most_tokens_on_a_frame(greedy, expected):
    told = settings(decoding__greedy=greedy)
    assert max_symbols_of(told) == config_of(told).max_symbols == expected


@pytest.mark.parametrize("value", [-1, 1.5, "many"])
def test_no_number_of_tokens(value):
    with pytest.raises(ModelFormatError, match=r"decoding\.greedy\.max_symbols is"):
        max_symbols_of(settings(decoding__greedy__max_symbols=value))


def test_lists_of_durations_agree():
    assert durations_of(settings(decoding__durations=[])) == 5
    with pytest.raises(ModelFormatError, match=r"decoding\.durations is \[0, 2, 4\]"):
        durations_of(settings(decoding__durations=[0, 2, 4]))
    with pytest.raises(ModelFormatError, match="names 3 durations"):
        durations_of(settings(decoding__durations=[0, 1, 2]))
