"""Emissions of one stream, step by step, in; its tokens, partials, utterances and transcript out.

Rules of this file:

1. `told` changes nothing; `keep` does, and cannot fail.
2. An utterance begins where the last one ended. A stream that is never told to end one is one.
3. No time lies behind the end of the audio where silence was added to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from parakeet_streaming.engine.emission_log import EmissionLog
from parakeet_streaming.engine.tdt import Emission
from parakeet_streaming.engine.words import TokenFormatter
from parakeet_streaming.results import EndReason, Final, Partial, Token, Transcript
from parakeet_streaming.timeline import samples_to_seconds


class TranscriptBuilder:
    """What one stream has recognised."""

    def __init__(self, scribe: TokenFormatter) -> None:
        self.audio_end_s: float | None = None
        """Where the audio ended, when silence was added behind it."""
        self.tentative: tuple[Token, ...] = ()
        """The last step's tentative tokens."""
        self._scribe = scribe
        self._log = EmissionLog()
        self._last: Token | None = None
        self._utterance = 0
        self._utterance_from = 0
        self._before_utterance: Token | None = None

    @property
    def tokens(self) -> tuple[Token, ...]:
        """Every token committed so far, written anew from the log at every call."""
        return self._within_audio(self._scribe.tokens(self._log, None))

    def transcript(self, decoded_samples: int) -> Transcript:
        """Everything committed so far."""
        return self._scribe.transcript(self.tokens, self._seconds(decoded_samples))

    def told(
        self,
        emissions: Sequence[Emission],
        tentative: Sequence[Emission],
        committed_samples: int,
        heard_samples: int,
    ) -> Partial:
        """What a step emitted, in words."""
        committed = self._within_audio(self._scribe.tokens(emissions, self._last))
        last = committed[-1] if committed else self._last
        ahead = self._within_audio(self._scribe.tokens(tentative, last))
        return Partial(
            text=self._scribe.text(committed),
            tokens=committed,
            tentative_text=self._scribe.text(ahead),
            tentative=ahead,
            committed_s=self._seconds(committed_samples),
            lookahead_end_s=self._seconds(heard_samples),
        )

    def keep(self, emissions: Sequence[Emission], partial: Partial) -> None:
        """Takes what `told` told."""
        self._log.extend(emissions)
        self._last = partial.tokens[-1] if partial.tokens else self._last
        self.tentative = partial.tentative

    def end_utterance(self, reason: EndReason, decoded_samples: int) -> Final:
        """What was committed since the last utterance ended, as an utterance of its own."""
        emissions = self._log.since(self._utterance_from)
        tokens = self._within_audio(self._scribe.tokens(emissions, self._before_utterance))
        transcript = self._scribe.transcript(tokens, self._seconds(decoded_samples))
        final = Final(transcript, self._utterance, reason)
        self._utterance += 1
        self._utterance_from = len(self._log)
        self._before_utterance = self._last
        return final

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
