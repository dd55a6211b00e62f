"""A NeMo archive (`.nemo`) in; our transducer with its weights, and its pieces, out.

```
model_config.yaml            what every part is
model_weights.ckpt           a torch state dict
<hash>_tokenizer.model       sentencepiece; the config has it as `nemo:<hash>_tokenizer.model`
```

Rules of this file:

1. Keys that the config leaves out have NeMo's defaults.
2. A setting with which NeMo computes something else than our modules is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import torch
from torch.nn import functional

from parakeet_streaming.audio.mel import FFT_SAMPLES, hann_window, mel_bank
from parakeet_streaming.errors import ModelFormatError, ModelPartMissingError, OptionError
from parakeet_streaming.plain_text import listed
from parakeet_streaming.torch_model.archive import Archive, open_archive
from parakeet_streaming.torch_model.checkpoint import read_torch_file
from parakeet_streaming.torch_model.fastconformer import EncoderConfig
from parakeet_streaming.torch_model.nemo_settings import (
    check_settings,
    durations_of,
    max_symbols_of,
)
from parakeet_streaming.torch_model.pieces import Pieces, pieces_of
from parakeet_streaming.torch_model.settings import Settings
from parakeet_streaming.torch_model.transducer import Transducer, TransducerConfig
from parakeet_streaming.torch_model.weights import (
    LAYER_NAMES,
    Names,
    assembled,
    renamed,
    scaled_input,
)
from parakeet_streaming.torch_model.yaml_text import parsed

CONFIG_NAME: Final = "model_config.yaml"
WEIGHTS_NAME: Final = "model_weights.ckpt"
NAMES: Final = Names(
    outside={
        "encoder.pre_encode.conv.0": "encoder.subsampling.first",
        "encoder.pre_encode.conv.2": "encoder.subsampling.depthwise.0",
        "encoder.pre_encode.conv.3": "encoder.subsampling.pointwise.0",
        "encoder.pre_encode.conv.5": "encoder.subsampling.depthwise.1",
        "encoder.pre_encode.conv.6": "encoder.subsampling.pointwise.1",
        "encoder.pre_encode.out": "encoder.subsampling.out",
        "decoder.prediction.embed": "predictor.embedding",
        "decoder.prediction.dec_rnn.lstm": "predictor.lstm",
        "joint.enc": "joint.frames",
        "joint.pred": "joint.histories",
        # Activation, dropout where there is any, and this.
        "joint.joint_net.1": "joint.out",
        "joint.joint_net.2": "joint.out",
        # Of hybrid models.
        "ctc_decoder.decoder_layers.0": "ctc",
    },
    in_layer=LAYER_NAMES
    | {
        "self_attn.linear_q": "attention.queries",
        "self_attn.linear_k": "attention.keys",
        "self_attn.linear_v": "attention.values",
        "self_attn.linear_out": "attention.out",
        "self_attn.linear_pos": "attention.positions",
        "self_attn.pos_bias_u": "attention.content_bias",
        "self_attn.pos_bias_v": "attention.position_bias",
        "conv.batch_norm": "convolution.batch_norm",
    },
    ignored=("preprocessor.", "encoder.pos_enc."),
)
_MEL_BANK: Final = "preprocessor.featurizer.fb"
_WINDOW: Final = "preprocessor.featurizer.window"
# bfloat16 keeps two to three digits.
_CLOSE: Final = 1e-2


def read_nemo(path: Path) -> tuple[Transducer, Pieces]:
    """The model in a `.nemo` file.

    Raises:
        ModelFormatError: no such archive, another kind of model, or weights that do not fit.
        ModelPartMissingError: it lacks config, weights or tokenizer.
    """
    with open_archive(path) as archive:
        settings = Settings(_parsed(archive, path), f"{CONFIG_NAME} in {path}")
        config = config_of(settings)
        pieces = _pieces(archive, settings, path)
        where = f"{WEIGHTS_NAME} in {path}"
        with archive.open(WEIGHTS_NAME) as file:
            saved = read_torch_file(file, where)
    _check_filters(saved, config.encoder.mel_bins, where)
    weights = renamed(saved, NAMES, config.encoder.layers, where)
    if settings.section("encoder").flag("xscaling", default=True):
        scaled_input(weights, config.encoder.width)
    return assembled(config, weights, where), pieces


def config_of(settings: Settings) -> TransducerConfig:
    """The size of the model that a NeMo config describes.

    Raises:
        ModelFormatError: a model that is no Parakeet TDT with full attention.
    """
    check_settings(settings)
    encoder, decoder = settings.section("encoder"), settings.section("decoder")
    predictor = decoder.section("prednet")
    try:
        return TransducerConfig(
            encoder=_encoder_config(encoder),
            vocabulary=decoder.whole("vocab_size") + 1,
            durations=tuple(range(durations_of(settings))),
            predictor_width=predictor.whole("pred_hidden"),
            predictor_layers=predictor.whole("pred_rnn_layers", 1, most=16),
            joint_width=settings.section("joint").section("jointnet").whole("joint_hidden"),
            max_symbols=max_symbols_of(settings),
        )
    except OptionError as error:
        raise ModelFormatError(f"{settings.origin}: {error}") from error


def _encoder_config(encoder: Settings) -> EncoderConfig:
    width = encoder.whole("d_model")
    all_of_width = encoder.value("subsampling_conv_channels", -1) == -1
    return EncoderConfig(
        mel_bins=encoder.whole("feat_in"),
        subsampling_channels=width if all_of_width else encoder.whole("subsampling_conv_channels"),
        width=width,
        layers=encoder.whole("n_layers", most=256),
        heads=encoder.whole("n_heads", 4),
        feed_forward=encoder.whole("ff_expansion_factor", 4),
        kernel=encoder.whole("conv_kernel_size", 31),
        bias=encoder.flag("use_bias", default=True),
    )


def _check_filters(saved: Mapping[str, object], mel_bins: int, where: str) -> None:
    """Refuses a saved mel bank or window that is not ours: NeMo uses it, whatever the config says.

    NeMo saves both, always.
    """
    bank, window = saved.get(_MEL_BANK), saved.get(_WINDOW)
    if not isinstance(bank, torch.Tensor) or not isinstance(window, torch.Tensor):
        return
    if window.numel() > FFT_SAMPLES:
        raise _other_features(where, _WINDOW)
    missing = FFT_SAMPLES - window.numel()
    centred = functional.pad(window.flatten(), (missing // 2, missing - missing // 2))
    for name, theirs, ours in (
        (_MEL_BANK, bank.squeeze(0), mel_bank(mel_bins)),
        (_WINDOW, centred, hann_window()),
    ):
        expected = torch.from_numpy(ours)
        if theirs.shape != expected.shape or not torch.allclose(
            theirs.float(), expected, rtol=_CLOSE, atol=_CLOSE * float(expected.max())
        ):
            raise _other_features(where, name)


def _other_features(where: str, name: str) -> ModelFormatError:
    return ModelFormatError(
        f"{where}: {name} is not that of the usual features, which are computed here; use a "
        "Parakeet TDT with the usual features"
    )


def _pieces(archive: Archive, settings: Settings, path: Path) -> Pieces:
    tokenizer = settings.section("tokenizer")
    model_path = tokenizer.value("model_path")
    kind = tokenizer.text("type", "bpe").lower()
    if not isinstance(model_path, str) or not model_path or kind != "bpe":
        raise ModelPartMissingError(
            f"{path} names no sentencepiece tokenizer; use a Parakeet TDT, which has one for all "
            "its languages"
        )
    for key in ("custom_tokenizer", "special_tokens"):
        tokenizer.require(key, (None,), None, "use a model with NeMo's own tokenizer")
    name = model_path.removeprefix("nemo:")
    return pieces_of(archive.read(name), f"{listed([name])} in {path}")


def _parsed(archive: Archive, path: Path) -> object:
    return parsed(archive.read(CONFIG_NAME), f"{CONFIG_NAME} in {path}")
