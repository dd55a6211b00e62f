"""Bytes in; a transcript as the decoder and the words make it, of any pieces and times, out."""

from __future__ import annotations

from collections.abc import Iterator

from fuzz.choices import Choices
from parakeet_streaming.catalog.vocabulary import Vocabulary
from parakeet_streaming.engine.words import TokenFormatter
from parakeet_streaming.ports import Emission
from parakeet_streaming.results import Transcript

MOST_PIECES = 12
MOST_TOKENS = 30


def heard(data: bytes) -> Transcript:
    """What was recognised; frames never go back, as no decoder's do."""
    choices = Choices(data)
    pieces = [choices.plain_text(40) for _ in range(choices.number(1, MOST_PIECES))]
    vocabulary = Vocabulary((*(piece or "a" for piece in pieces), "<blk>"), len(pieces))
    formatter = TokenFormatter(
        vocabulary,
        has_durations=choices.flag(),
        confidence=choices.one_of(("min", "mean")),
        gap_s=choices.one_of((None, 0.5)),
    )
    frame, emissions = 0, []
    for _ in choices.times(MOST_TOKENS):
        frame += choices.number(0, 255) if choices.number(0, 7) == 0 else choices.number(0, 3)
        duration = choices.number(0, 4)
        token_id = choices.number(0, len(pieces) - 1)
        emissions.append(Emission(token_id, frame, duration, choices.number(0, 255) / 255))
        frame += duration
    audio_s = (frame + choices.number(0, 20)) * 0.08
    tokens = formatter.tokens(emissions, None)
    border = choices.number(0, len(tokens))
    return formatter.transcript([tokens[:border], tokens[border:]], audio_s)


def speech() -> Iterator[bytes]:
    """Seeds for `heard`."""
    for pieces in (
        ("▁the", "▁end", ".", "s"),
        ("<0xC3>", "<0xA9>", "▁", "▁a"),
        ("中文", "。", "あ", "ー", "「"),
        ("▁R&B", "▁<i>", "▁-->", "a b c", "\n"),
        ("x" * 40, "▁", ",", "é"),
    ):
        yield _written(pieces)


def _written(pieces: tuple[str, ...]) -> bytes:
    listed = [piece.encode() for piece in pieces]
    head = bytes([len(listed) - 1]) + b"".join(bytes([len(each)]) + each for each in listed)
    tokens = (bytes((1, at % 3, at % 5, at % len(listed), 200)) for at in range(25))
    return head + b"\1\0\0" + b"".join(tokens)
