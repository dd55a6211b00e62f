"""The JSON files of a folder of transformers: networks, features and generation."""

import json
from collections.abc import Iterator
from contextlib import suppress

from fuzz.scratch import scratch_file, scratch_folder
from parakeet_streaming.errors import ParakeetError
from parakeet_streaming.torch_model.hugging_face import (
    CONFIG_NAME,
    EXTRACTOR_NAME,
    GENERATION_NAME,
    PROCESSOR_NAME,
    read_hugging_face,
)

NAMES = (CONFIG_NAME, EXTRACTOR_NAME, GENERATION_NAME, PROCESSOR_NAME)
BORDER = b"\n---\n"
CONFIG = {
    "model_type": "parakeet_tdt",
    "vocab_size": 5,
    "blank_token_id": 4,
    "decoder_hidden_size": 8,
    "num_decoder_layers": 1,
    "durations": [0, 1, 2, 3, 4],
    "encoder_config": {"hidden_size": 8, "intermediate_size": 32, "num_attention_heads": 2},
}
FEATURES = {"feature_size": 80, "sampling_rate": 16000, "hop_length": 160, "preemphasis": 0.97}
GENERATION = {"suppress_tokens": [5, 6], "num_beams": 1, "decoder_start_token_id": 4}


def run(data: bytes) -> None:
    folder = scratch_folder("transformers")
    for name in NAMES:
        (folder / name).unlink(missing_ok=True)
    for name, content in zip(NAMES, data.split(BORDER), strict=False):
        scratch_file(name, content, "transformers")
    with suppress(ParakeetError):
        read_hugging_face(folder)


def seeds() -> Iterator[bytes]:
    config, features, generation = (
        json.dumps(each).encode() for each in (CONFIG, FEATURES, GENERATION)
    )
    yield config
    yield config + BORDER + features + BORDER + generation
    processor = json.dumps({"feature_extractor": FEATURES}).encode()
    yield config + BORDER + features + BORDER + b"{}" + BORDER + processor
