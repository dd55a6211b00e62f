"""Texts in; a sentencepiece model of a few hundred pieces, and texts as piece ids, out."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

import sentencepiece

from parakeet_streaming.errors import ModelPartMissingError


def train_tokenizer(texts: Iterable[str], pieces: int, path: Path) -> None:
    """Trains byte-pair pieces on normalised texts and writes the model to `path`.

    Every piece belongs to one word. With few texts there may be fewer pieces than asked for.
    """
    trained = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_writer=trained,
        model_type="bpe",
        vocab_size=pieces,
        character_coverage=1.0,
        bos_id=-1,
        eos_id=-1,
        unk_id=0,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(trained.getvalue())


class Tokenizer:
    """A trained sentencepiece model."""

    def __init__(self, path: Path) -> None:
        """Opens a model.

        Raises:
            ModelPartMissingError: no such file.
        """
        if not path.is_file():
            raise ModelPartMissingError(f"{path} is missing; run the stage `tokenizer` first")
        self._model = sentencepiece.SentencePieceProcessor(model_file=str(path))
        self.pieces: list[str] = [
            self._model.id_to_piece(index) for index in range(self._model.get_piece_size())
        ]

    def encode(self, text: str) -> list[int]:
        """Ids of a normalised text."""
        ids: list[int] = self._model.encode(text)
        return ids
