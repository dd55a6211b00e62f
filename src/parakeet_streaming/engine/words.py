"""Emissions in; tokens with text and times, words, segments and transcripts out.

Rules of this file (NVIDIA NeMo's `_refine_timestamps_tdt`, `get_words_offsets` and
`get_segment_offsets`):

1. A token lasts from its frame to its frame plus its duration. RNN-T has no durations: one frame.
2. A punctuation mark that is not first starts and ends where the token before it ends, because
   marks are often emitted long after the word they belong to.
3. A space starts a word, wherever in a piece it stands: mostly before its text, but some
   tokenizers have it after the text, or inside. The parts of a piece share its time equally.
   Punctuation belongs to the word before it, with no space between them, and stretches its end.
4. A segment ends after `.`, `?` or `!`, and before a gap of `gap_s` where that is asked for.
   (NeMo looks for marks or for gaps; here a gap never hides a mark.)
5. What a token adds to the text depends on the token before it, never on one after it: text is
   append-only. So a character of several byte pieces comes with the last of them, and bytes that
   are no character become U+FFFD with the token that shows it.
6. With an utterance a word begins, whatever its piece says, and no word goes on in the next one.
   A mark that closes a sentence belongs to the utterance before, and is left out where that has
   ended.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final, Literal, Protocol

from parakeet_streaming.ports import Emission
from parakeet_streaming.results import Segment, Token, Transcript, Word
from parakeet_streaming.timeline import frames_to_seconds

WordConfidence = Literal["min", "mean"]

_SENTENCE_ENDS: Final = (".", "?", "!")
_CLOSING: Final = frozenset(".,?!;:…。，？！、；：؟،؛।॥·")
_SPACES: Final = (" ", "\n", "\r", "\t")
# A word with the spaces before it, and at the token's end with those after it.
_TEXT_OF_A_WORD: Final = re.compile(r"[ \n\r\t]*[^ \n\r\t]+(?:[ \n\r\t]+$)?")
_KNOWN_TEXTS: Final = 16_384
"""Of tokens: a vocabulary has fewer."""
_NO_CHARACTER: Final = "each byte that is no character"


class Pieces(Protocol):
    """A vocabulary, as far as words need it.

    One with byte pieces also has `bytes_of`: a token id to its bytes, None for other pieces.
    """

    @property
    def size(self) -> int:
        """How many pieces there are; token ids are below it."""
        ...

    def text_of(self, token_id: int) -> str:
        """Text of a piece, with a leading space where it starts a word."""
        ...


@lru_cache(maxsize=_KNOWN_TEXTS)
def is_punctuation(text: str) -> bool:
    """Whether a token's text is one punctuation mark and nothing else."""
    mark = text.lstrip(" ")
    return len(mark) == 1 and unicodedata.category(mark).startswith("P")


@lru_cache(maxsize=_KNOWN_TEXTS)
def is_closing_mark(text: str) -> bool:
    """Whether a token's text is one mark that closes a sentence, a part of it, or a bracket."""
    mark = text.lstrip(" ")
    return mark in _CLOSING or (len(mark) == 1 and unicodedata.category(mark) in ("Pe", "Pf"))


def begins_word(text: str) -> bool:
    """Whether a token's text says that a word begins with it."""
    return text.startswith(_SPACES)


def ends_word(text: str) -> bool:
    """Whether a token's text says that its word ends with it."""
    return text.endswith(_SPACES) and bool(text.strip())


def text_of(tokens: Iterable[Token]) -> str:
    """The text that tokens add to a transcript."""
    return "".join([token.text for token in tokens])


def group_words(tokens: Iterable[Token], confidence: WordConfidence = "min") -> tuple[Word, ...]:
    """Words of a whole stretch of tokens, in order."""
    words = (_word(group, confidence) for group in word_groups(tokens))
    return tuple(word for word in words if word.text)


def word_groups(tokens: Iterable[Token]) -> list[list[Token]]:
    """The tokens of each word, in order; a token of several words is divided."""
    groups: list[list[Token]] = []
    closed = True
    for token in tokens:
        for part in _parts(token):
            mark = is_punctuation(part.text)
            if not groups or (not mark and (closed or begins_word(part.text))):
                groups.append([part])
            else:
                groups[-1].append(part)
            closed = not mark and ends_word(part.text)
    return groups


def word_text(tokens: Iterable[Token]) -> str:
    """The text of a word that is those tokens."""
    return "".join(token.text.strip("".join(_SPACES)) for token in tokens).strip()


def _parts(token: Token) -> list[Token]:
    """The token, or, where it has text of several words, one for each."""
    texts = _TEXT_OF_A_WORD.findall(token.text)
    if len(texts) < 2:
        return [token]
    lasts = (token.end - token.start) / len(texts)
    edges = [round(token.start + lasts * at, 6) for at in range(len(texts))]
    return [
        replace(token, text=text, start=start, end=end, spoken="" if at else token.spoken)
        for at, (text, start, end) in enumerate(
            zip(texts, edges, [*edges[1:], token.end], strict=True)
        )
    ]


def group_segments(words: Sequence[Word], gap_s: float | None = None) -> tuple[Segment, ...]:
    """Segments of a whole stretch of words, in order."""
    segments: list[Segment] = []
    open_words: list[Word] = []
    for word in words:
        if open_words and gap_s is not None and _gap_s(open_words[-1], word) >= gap_s:
            segments.append(_segment(open_words))
            open_words = []
        open_words.append(word)
        if word.text.endswith(_SENTENCE_ENDS):
            segments.append(_segment(open_words))
            open_words = []
    if open_words:
        segments.append(_segment(open_words))
    return tuple(segments)


def _gap_s(before: Word, after: Word) -> float:
    # Rounded as times are, so that a gap of exactly so many frames counts as that long.
    return round(after.start - before.end, 6)


def _word(tokens: Sequence[Token], confidence: WordConfidence) -> Word:
    sure = [token.confidence for token in tokens]
    return Word(
        text=word_text(tokens),
        start=tokens[0].start,
        end=tokens[-1].end,
        confidence=min(sure) if confidence == "min" else sum(sure) / len(sure),
        recovered=any(token.recovered for token in tokens),
        boosted=any(token.boosted for token in tokens),
        spoken=_spoken(tokens),
    )


def _spoken(tokens: Sequence[Token]) -> str:
    """What was said, where that is not what is written."""
    if not any(token.spoken for token in tokens):
        return ""
    return "".join(token.spoken or token.text for token in tokens).strip()


def _segment(words: Sequence[Word]) -> Segment:
    text = " ".join(word.text for word in words)
    return Segment(text, words[0].start, words[-1].end, tuple(words))


class TokenFormatter:
    """Writes tokens and transcripts for one vocabulary with one set of choices."""

    def __init__(
        self,
        pieces: Pieces,
        *,
        has_durations: bool,
        confidence: WordConfidence = "min",
        gap_s: float | None = None,
    ) -> None:
        self._pieces = pieces
        self._bytes_of: Callable[[int], bytes | None] = getattr(pieces, "bytes_of", _no_bytes)
        self._has_durations = has_durations
        self._confidence = confidence
        self._gap_s = gap_s

    def tokens(
        self, emissions: Iterable[Emission], previous: Token | None, *, begin: bool = False
    ) -> tuple[Token, ...]:
        """Tokens of emissions that follow `previous` (None at the start of a stream).

        Where they `begin` an utterance that is not the first, closing marks are left out as long as
        no other token has come.
        """
        tokens: list[Token] = []
        for emission in emissions:
            token = self._token(emission, None if begin else previous)
            if begin and previous is not None:
                if is_closing_mark(token.text):
                    continue
                if not previous.text.endswith(_SPACES):
                    token = replace(token, text=f" {token.text}")
            tokens.append(token)
            previous, begin = token, False
        return tuple(tokens)

    def text(self, tokens: Iterable[Token]) -> str:
        """What tokens add to a transcript."""
        return text_of(tokens)

    def transcript(self, utterances: Iterable[Sequence[Token]], audio_s: float) -> Transcript:
        """The transcript of all tokens, by utterance, of a stream of `audio_s` seconds."""
        tokens: list[Token] = []
        words: list[Word] = []
        for said in utterances:
            tokens += said
            words += group_words(said, self._confidence)
        return Transcript(
            text=text_of(tokens).strip(),
            tokens=tuple(tokens),
            words=tuple(words),
            segments=group_segments(words, self._gap_s),
            audio_s=audio_s,
        )

    def _token(self, emission: Emission, previous: Token | None) -> Token:
        text, unfinished = self._written(emission.token_id, previous)
        lasts = emission.duration_frames if self._has_durations else 1
        start = frames_to_seconds(emission.frame)
        end = frames_to_seconds(emission.frame + lasts)
        if previous is None:
            text = text.lstrip(" ")
        elif is_punctuation(text):
            text = text.lstrip(" ")
            if self._has_durations:
                start = end = previous.end
        return Token(
            emission.token_id,
            text,
            emission.frame,
            emission.duration_frames,
            start,
            end,
            emission.confidence,
            emission.recovered,
            unfinished,
            emission.boosted,
        )

    def _written(self, token_id: int, previous: Token | None) -> tuple[str, str]:
        """What a piece adds to the text, and the bytes of a character that are still to come."""
        before = bytes.fromhex(previous.unfinished) if previous and previous.unfinished else b""
        raw = self._bytes_of(token_id)
        if raw is None:
            return "\ufffd" * len(before) + self._pieces.text_of(token_id), ""
        decoder = codecs.getincrementaldecoder("utf-8")(_NO_CHARACTER)
        text = decoder.decode(before + raw)
        return text, decoder.getstate()[0].hex()


def _no_bytes(_: int) -> None:
    return None


def _replaced(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "\ufffd" * (error.end - error.start), error.end


codecs.register_error(_NO_CHARACTER, _replaced)
