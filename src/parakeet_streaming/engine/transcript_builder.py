"""Emissions of one stream, step by step, in; its tokens, partials, utterances and transcript out.

Rules of this file:

1. `as_partial` changes nothing; `keep` does, and cannot fail.
2. An utterance begins where the last one ended. A stream in which none is ended is one utterance.
3. No time lies after the end of the audio, also where silence was added to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from parakeet_streaming.engine.emission_log import EmissionColumns, EmissionLog
from parakeet_streaming.engine.words import TokenFormatter
from parakeet_streaming.ports import Emission
from parakeet_streaming.results import EndReason, Final, Partial, Token, Transcript
from parakeet_streaming.timeline import samples_to_seconds


@dataclass(frozen=True, slots=True)
class TranscriptState:
    """Between two chunks: what was recognised, and where its utterances end."""

    emissions: EmissionColumns
    last: Token | None
    """The last committed token, on which text and times of the next one depend."""
    tentative: tuple[Token, ...]
    utterance: int
    """Utterances that have ended."""
    utterance_from: int
    """Number of the first emission of the present utterance, in `emissions`."""
    before_utterance: Token | None
    """The last token before it."""
    audio_end_s: float | None


class TranscriptBuilder:
    """What one stream has recognised."""

    def __init__(self, formatter: TokenFormatter) -> None:
        self.audio_end_s: float | None = None
        """Where the audio ended, if silence was added to it."""
        self._tentative: tuple[Token, ...] = ()
        self._formatter = formatter
        self._log = EmissionLog()
        self._last: Token | None = None
        self._utterance = 0
        self._utterance_from = 0
        self._before_utterance: Token | None = None

    @property
    def tokens(self) -> tuple[Token, ...]:
        """Every token committed so far, written anew from the log at every call."""
        return self._within_audio(self._formatter.tokens(self._log, None))

    def transcript(self, decoded_samples: int) -> Transcript:
        """Everything committed so far."""
        return self._formatter.transcript(self.tokens, self._seconds(decoded_samples))

    def as_partial(
        self,
        emissions: Sequence[Emission],
        lookahead: Sequence[Emission],
        committed_samples: int,
        lookahead_end_samples: int,
    ) -> Partial:
        """What a step emitted, in words."""
        committed = self._within_audio(self._formatter.tokens(emissions, self._last))
        last = committed[-1] if committed else self._last
        tentative = self._within_audio(self._formatter.tokens(lookahead, last))
        return Partial(
            text=self._formatter.text(committed),
            tokens=committed,
            tentative_text=self._formatter.text(tentative),
            tentative=tentative,
            committed_s=self._seconds(committed_samples),
            lookahead_end_s=self._seconds(lookahead_end_samples),
        )

    def keep(self, emissions: Sequence[Emission], partial: Partial) -> None:
        """Commits the emissions of which `as_partial` made that partial."""
        self._log.extend(emissions)
        self._last = partial.tokens[-1] if partial.tokens else self._last
        self._tentative = partial.tentative

    def end_utterance(self, reason: EndReason, decoded_samples: int) -> Final:
        """What was committed since the last utterance ended, as an utterance of its own."""
        emissions = self._log.since(self._utterance_from)
        tokens = self._within_audio(self._formatter.tokens(emissions, self._before_utterance))
        transcript = self._formatter.transcript(tokens, self._seconds(decoded_samples))
        final = Final(transcript, self._utterance, reason)
        self._utterance += 1
        self._utterance_from = len(self._log)
        self._before_utterance = self._last
        return final

    def state(self, *, earlier_utterances: bool = True) -> TranscriptState:
        """All of this as a value, without the tokens of utterances that have ended if so wished."""
        first = 0 if earlier_utterances else self._utterance_from
        return TranscriptState(
            self._log.columns(first),
            self._last,
            self._tentative,
            self._utterance,
            self._utterance_from - first,
            self._before_utterance,
            self.audio_end_s,
        )

    @classmethod
    def of(cls, formatter: TokenFormatter, state: TranscriptState) -> Self:
        """The builder that a state was taken of."""
        builder = cls(formatter)
        builder.audio_end_s = state.audio_end_s
        builder._tentative = state.tentative
        builder._log = EmissionLog.of(state.emissions)
        builder._last = state.last
        builder._utterance = state.utterance
        builder._utterance_from = state.utterance_from
        builder._before_utterance = state.before_utterance
        return builder

    def _seconds(self, position_samples: int) -> float:
        seconds = samples_to_seconds(position_samples)
        return seconds if self.audio_end_s is None else min(seconds, self.audio_end_s)

    def _within_audio(self, tokens: tuple[Token, ...]) -> tuple[Token, ...]:
        end_s = self.audio_end_s
        if end_s is None:
            return tokens
        return tuple(
            replace(token, start=min(token.start, end_s), end=min(token.end, end_s))
            for token in tokens
        )
