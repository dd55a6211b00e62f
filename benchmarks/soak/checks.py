"""The record of a live stream in; every promise that it broke out, in words.

Rules of this file:

1. Every stream, adapted or not, must have given the tokens that its audio gives when it is cut in
   the same places, alone. One that ended early must have given the beginning of them.
2. A stream whose chunk borders nothing could move, by load, an end of utterance or a commit, must
   have given the tokens of the same audio without anything live; with voice activity, those of a
   live engine of its own.
3. All audio of a stream that was finished is decoded, or skipped as quiet, and skipped only where
   voice activity is asked for. What was refused is reported as gaps of just that length.
4. Only a consumer's own error ends a stream, and only its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.soak.callers import ConsumerError
from benchmarks.soak.cuts import TokenKey, decoded_alone, keys_of, skipped
from benchmarks.soak.records import CallRecord
from benchmarks.speech.book import looped
from parakeet_streaming import LiveEngine, Partial, Recognizer
from parakeet_streaming.live.intake import TAIL_S
from parakeet_streaming.ports import VoiceActivity
from parakeet_streaming.timeline import samples_to_seconds

_ALL_AT_ONCE_S: Final = 3_600.0


@dataclass(frozen=True)
class Checker:
    """What decodes the audio again."""

    recognizer: Recognizer
    vad: VoiceActivity
    book: NDArray[np.float32]

    def broken(self, record: CallRecord) -> list[str]:
        """What the stream broke; nothing where all is well."""
        found = [*_end_of(record), *_losses(record)]
        audio = record.timeline(self.book)
        try:
            holes = skipped(record.cuts)
            alone = decoded_alone(self.recognizer, audio, record.cuts)
        except AssertionError as error:
            return [*found, f"it was cut as no stream can be: {error}"]
        if holes and record.plan.options.vad is None and not record.refused:
            found.append(f"nothing was decoded at {holes}, without voice activity")
        found += _compared("cut the same way, alone", alone, record, whole=record.was_read)
        if is_unmoved(record):
            by_itself = self._by_itself(record, audio)
            found += _compared("all by itself", by_itself, record, whole=True)
        if record.outcome == "finished":
            missing_s = samples_to_seconds(len(audio)) - record.audio_s
            if abs(missing_s) > 1e-3:
                found.append(f"{missing_s:.3f} s of its audio were not decoded")
        return found

    def _by_itself(self, record: CallRecord, audio: NDArray[np.float32]) -> list[TokenKey]:
        options = record.plan.options
        pushed = [looped(self.book, start, count) for start, count in record.pushed]
        if options.vad is None:
            stream = self.recognizer.stream(options.delay.context, tentative=False)
            for samples in pushed:
                stream.push(samples)
            stream.end(TAIL_S)
            stream.finish()
            return keys_of(stream.transcript().tokens)
        with LiveEngine(self.recognizer, self.vad, most_ring_s=_ALL_AT_ONCE_S) as engine:
            live = engine.open(options)
            for samples in pushed:
                live.push(samples)
            live.finish()
            tokens = [event.tokens for event in live if isinstance(event, Partial)]
        return keys_of([token for each in tokens for token in each])


def is_unmoved(record: CallRecord) -> bool:
    """Whether nothing could move the borders of its chunks."""
    delay, endpoint = record.plan.options.delay, record.plan.options.endpoint
    fixed = delay.longest_chunk == delay.context.chunk
    whole = record.outcome == "finished" and record.was_read and not record.refused
    return fixed and endpoint is None and not record.committed and whole


def _compared(how: str, wanted: list[TokenKey], record: CallRecord, *, whole: bool) -> list[str]:
    given = record.tokens
    if given == (wanted if whole else wanted[: len(given)]):
        return []
    pairs = zip(given, wanted, strict=False)
    first = next((at for at, (one, other) in enumerate(pairs) if one != other), None)
    at = min(len(given), len(wanted)) if first is None else first
    return [
        f"{how} it has {len(wanted)} tokens, live it gave {len(given)}; from token {at} on "
        f"{wanted[at : at + 3]} and {given[at : at + 3]}"
    ]


def _end_of(record: CallRecord) -> list[str]:
    plan, found = record.plan, []
    if record.outcome == "stuck":
        return ["it did not end, or its reader waits in vain"]
    if plan.reading == "raising callback" and record.events >= plan.breaks_at:
        if record.outcome is not None and not (
            record.outcome == "failed" and isinstance(record.error, ConsumerError)
        ):
            found.append(f"its consumer raised, and it ended as {record.outcome}, {record.error!r}")
    elif record.error is not None or record.outcome == "failed":
        found.append(f"it failed: {record.error!r}")
    return found


def _losses(record: CallRecord) -> list[str]:
    if not record.was_read:
        return []
    found = []
    if record.final_tokens != record.tokens:
        found.append(
            f"partials have {len(record.tokens)} tokens, finals {len(record.final_tokens)}"
        )
    if record.reasons[-1:] != ["end"]:
        found.append(f"its last utterance ended by {record.reasons[-1:]}")
    if record.outcome == "finished" and record.gap_samples != record.refused:
        found.append(f"{record.refused} samples were refused, gaps report {record.gap_samples}")
    return found
