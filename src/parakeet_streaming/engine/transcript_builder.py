"""Emissions of one stream, step by step, in; its tokens, partials, utterances and transcript out.

Rules of this file:

1. `as_partial` changes nothing; `keep` does, and cannot fail.
2. An utterance begins where the last one ended. A stream in which none is ended is one utterance.
   Words of all utterances together are the words of the transcript, and their texts, joined by
   spaces, its text.
3. No time of what is found at the end of the audio, or at a cut, lies after it, also where silence
   was added. What was told before is not told otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import Self

from parakeet_streaming.engine.emission_log import EmissionLog
from parakeet_streaming.engine.stream_state import AudioEnd, TranscriptState, UtteranceEnd
from parakeet_streaming.engine.words import TokenFormatter
from parakeet_streaming.ports import Emission
from parakeet_streaming.results import EndReason, Final, Partial, Token, Transcript
from parakeet_streaming.timeline import SAMPLE_RATE_HZ, samples_to_seconds


class TranscriptBuilder:
    """What one stream has recognised."""

    def __init__(self, formatter: TokenFormatter) -> None:
        self._audio_end: AudioEnd | None = None
        self._tentative: tuple[Token, ...] = ()
        self._formatter = formatter
        self._log = EmissionLog()
        self._last: Token | None = None
        self._utterance = 0
        self._utterance_from = 0
        self._before_utterance: Token | None = None
        self._ends: list[UtteranceEnd] = []

    @property
    def last(self) -> Token | None:
        """The last committed token."""
        return self._last

    def transcript(self, decoded_samples: int) -> Transcript:
        """Everything committed so far, written anew from the log at every call."""
        utterances: list[tuple[Token, ...]] = []
        first, before = 0, None
        # A thread that asks meanwhile finds an end no later than the emissions before it.
        present = UtteranceEnd(len(self._log), self._audio_end)
        for end in (*self._ends, present):
            said = self._utterance_tokens(first, before, end)
            utterances.append(said)
            first, before = end.emissions, said[-1] if said else before
        return self._formatter.transcript(utterances, self._seconds(decoded_samples))

    def as_partial(
        self,
        emissions: Sequence[Emission],
        lookahead: Sequence[Emission],
        committed_samples: int,
        lookahead_end_samples: int,
    ) -> Partial:
        """What a step emitted, in words."""
        if not (emissions or lookahead):
            committed_s = committed_samples / SAMPLE_RATE_HZ
            read_s = lookahead_end_samples / SAMPLE_RATE_HZ
            if (end := self._audio_end) is not None:
                committed_s, read_s = min(committed_s, end.at_s), min(read_s, end.at_s)
            return Partial("", (), "", (), committed_s, read_s)
        begin = len(self._log) == self._utterance_from
        formatter = self._formatter
        end_s = (
            self._end_s if self._reaches_end(samples_to_seconds(lookahead_end_samples)) else None
        )
        committed: tuple[Token, ...] = ()
        if emissions:
            committed = _within(formatter.tokens(emissions, self._last, begin=begin), end_s)
        last = committed[-1] if committed else self._last
        begin = begin and not committed
        tentative: tuple[Token, ...] = ()
        if lookahead:
            tentative = _within(formatter.tokens(lookahead, last, begin=begin), end_s)
        return Partial(
            text=formatter.text(committed),
            tokens=committed,
            tentative_text=formatter.text(tentative),
            tentative=tentative,
            committed_s=self._seconds(committed_samples),
            lookahead_end_s=self._seconds(lookahead_end_samples),
        )

    def keep(self, emissions: Sequence[Emission], partial: Partial) -> None:
        """Commits the emissions of which `as_partial` made that partial."""
        end = self._audio_end
        if end is not None and end.emissions is None and self._reaches_end(partial.lookahead_end_s):
            self._audio_end = replace(end, emissions=len(self._log))
        self._tentative = partial.tentative
        if partial.tokens:
            # Marks that came too late for their utterance are left out.
            self._log.extend(emissions[len(emissions) - len(partial.tokens) :])
            self._last = partial.tokens[-1]

    def ends_at(self, at_s: float) -> None:
        """The audio, or that of an utterance up to its `commit`, ends here; silence follows."""
        self._audio_end = AudioEnd(at_s)

    def end_utterance(self, reason: EndReason, decoded_samples: int, left: int = 0) -> Final:
        """What was committed since the last utterance ended, as an utterance of its own.

        Args:
            reason: why it ends.
            decoded_samples: where it ends.
            left: how many tokens belong to the next utterance.
        """
        end = UtteranceEnd(len(self._log) - left, self._audio_end)
        said = self._utterance_tokens(self._utterance_from, self._before_utterance, end)
        transcript = self._formatter.transcript([said], self._seconds(decoded_samples))
        final = Final(transcript, self._utterance, reason)
        self._utterance += 1
        self._utterance_from = end.emissions
        self._before_utterance = said[-1] if said else self._before_utterance
        self._ends.append(end)
        if reason == "commit":
            self._audio_end = None
        return final

    def state(self, *, earlier_utterances: bool = True) -> TranscriptState:
        """All of this as a value, without the tokens of utterances that have ended if so wished."""
        first = 0 if earlier_utterances else self._utterance_from
        end = self._audio_end
        if end is not None and end.emissions is not None:
            end = replace(end, emissions=end.emissions - first)
        return TranscriptState(
            self._log.columns(first),
            self._last,
            self._tentative,
            self._utterance,
            self._utterance_from - first,
            self._before_utterance,
            tuple(self._ends) if earlier_utterances else (),
            end,
        )

    @classmethod
    def of(cls, formatter: TokenFormatter, state: TranscriptState) -> Self:
        """The builder that a state was taken of."""
        builder = cls(formatter)
        builder._tentative = state.tentative
        builder._log = EmissionLog.of(state.emissions)
        builder._last = state.last
        builder._utterance = state.utterance
        builder._utterance_from = state.utterance_from
        builder._before_utterance = state.before_utterance
        builder._ends, builder._audio_end = list(state.ends), state.audio_end
        return builder

    @property
    def _end_s(self) -> float | None:
        return None if self._audio_end is None else self._audio_end.at_s

    def _reaches_end(self, read_s: float) -> bool:
        """Whether a step that read so far has read the end."""
        end = self._audio_end
        return end is not None and (end.emissions is not None or read_s >= end.at_s)

    def _seconds(self, position_samples: int) -> float:
        seconds, end = samples_to_seconds(position_samples), self._audio_end
        return seconds if end is None else min(seconds, end.at_s)

    def _utterance_tokens(
        self, first: int, before: Token | None, end: UtteranceEnd
    ) -> tuple[Token, ...]:
        """Tokens of the utterance that begins with that emission, after a token `before` it."""
        emissions = islice(self._log.since(first), max(0, end.emissions - first))
        tokens = self._formatter.tokens(emissions, before, begin=True)
        audio_end = end.audio_end
        if audio_end is None or audio_end.emissions is None:
            return tokens
        told = max(0, audio_end.emissions - first)
        return tokens[:told] + _within(tokens[told:], audio_end.at_s)


def _within(tokens: tuple[Token, ...], end_s: float | None) -> tuple[Token, ...]:
    if end_s is None:
        return tokens
    return tuple(
        replace(token, start=min(token.start, end_s), end=min(token.end, end_s)) for token in tokens
    )
