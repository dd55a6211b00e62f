"""A `tokenizer.json`: its pieces, and how they become text."""

import json
from collections.abc import Iterator
from contextlib import suppress

from fuzz.catalogue import ROOT
from fuzz.scratch import scratch_file, scratch_folder
from fuzz.targets.transformers_config import CONFIG
from parakeet_streaming.errors import ParakeetError
from parakeet_streaming.torch_model.hugging_face import (
    CONFIG_NAME,
    TOKENIZER_NAME,
    read_hugging_face,
)

TOKENIZER = {
    "model": {"vocab": {"<unk>": 0, "a": 1, "\u2581b": 2, "<0x41>": 3}, "unk_token": "<unk>"},
    "added_tokens": [{"id": 3, "content": "<pad>", "special": True}],
    "decoder": {"type": "Metaspace", "replacement": "\u2581"},
}
STEPS = [
    {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "},
    {"type": "ByteFallback"},
    {"type": "Fuse"},
]


def run(data: bytes) -> None:
    scratch_file(CONFIG_NAME, json.dumps(CONFIG).encode(), "tokenizer")
    scratch_file(TOKENIZER_NAME, data, "tokenizer")
    with suppress(ParakeetError):
        read_hugging_face(scratch_folder("tokenizer"))


def seeds() -> Iterator[bytes]:
    yield json.dumps(TOKENIZER).encode()
    yield json.dumps(TOKENIZER | {"decoder": {"type": "Sequence", "decoders": STEPS}}).encode()
    listed = {"unk_id": 0, "vocab": [["<unk>", 0.0], ["a", -1.0], ["\u00e9", -2], ["b", -3]]}
    yield json.dumps({"model": listed, "decoder": {"type": "ByteLevel"}}).encode()
    for path in (ROOT / "tests" / "torch_model" / "tiny-hugging-face").glob("tokenizer.json"):
        yield path.read_bytes()
