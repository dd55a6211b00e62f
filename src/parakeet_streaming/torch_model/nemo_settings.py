"""A NeMo config in; whether our modules and features compute what it asks for, key by key.

Rules of this file:

1. The tables have every argument of NeMo's classes (3.0, and what it keeps of older versions).
2. None in a table: the key is read in `nemo.py`, checked by a function here, or changes training,
   memory, speed or reports, and nothing that is heard.
3. Values that are the default in other words, such as a window of 400 samples, are accepted.
"""

from __future__ import annotations

import math
from typing import Final

from parakeet_streaming.catalog.limits import MOST_TOKENS_A_FRAME
from parakeet_streaming.errors import ModelFormatError
from parakeet_streaming.timeline import HOP_SAMPLES, SAMPLE_RATE_HZ, SUBSAMPLING
from parakeet_streaming.torch_model.settings import Choice, Rules, Settings, as_number

MAX_SYMBOLS: Final = 10
"""Of a config that does not name it, as in NeMo's own defaults."""
UNBOUNDED_SYMBOLS: Final = MOST_TOKENS_A_FRAME
"""Of a config that asks for no bound: NeMo would go on for ever where a model does."""

_WINDOW_SAMPLES: Final = 400
_FEATURES: Final = "use a Parakeet TDT with the usual features (log-mel, 25 ms every 10 ms)"
_GREEDY: Final = (
    "texts are decoded greedily: use change_decoding_strategy of NeMo, and save the model again"
)

_PREPROCESSOR: Final[Rules] = {
    "sample_rate": Choice((SAMPLE_RATE_HZ,), SAMPLE_RATE_HZ),
    "normalize": Choice(("per_feature",), "per_feature"),
    "window": Choice(("hann",), "hann"),
    "n_fft": Choice((512, None, 0), None),
    "preemph": Choice((0.97,), 0.97),
    "lowfreq": Choice((0,), 0),
    "highfreq": Choice((None, 0, SAMPLE_RATE_HZ // 2), None),
    "log": Choice((True,), True),
    "log_zero_guard_type": Choice(("add",), "add"),
    "log_zero_guard_value": Choice((2**-24,), 2**-24),
    "frame_splicing": Choice((1,), 1),
    "exact_pad": Choice((False, None), False),
    "mag_power": Choice((2,), 2),
    "mel_norm": Choice(("slaney",), "slaney"),
    "_target_": None,
    **dict.fromkeys(("features", "window_size", "window_stride")),
    **dict.fromkeys(("n_window_size", "n_window_stride")),
    # Dither and narrow band belong to training; what pads a row is masked.
    **dict.fromkeys(("dither", "pad_to", "pad_value", "rng", "use_grads")),
    **dict.fromkeys(("nb_augmentation_prob", "nb_max_freq")),
    # NeMo ignores them.
    **dict.fromkeys(("use_torchaudio", "stft_exact_pad", "stft_conv")),
}
_ENCODER: Final[Rules] = {
    "subsampling": Choice(("dw_striding",), "striding"),
    "subsampling_factor": Choice((SUBSAMPLING,), 4),
    "causal_downsampling": Choice((False, None), False),
    "self_attention_model": Choice(("rel_pos",), "rel_pos"),
    "att_context_style": Choice(("regular", "chunked_limited"), "regular"),
    "att_chunk_context_size": Choice((None,), None),
    "conv_norm_type": Choice(("batch_norm",), "batch_norm"),
    "conv_context_style": Choice(("regular",), "regular"),
    "_target_": None,
    **dict.fromkeys(("feat_in", "feat_out", "n_layers", "d_model", "n_heads", "xscaling")),
    **dict.fromkeys(("subsampling_conv_channels", "ff_expansion_factor", "use_bias")),
    **dict.fromkeys(("reduction", "reduction_position", "reduction_factor")),
    **dict.fromkeys(("conv_kernel_size", "conv_context_size", "att_context_size")),
    # Of training.
    **dict.fromkeys(("dropout", "dropout_pre_encoder", "dropout_emb", "dropout_att")),
    **dict.fromkeys(("stochastic_depth_drop_prob", "stochastic_depth_mode")),
    **dict.fromkeys(("stochastic_depth_start_layer", "att_context_probs")),
    # Each layer's weights hold the biases, also where all layers share them.
    "untie_biases": None,
    # Of speed and memory; of local attention only.
    **dict.fromkeys(("pos_emb_max_len", "subsampling_conv_chunking_factor")),
    **dict.fromkeys(("use_pytorch_sdpa", "use_pytorch_sdpa_backends", "sync_max_audio_length")),
    **dict.fromkeys(("global_tokens", "global_tokens_spacing", "global_attn_separate")),
}
_DECODER: Final[Rules] = {
    "normalization_mode": Choice((None,), None),
    "blank_as_pad": Choice((True,), True),
    **dict.fromkeys(("_target_", "prednet", "vocab_size", "random_state_sampling")),
}
_PREDICTOR: Final[Rules] = {
    **dict.fromkeys(("pred_hidden", "pred_rnn_layers", "rnn_hidden_size", "dropout")),
    # Of the weights before training.
    **dict.fromkeys(("t_max", "forget_gate_bias", "weights_init_scale")),
    "hidden_hidden_bias_scale": None,
}
_JOINT: Final[Rules] = {
    **dict.fromkeys(("_target_", "jointnet", "num_extra_outputs")),
    **dict.fromkeys(("num_classes", "vocabulary", "masking_prob", "preserve_memory")),
    **dict.fromkeys(("fuse_loss_wer", "fused_batch_size", "experimental_fuse_loss_wer")),
    # The highest score is the same.
    "log_softmax": None,
}
_JOINT_NETWORK: Final[Rules] = {
    "activation": Choice(("relu", "ReLU", "RELU"), "relu"),
    **dict.fromkeys(("joint_hidden", "encoder_hidden", "pred_hidden", "dropout")),
}
_DECODING: Final[Rules] = {
    "strategy": Choice(("greedy_batch", "greedy"), "greedy_batch"),
    "strip_lang_tags": Choice((False, None), False),
    "big_blank_durations": Choice((None, []), None),
    **dict.fromkeys(("model_type", "durations", "greedy", "beam", "temperature")),
    **dict.fromkeys(("fused_batch_size", "compute_hypothesis_token_set", "compute_langs")),
    # Reports.
    **dict.fromkeys(("preserve_alignments", "compute_timestamps", "rnnt_timestamp_type")),
    **dict.fromkeys(("tdt_include_token_duration", "tdt_include_duration_confidence")),
    **dict.fromkeys(("word_seperator", "segment_seperators", "segment_gap_threshold")),
    **dict.fromkeys(("confidence_cfg", "confidence_method_cfg", "confidence_measure_cfg")),
    "lang_tag_pattern": None,
}
_GREEDY_DECODING: Final[Rules] = {
    "ngram_lm_model": Choice((None, ""), None),
    **dict.fromkeys(("max_symbols", "max_symbols_per_step", "boosting_tree")),
    **dict.fromkeys(("ngram_lm_alpha", "boosting_tree_alpha", "enable_per_stream_biasing")),
    **dict.fromkeys(("loop_labels", "use_cuda_graph_decoder")),
    **dict.fromkeys(("preserve_alignments", "preserve_frame_confidence", "compute_timestamps")),
    **dict.fromkeys(("tdt_include_token_duration", "tdt_include_duration_confidence")),
    **dict.fromkeys(("confidence_method_cfg", "confidence_measure_cfg")),
}
_CLASSES: Final = {
    "preprocessor": "AudioToMelSpectrogramPreprocessor",
    "encoder": "ConformerEncoder",
    "decoder": "RNNTDecoder",
    "joint": "RNNTJoint",
}
# Of the whole model. Others have parts besides, such as prompts.
_MODELS: Final = (
    *("EncDecRNNTBPEModel", "EncDecHybridRNNTCTCBPEModel"),
    *("EncDecRNNTModel", "EncDecHybridRNNTCTCModel"),
)
# Where NeMo's recipes have put the durations.
_DURATIONS: Final = (
    (("model_defaults",), "tdt_durations"),
    (("decoding",), "durations"),
    (("loss", "tdt_kwargs"), "durations"),
)
# What a boosting tree is made of; without any there is none.
_BOOSTED: Final = ("model_path", "key_phrase")


def check_settings(settings: Settings) -> None:
    """Refuses a config with which NeMo computes something else than we do.

    Raises:
        ModelFormatError: another kind of model, a setting that we lack, or one that is unknown.
    """
    _check_kind(settings)
    encoder, decoder, joint = (settings.section(key) for key in ("encoder", "decoder", "joint"))
    preprocessor, decoding = settings.section("preprocessor"), settings.section("decoding")
    preprocessor.require("features", (encoder.value("feat_in"),), 64, _FEATURES)
    preprocessor.check(_PREPROCESSOR, _FEATURES)
    _check_windows(preprocessor)
    encoder.check(_ENCODER)
    _check_encoder(encoder)
    decoder.check(_DECODER)
    predictor = decoder.section("prednet")
    predictor.check(_PREDICTOR)
    if _above_zero(predictor.value("rnn_hidden_size", -1)):
        predictor.require("rnn_hidden_size", (predictor.value("pred_hidden"),), -1)
    joint.check(_JOINT)
    joint.section("jointnet").check(_JOINT_NETWORK)
    decoding.check(_DECODING, _GREEDY)
    greedy = decoding.section("greedy")
    greedy.check(_GREEDY_DECODING, _GREEDY)
    _check_boosting(greedy.section("boosting_tree"))


def max_symbols_of(settings: Settings) -> int:
    """Tokens after which NeMo's greedy decoding leaves a frame.

    Raises:
        ModelFormatError: no whole number above 0.
    """
    greedy = settings.section("decoding").section("greedy")
    for key in ("max_symbols", "max_symbols_per_step"):
        if greedy.value(key):
            return greedy.whole(key)
    asked = any(greedy.mentions(key) for key in ("max_symbols", "max_symbols_per_step"))
    return UNBOUNDED_SYMBOLS if asked else MAX_SYMBOLS


def durations_of(settings: Settings) -> int:
    """How many durations the joint scores.

    Raises:
        ModelFormatError: durations other than 0, 1, 2, ..., or lists that differ.
    """
    count = settings.section("joint").whole("num_extra_outputs", most=16)
    found = False
    for path, key in _DURATIONS:
        section = settings
        for each in path:
            section = section.section(each)
        if key not in section or section.value(key) == []:
            continue
        found = True
        named = section.count_of_durations(key)
        if named != count:
            raise ModelFormatError(
                f"{settings.origin} names {named} durations, but its joint scores {count}; "
                "fetch the model again"
            )
    if not found:
        raise ModelFormatError(f"{settings.origin} names no durations; use a Parakeet TDT")
    return count


def _check_kind(settings: Settings) -> None:
    """Refuses what is no transducer with durations, by the classes that the config names."""
    if "joint" not in settings:
        raise ModelFormatError(
            f"{settings.origin} describes no transducer but {settings.text('target', '')}; use a "
            "Parakeet TDT, which has a joint"
        )
    for part, name in _CLASSES.items():
        target = settings.section(part).text("_target_", name)
        if target.rpartition(".")[2] != name:
            raise ModelFormatError(
                f"{settings.origin}: the {part} is a {target}, not a {name}; use a Parakeet TDT"
            )
    target = settings.text("target", _MODELS[0])
    if target.rpartition(".")[2] not in _MODELS:
        raise ModelFormatError(
            f"{settings.origin}: the model is a {target}, which may have parts that cannot be "
            f"exported; use a Parakeet TDT, an {_MODELS[0]}"
        )
    if not settings.section("joint").value("num_extra_outputs", 0):
        raise ModelFormatError(
            f"{settings.origin} describes an RNN-T, which has no durations; export it with NeMo "
            '(`model.export("model.onnx")`), whose ONNX files load as they are'
        )


def _check_windows(preprocessor: Settings) -> None:
    """Refuses windows and hops of another length, in seconds or in samples."""
    for key, default_s, samples in (
        ("window_size", 0.02, _WINDOW_SAMPLES),
        ("window_stride", 0.01, HOP_SAMPLES),
    ):
        in_samples = f"n_{key}"
        seconds = as_number(preprocessor.value(key, default_s))
        if not seconds:
            preprocessor.require(in_samples, (samples,), None, _FEATURES)
        elif not math.isfinite(seconds) or int(seconds * SAMPLE_RATE_HZ) != samples:
            preprocessor.require(key, (samples / SAMPLE_RATE_HZ,), default_s, _FEATURES)
        else:
            preprocessor.require(in_samples, (None, 0), None, _FEATURES)


def _check_encoder(encoder: Settings) -> None:
    """Refuses what changes frames unless it has a value that switches it off."""
    if encoder.value("reduction") and _above_one(encoder.value("reduction_factor", 2)):
        encoder.require("reduction", (None,), None)
    if _above_zero(encoder.value("feat_out", -1)):
        encoder.require("feat_out", (encoder.value("d_model"),), -1)
    context = encoder.value("att_context_size")
    if context and not _is_full(context):
        encoder.require("att_context_size", ([-1, -1],), None)
    reach = (encoder.whole("conv_kernel_size", 31) - 1) // 2
    encoder.require("conv_context_size", (None, [reach, reach]), None)


def _is_full(context: object) -> bool:
    """Whether the first of an encoder's contexts, which NeMo takes, has no bound."""
    nested = isinstance(context, list) and context and isinstance(context[0], list)
    first = context[0] if nested else context  # type: ignore[index]  # a list then
    return isinstance(first, list) and first == [-1, -1]


def _check_boosting(tree: Settings) -> None:
    for key in tree:
        if key.startswith(_BOOSTED) and tree.value(key):
            tree.require(key, (None,), None, _GREEDY)


def _above_zero(value: object) -> bool:
    number = as_number(value)
    return number is not None and number > 0


def _above_one(value: object) -> bool:
    number = as_number(value)
    return number is not None and number > 1
