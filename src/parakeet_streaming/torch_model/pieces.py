"""The bytes of a sentencepiece model in; its pieces by id out, without the blank."""

from __future__ import annotations

from sentencepiece import SentencePieceProcessor

from parakeet_streaming.errors import ModelFormatError


def pieces_of(model: bytes, origin: str) -> tuple[str, ...]:
    """The pieces of a tokenizer, as `vocab.txt` lists them.

    Raises:
        ModelFormatError: no sentencepiece model.
    """
    broken = f"{origin} is no sentencepiece model; fetch the model again"
    if not model:
        raise ModelFormatError(broken)
    try:
        tokenizer = SentencePieceProcessor(model_proto=model)
    except (RuntimeError, ValueError) as error:
        raise ModelFormatError(f"{broken} ({error})") from error
    return tuple(tokenizer.id_to_piece(index) for index in range(tokenizer.get_piece_size()))
