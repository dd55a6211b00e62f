"""A `tokenizer.model` of sentencepiece."""

import io
from collections.abc import Iterator
from contextlib import suppress

import sentencepiece

from parakeet_streaming.errors import ParakeetError
from parakeet_streaming.torch_model.pieces import pieces_of


def run(data: bytes) -> None:
    with suppress(ParakeetError):
        pieces = pieces_of(data, "tokenizer.model")
        "".join(pieces).encode()
        pieces.unknown_text.encode()


def seeds() -> Iterator[bytes]:
    for kind in ("bpe", "unigram"):
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(["one two three four"] * 9),
            model_writer=model,
            model_type=kind,
            vocab_size=30,
            hard_vocab_limit=False,
            normalization_rule_name="identity",
            control_symbols=["<|en|>"],
            minloglevel=2,
        )
        yield model.getvalue()
