"""A `vocab.txt`, and the text of each of its pieces."""

from collections.abc import Iterator
from contextlib import suppress

from fuzz.scratch import scratch_file
from fuzz.small_model import VOCABULARY
from parakeet_streaming.catalog.vocabulary import read_vocabulary
from parakeet_streaming.errors import ParakeetError


def run(data: bytes) -> None:
    with suppress(ParakeetError):
        vocabulary = read_vocabulary(scratch_file("vocab.txt", data, "vocabulary"))
        for token_id in range(vocabulary.size):
            vocabulary.text_of(token_id).encode()
            vocabulary.bytes_of(token_id)


def seeds() -> Iterator[bytes]:
    yield VOCABULARY
    yield b"\xef\xbb\xbfa 0\r\nb 1\r\n<blank> 2\r\n"
    yield b"a 0\n\n 1\n<0xE2><0x96> 2\n<|en|> 3\n<pad> 4\n"
    yield b"a " + b"9" * 5000 + b"\n"
