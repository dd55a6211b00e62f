"""A `pieces.json`, alone and beside a vocabulary."""

import json
from collections.abc import Iterator
from contextlib import suppress

from fuzz.scratch import scratch_file
from fuzz.small_model import VOCABULARY
from parakeet_streaming.catalog.piece_types import read_typed_pieces
from parakeet_streaming.catalog.vocabulary import PIECES_NAME, read_vocabulary
from parakeet_streaming.errors import ParakeetError

PIECES = ["<unk>", "\u2581the", "<0xC3>", "<0xA9>", ",", "<blk>"]


def run(data: bytes) -> None:
    path = scratch_file(PIECES_NAME, data, "typed")
    with suppress(ParakeetError):
        read_typed_pieces(path)
    with suppress(ParakeetError):
        vocabulary = read_vocabulary(scratch_file("vocab.txt", VOCABULARY, "typed"))
        for token_id in range(vocabulary.size):
            vocabulary.text_of(token_id).encode()
            vocabulary.bytes_of(token_id)


def seeds() -> Iterator[bytes]:
    told = {"version": 1, "pieces": PIECES, "blank": 5, "unknown": [0], "control": [], "byte": [2]}
    yield json.dumps(told).encode()
    yield json.dumps(told | {"byte": [2, 3], "unknown_text": " ? "}, ensure_ascii=False).encode()
    yield b'{"version": 1, "pieces": ["\\ud800"], "blank": 0}'
    yield b'{"version": 1, "blank": ' + b"9" * 5000 + b"}"
