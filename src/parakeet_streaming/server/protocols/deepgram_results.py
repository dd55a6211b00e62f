"""Events of one channel's session in; what a client of Deepgram's protocol is told of it, out.

Rules of this file:

1. Results that are final lie side by side: each begins where the last one ended. Their transcripts,
   joined by spaces, are the text of the session.
2. An utterance ends with a final result that has `speech_final`, with text or without, unless it
   ended because it was long: then speech goes on. Before that, words that cannot change any more
   are made final when there are some seconds of them, so that nobody waits for the end of a
   monologue, and what may change stays short.
3. `UtteranceEnd` comes when audio is decoded up to so long after the last word, and no word came
   in it: once for each word that is last.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from parakeet_streaming.engine.words import begins_word, ends_word, group_words, is_punctuation
from parakeet_streaming.results import Token, Word
from parakeet_streaming.server.session_events import Ended, Heard, Marked, SessionEvent, Started

_FINAL_AFTER_S: Final = 5.0
"""Of words in a result that is not final, when more of them cannot change."""


@dataclass(frozen=True, slots=True)
class Result:
    """Words of a stretch of audio."""

    start_s: float
    duration_s: float
    words: tuple[Word, ...]
    is_final: bool
    """Whether it cannot change any more."""
    speech_final: bool = False
    """Whether the utterance has ended."""
    from_finalize: bool = False
    """Whether that was asked for."""


@dataclass(frozen=True, slots=True)
class SpeechBegan:
    """Somebody speaks."""

    at_s: float


@dataclass(frozen=True, slots=True)
class UtteranceOver:
    """Nobody has said a word for long enough."""

    last_word_end_s: float


@dataclass(frozen=True, slots=True)
class Wish:
    """Not for the client: `Marked` with that marker is wanted when audio up to there is decoded."""

    marker: str
    at_s: float


Said = Result | SpeechBegan | UtteranceOver | Wish


class ChannelResults:
    """What is told of one channel."""

    def __init__(
        self,
        *,
        interim: bool,
        vad_events: bool,
        utterance_end_s: float | None,
        has_ends: bool,
    ) -> None:
        """`has_ends`: whether utterances end by silence."""
        self._interim, self._vad_events = interim, vad_events
        self._utterance_end_s, self._has_ends = utterance_end_s, has_ends
        self._cursor_s = 0.0
        """Up to which results are final."""
        self._tokens: list[Token] = []
        """Of the utterance, committed, and in no final result."""
        self._final = 0
        """Tokens of the utterance that are in final results."""
        self._last_s: float | None = None
        """The end of the last committed word, after which silence was not told."""
        self._is_speaking = False
        """Whether there are words after it that may change."""
        self._started = False
        self._is_over = False

    def take(self, event: SessionEvent) -> list[Said]:
        """What an event tells the client; often nothing."""
        match event:
            case Started():
                self._started = True
                return [SpeechBegan(event.at_s)] if self._vad_events else []
            case Heard():
                return list(self._heard(event))
            case Ended():
                return list(self._ended(event))
            case Marked():
                return list(self._marked(event.marker))
        return []

    def _heard(self, heard: Heard) -> Iterator[Said]:
        yield from self._said(heard.tokens)
        self._tokens += heard.tokens
        self._is_speaking = bool(heard.tentative_tokens)
        all_tokens = (*self._tokens, *heard.tentative_tokens)
        sure = _whole_words(self._tokens)
        if sure and self._tokens[sure - 1].end - self._tokens[0].start >= _FINAL_AFTER_S:
            words, self._tokens = group_words(self._tokens[:sure]), self._tokens[sure:]
            self._final += sure
            yield self._result(words, words[-1].end if words else self._cursor_s, is_final=True)
            all_tokens = all_tokens[sure:]
        if self._interim and all_tokens:
            words = group_words(all_tokens)
            yield self._result(words, heard.lookahead_end_s, is_final=False)
        if not self._has_ends and heard.tokens:
            yield from self._wish()
        elif not all_tokens:
            yield from self._silence(heard.committed_s)

    def _ended(self, ended: Ended) -> Iterator[Said]:
        words = group_words(ended.tokens[self._final :]) if self._final else ended.words
        asked = ended.reason in ("commit", "end")
        if words or self._final or self._started or asked:
            end_s = max(ended.end_s, self._cursor_s)
            goes_on = ended.reason == "max_length"
            yield self._result(
                words,
                end_s,
                is_final=True,
                speech_final=not goes_on,
                from_finalize=ended.reason == "commit",
            )
        self._tokens, self._final = [], 0
        self._started = self._is_speaking = False
        self._is_over = ended.reason == "end"
        if self._is_over:
            yield from self._silence(ended.end_s)
        else:
            yield from self._wish()

    def _said(self, tokens: Sequence[Token]) -> Iterator[UtteranceOver]:
        """Committed words; where they come in bursts, the silence between them is told by them."""
        for token in tokens:
            yield from self._silence(token.start)
            self._last_s = token.end

    def _silence(self, to_s: float) -> Iterator[UtteranceOver]:
        """There was no word since the last one, up to there."""
        last_s, wait_s = self._last_s, self._utterance_end_s
        if wait_s is not None and last_s is not None and to_s >= last_s + wait_s:
            self._last_s = None
            yield UtteranceOver(last_s)

    def _wish(self) -> Iterator[Wish]:
        """Wants to know when there has been silence for long enough."""
        if self._utterance_end_s is not None and self._last_s is not None:
            yield Wish(repr(self._last_s), self._last_s + self._utterance_end_s)

    def _marked(self, marker: str) -> Iterator[UtteranceOver]:
        # Others are of words that others have followed; at the end of the stream all come at once.
        if not (self._is_over or self._is_speaking) and marker == repr(self._last_s):
            yield from self._silence(math.inf)

    def _result(
        self,
        words: tuple[Word, ...],
        end_s: float,
        *,
        is_final: bool,
        speech_final: bool = False,
        from_finalize: bool = False,
    ) -> Result:
        start_s, end_s = self._cursor_s, max(end_s, self._cursor_s)
        if is_final:
            self._cursor_s = end_s
        return Result(start_s, end_s - start_s, words, is_final, speech_final, from_finalize)


def _whole_words(tokens: Sequence[Token]) -> int:
    """How many tokens come before the last word, which may go on."""
    for last in range(len(tokens) - 1, 0, -1):
        before, token = tokens[last - 1].text, tokens[last].text
        if is_punctuation(token):
            continue
        if begins_word(token) or (ends_word(before) and not is_punctuation(before)):
            return last
    return 0
