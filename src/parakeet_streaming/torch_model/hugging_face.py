"""A folder that transformers wrote (`ParakeetForTDT`) in; our transducer and its pieces out.

```
config.json          model_type parakeet_tdt; the encoder's under encoder_config
model.safetensors    or shards and their index (`safetensors_files.py`)
tokenizer.json       pieces and ids
preprocessor_config.json, processor_config.json, generation_config.json   need not be there
```

Rules of this file:

1. Keys that the config leaves out have the defaults of transformers.
2. A setting with which transformers computes something else than our modules is refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from parakeet_streaming.catalog.file_reading import read_object
from parakeet_streaming.errors import ModelFormatError, OptionError
from parakeet_streaming.torch_model.fastconformer import EncoderConfig
from parakeet_streaming.torch_model.hugging_face_settings import (
    check_features,
    check_generation,
    check_settings,
)
from parakeet_streaming.torch_model.pieces import Pieces, pieces_of_json
from parakeet_streaming.torch_model.safetensors_files import read_weights
from parakeet_streaming.torch_model.settings import Settings
from parakeet_streaming.torch_model.transducer import Transducer, TransducerConfig
from parakeet_streaming.torch_model.weights import (
    LAYER_NAMES,
    Names,
    assembled,
    renamed,
    scaled_input,
)

CONFIG_NAME: Final = "config.json"
EXTRACTOR_NAME: Final = "preprocessor_config.json"
PROCESSOR_NAME: Final = "processor_config.json"
GENERATION_NAME: Final = "generation_config.json"
TOKENIZER_NAME: Final = "tokenizer.json"
NAMES: Final = Names(
    outside={
        "encoder.subsampling.layers.0": "encoder.subsampling.first",
        "encoder.subsampling.layers.2": "encoder.subsampling.depthwise.0",
        "encoder.subsampling.layers.3": "encoder.subsampling.pointwise.0",
        "encoder.subsampling.layers.5": "encoder.subsampling.depthwise.1",
        "encoder.subsampling.layers.6": "encoder.subsampling.pointwise.1",
        "encoder.subsampling.linear": "encoder.subsampling.out",
        "decoder.embedding": "predictor.embedding",
        "decoder.lstm": "predictor.lstm",
        "encoder_projector": "joint.frames",
        "decoder.decoder_projector": "joint.histories",
        "joint.head": "joint.out",
    },
    in_layer=LAYER_NAMES
    | {
        "self_attn.q_proj": "attention.queries",
        "self_attn.k_proj": "attention.keys",
        "self_attn.v_proj": "attention.values",
        "self_attn.o_proj": "attention.out",
        "self_attn.relative_k_proj": "attention.positions",
        "self_attn.bias_u": "attention.content_bias",
        "self_attn.bias_v": "attention.position_bias",
        "conv.norm": "convolution.batch_norm",
    },
    ignored=("encoder.encode_positions.",),
)


def read_hugging_face(folder: Path) -> tuple[Transducer, Pieces]:
    """The model in a folder.

    Raises:
        ModelFormatError: another kind of model, broken files, or weights that do not fit.
        ModelPartMissingError: config, weights or tokenizer are missing.
    """
    settings = Settings(_parsed(folder / CONFIG_NAME), str(folder / CONFIG_NAME))
    config = config_of(settings)
    blank_id = config.blank_id
    if (extractor := _extractor(folder)) is not None:
        check_features(extractor, config.encoder.mel_bins)
    check_generation(_beside(folder, GENERATION_NAME), blank_id)
    tokenizer = folder / TOKENIZER_NAME
    pieces = pieces_of_json(Settings(_parsed(tokenizer), str(tokenizer)), blank_id)
    weights = renamed(read_weights(folder), NAMES, config.encoder.layers, str(folder))
    if settings.section("encoder_config").flag("scale_input", default=True):
        scaled_input(weights, config.encoder.width)
    return assembled(config, weights, str(folder)), pieces


def config_of(settings: Settings) -> TransducerConfig:
    """The size of the model that a config of transformers describes.

    Raises:
        ModelFormatError: a model that is no Parakeet TDT, or whose blank is not the last token.
    """
    check_settings(settings)
    encoder = settings.section("encoder_config")
    width = settings.whole("decoder_hidden_size", 640)
    durations = 5
    if "durations" in settings:
        durations = settings.count_of_durations("durations")
    try:
        return TransducerConfig(
            encoder=_encoder_config(encoder),
            vocabulary=settings.whole("vocab_size", 8193),
            durations=tuple(range(durations)),
            predictor_width=width,
            predictor_layers=settings.whole("num_decoder_layers", 2, most=16),
            joint_width=width,
            max_symbols=settings.whole("max_symbols_per_step", 10),
        )
    except OptionError as error:
        raise ModelFormatError(f"{settings.origin}: {error}") from error


def _encoder_config(encoder: Settings) -> EncoderConfig:
    width = encoder.whole("hidden_size", 1024)
    inner = encoder.whole("intermediate_size", 4096)
    encoder.require("intermediate_size", (inner // width * width,), 4096)
    bias = encoder.flag("attention_bias", default=True)
    encoder.require("convolution_bias", (bias,), True)
    config = EncoderConfig(
        mel_bins=encoder.whole("num_mel_bins", 80),
        subsampling_channels=encoder.whole("subsampling_conv_channels", 256),
        width=width,
        layers=encoder.whole("num_hidden_layers", 24, most=256),
        heads=encoder.whole("num_attention_heads", 8),
        feed_forward=inner // width,
        kernel=encoder.whole("conv_kernel_size", 9),
        bias=bias,
    )
    encoder.require("num_key_value_heads", (config.heads, None), None)
    encoder.require("head_dim", (width // config.heads, None), None)
    return config


def _extractor(folder: Path) -> Settings | None:
    """What transformers would compute features with: the newer file decides where it has them."""
    processor = _beside(folder, PROCESSOR_NAME)
    for key in ("feature_extractor", "audio_processor"):
        if processor.mentions(key):
            return processor.section(key)
    return _beside(folder, EXTRACTOR_NAME) if _is_there(folder / EXTRACTOR_NAME) else None


def _beside(folder: Path, name: str) -> Settings:
    """A config that need not be there."""
    path = folder / name
    return Settings(_parsed(path) if _is_there(path) else None, str(path))


def _is_there(path: Path) -> bool:
    """Whether the folder has a file of that name; a link without its file may be a setting lost."""
    return path.is_symlink() or path.exists()


def _parsed(path: Path) -> object:
    return read_object(path)
