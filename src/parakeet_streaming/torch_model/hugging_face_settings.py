"""A config of transformers in; whether our modules and features compute what it asks for.

```
config.json               the networks
preprocessor_config.json  the features; in newer folders under feature_extractor in
processor_config.json
generation_config.json    how tokens are chosen
```

Rules of this file:

1. The tables have every key of `ParakeetTDTConfig`, its encoder's and `ParakeetFeatureExtractor`
   (transformers 5), and those that every config may have.
2. None in a table: the key is read in `hugging_face.py`, or changes training, memory, speed or
   reports, and nothing that is heard.
3. A folder without a config of features has the usual ones.
"""

from __future__ import annotations

from typing import Final

from parakeet_streaming.timeline import HOP_SAMPLES, SAMPLE_RATE_HZ, SUBSAMPLING
from parakeet_streaming.torch_model.settings import Choice, Rules, Settings

_FEATURES: Final = "use a Parakeet TDT with the usual features (log-mel, 25 ms every 10 ms)"
_GREEDY: Final = "texts are decoded greedily: take the key out of the file to export the model so"

_ANY_CONFIG: Final[Rules] = {
    **dict.fromkeys(("architectures", "model_type", "transformers_version", "dtype")),
    **dict.fromkeys(("torch_dtype", "_name_or_path", "name_or_path", "_commit_hash")),
    **dict.fromkeys(("is_encoder_decoder", "initializer_range", "return_dict", "use_cache")),
    **dict.fromkeys(("output_hidden_states", "output_attentions", "problem_type")),
    **dict.fromkeys(("id2label", "label2id", "chunk_size_feed_forward", "attn_implementation")),
    **dict.fromkeys(("_attn_implementation", "_attn_implementation_autoset")),
    **dict.fromkeys(("pad_token_id", "bos_token_id", "eos_token_id", "tie_word_embeddings")),
}
_MODEL: Final[Rules] = {
    **_ANY_CONFIG,
    "model_type": Choice(("parakeet_tdt",), None),
    "hidden_act": Choice(("relu",), "relu"),
    **dict.fromkeys(
        ("vocab_size", "blank_token_id", "decoder_hidden_size", "decoder_start_token_id")
    ),
    **dict.fromkeys(("num_decoder_layers", "durations", "encoder_config", "max_symbols_per_step")),
}
_ENCODER: Final[Rules] = {
    **_ANY_CONFIG,
    "hidden_act": Choice(("silu", "swish"), "silu"),
    "subsampling_factor": Choice((SUBSAMPLING,), SUBSAMPLING),
    "subsampling_conv_kernel_size": Choice((3,), 3),
    "subsampling_conv_stride": Choice((2,), 2),
    **dict.fromkeys(("hidden_size", "num_hidden_layers", "num_attention_heads", "head_dim")),
    **dict.fromkeys(("num_key_value_heads", "intermediate_size", "attention_bias")),
    **dict.fromkeys(("convolution_bias", "conv_kernel_size", "subsampling_conv_channels")),
    **dict.fromkeys(("num_mel_bins", "scale_input")),
    # Of training; and positions are computed, from no table.
    **dict.fromkeys(("dropout", "dropout_positions", "layerdrop", "activation_dropout")),
    **dict.fromkeys(("attention_dropout", "max_position_embeddings")),
}
_EXTRACTOR: Final[Rules] = {
    "feature_extractor_type": Choice(("ParakeetFeatureExtractor",), "ParakeetFeatureExtractor"),
    "sampling_rate": Choice((SAMPLE_RATE_HZ,), SAMPLE_RATE_HZ),
    "hop_length": Choice((HOP_SAMPLES,), HOP_SAMPLES),
    "n_fft": Choice((512,), 512),
    "win_length": Choice((400,), 400),
    "preemphasis": Choice((0.97,), 0.97),
    "feature_size": None,
    # Of batches; and what transformers passes over.
    **dict.fromkeys(("padding_value", "padding_side", "return_attention_mask")),
    **dict.fromkeys(("processor_class", "image_processor_type", "_name_or_path")),
    **dict.fromkeys(("transformers_version", "dither", "pad_to", "window", "do_normalize")),
}
_GENERATION: Final[Rules] = {
    "num_beams": Choice((1, None), 1),
    "do_sample": Choice((False, None), False),
    "repetition_penalty": Choice((1, None), 1),
    "no_repeat_ngram_size": Choice((0, None), 0),
    "begin_suppress_tokens": Choice((None, []), None),
    "bad_words_ids": Choice((None, []), None),
    "forced_decoder_ids": Choice((None, []), None),
}


def check_settings(settings: Settings) -> None:
    """Refuses a `config.json` with which transformers computes something else than we do.

    Raises:
        ModelFormatError: another model, a setting that we lack, or one that is unknown.
    """
    settings.require("model_type", ("parakeet_tdt",), None, "use a Parakeet TDT")
    settings.check(_MODEL, "use a Parakeet TDT")
    last = settings.whole("vocab_size", 8193) - 1
    settings.require("blank_token_id", (last,), 8192, "use a Parakeet TDT, whose blank is last")
    settings.require("decoder_start_token_id", (last, None), None, "decoding starts with the blank")
    settings.section("encoder_config").check(_ENCODER)


def check_features(extractor: Settings, mel_bins: int) -> None:
    """Refuses features other than those that are computed here.

    Raises:
        ModelFormatError: another setting of them, or one that is unknown.
    """
    extractor.check(_EXTRACTOR, _FEATURES)
    extractor.require("feature_size", (mel_bins,), 80, f"the encoder reads {mel_bins} mel bins")


def check_generation(generation: Settings, blank_id: int) -> None:
    """Refuses a `generation_config.json` that asks for other tokens than the likeliest.

    Raises:
        ModelFormatError: such a setting.
    """
    for key, choice in _GENERATION.items():
        assert choice is not None
        generation.require(key, choice.wanted, choice.default, _GREEDY)
    generation.require("decoder_start_token_id", (blank_id, None), None, _GREEDY)
    suppressed = generation.value("suppress_tokens")
    durations_only = isinstance(suppressed, list) and all(
        isinstance(each, int) and each > blank_id for each in suppressed
    )
    if not durations_only:
        generation.require("suppress_tokens", (None,), None, _GREEDY)
