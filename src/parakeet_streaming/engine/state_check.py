"""A stream's state in; what is wrong with it, if no stream can have it, out.

A state that was read from a snapshot is data from outside. Here its values are checked against each
other, so that neither a crash nor a shared step can come of them. What voice activity and endpoints
add is checked in `live/resuming.py`.
"""

from __future__ import annotations

import re
from dataclasses import fields
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.engine.stream_state import EmissionColumns, StreamState
from parakeet_streaming.errors import SnapshotError
from parakeet_streaming.results import Token
from parakeet_streaming.timeline import (
    FRAME_SAMPLES,
    MAX_CONTEXT_S,
    SAMPLE_RATE_HZ,
    frames_to_samples,
    samples_to_seconds,
    seconds_to_samples,
)

_MOST_REACH: Final = seconds_to_samples(2 * MAX_CONTEXT_S)
"""Samples before the next chunk that a window can reach: left context and one chunk."""
_MOST_TAIL: Final = seconds_to_samples(2.0)
"""Samples that can stand for the audio after a cut."""
_UNFINISHED: Final = re.compile("([0-9a-f]{2}){0,3}")
"""Bytes of a character that lacks one at least."""


def check_state(state: StreamState, token_count: int, longest_duration: int) -> None:
    """Refuses values that no stream can have.

    Args:
        state: of a stream that goes on.
        token_count: pieces of the vocabulary; ids from here on are refused, but for the blank.
        longest_duration: frames that a token or a blank can skip at most.

    Raises:
        SnapshotError: there is such a value.
    """
    decoder, transcript, options = state.decoder, state.transcript, state.options
    emissions = transcript.emissions
    wrong = [
        *_wrong_in_window(state),
        *_wrong_in_emissions(emissions, token_count, decoder.decoded_frames),
    ]
    tokens = (transcript.last, transcript.before_utterance, *transcript.tentative)
    checks = {
        "skipped frames": 0 <= decoder.frames_to_skip <= longest_duration,
        "token": 0 <= decoder.last_token <= token_count,
        "stall": 0 <= state.stall_from <= decoder.decoded_frames + max(1, longest_duration),
        "right context": _is_sound_ahead(state, token_count, longest_duration),
        "past": state.past is None or options.cached,
        "text": all(_is_sound(token, token_count) for token in tokens if token is not None),
        "utterance": transcript.utterance >= 0,
        "utterance's start": 0 <= transcript.utterance_from <= len(emissions.token_ids),
        "ends of utterances": _are_sound_ends(state),
        "resampler": _is_sound_resampler(state),
        "changes": all(each.position >= 0 for each in state.changes) and state.changed_at >= -1,
    }
    wrong += [name for name, right in checks.items() if not right]
    if wrong:
        raise SnapshotError(f"this snapshot has impossible values: {', '.join(wrong)}")


def _wrong_in_window(state: StreamState) -> list[str]:
    window, decoder, end = state.window, state.decoder, state.audio_end
    samples, kept_from, decoded = window.samples, window.kept_from, window.decoded_samples
    fed, tail, cut_at = kept_from + samples.size, window.cut_tail, window.cut_at
    seen_to = window.flush_seen_to
    checks = {
        "samples": samples.ndim == 1,
        "positions": 0 <= kept_from <= decoded <= kept_from + _MOST_REACH,
        "reach": kept_from <= window.reach_from <= decoded,
        "beginning": 0 <= window.begun_at <= decoded,
        "flush": 0 <= window.flush_to <= seen_to <= kept_from + _MOST_REACH,
        "cut": cut_at is None or kept_from <= cut_at <= kept_from + _MOST_REACH,
        "cut's end": cut_at is None or decoded < cut_at + tail.size,
        "tail": tail.ndim == 1 and tail.size <= _MOST_TAIL,
        # After a cut frames lie up to one frame before their number.
        "frames": 0 <= frames_to_samples(decoder.decoded_frames) - decoded < FRAME_SAMPLES,
        "ended": window.audio_end == end and not state.closed,
        "audio end": end is None or (0 <= end <= fed and fed >= max(decoded, seen_to, cut_at or 0)),
    }
    return [name for name, right in checks.items() if not right]


def _is_sound_ahead(state: StreamState, token_count: int, longest_duration: int) -> bool:
    """Whether what was found in the right context lies behind the chunk, in order."""
    ahead, before = state.ahead, state.decoder
    if ahead is None:
        return True
    decoder = ahead.decoder
    first, end = before.decoded_frames, decoder.decoded_frames
    at = [first, *(each.frame for each in ahead.emissions), end - 1]
    return (
        0 < end - first <= _MOST_REACH // FRAME_SAMPLES
        and 0 <= decoder.frames_to_skip <= longest_duration
        and 0 <= decoder.last_token <= token_count
        and all(one <= other for one, other in pairwise(at))
        and all(
            0 <= each.token_id < token_count
            and each.duration_frames >= 0
            and 0 <= each.confidence <= 1
            for each in ahead.emissions
        )
    )


def _are_sound_ends(state: StreamState) -> bool:
    """Whether utterances end in order, and times where the audio ends or is cut."""
    transcript, window = state.transcript, state.window
    present = transcript.audio_end
    known = {
        None if at is None else samples_to_seconds(at) for at in (state.audio_end, window.cut_at)
    }
    emissions = transcript.emissions
    count = len(emissions.token_ids)
    ends = [0, *(end.emissions for end in transcript.ends), count]
    audio_ends = [*(end.audio_end for end in transcript.ends), present]
    return (
        all(first <= last for first, last in pairwise(ends))
        and (present is None or present.at_s in known)
        and all(
            each is None or (each.at_s >= 0 and 0 <= (each.emissions or 0) <= count)
            for each in audio_ends
        )
    )


def _wrong_in_emissions(emissions: EmissionColumns, token_count: int, frames: int) -> list[str]:
    columns = [getattr(emissions, each.name) for each in fields(emissions)]
    if len({column.shape for column in columns}) != 1 or columns[0].ndim != 1:
        return ["emissions"]
    checks = {
        "tokens": _within(emissions.token_ids, 0, token_count - 1),
        "times": _within(emissions.frames, 0, frames - 1 + _MOST_TAIL // FRAME_SAMPLES),
        "durations": _within(emissions.durations_frames, 0, np.inf),
        "confidences": _within(emissions.confidences, 0, 1),
        "recovered": _within(emissions.recovered, 0, 1),
        "boosted": _within(emissions.boosted, 0, 1),
    }
    return [name for name, right in checks.items() if not right]


def _within(values: NDArray[Any], least: float, most: float) -> bool:
    return not values.size or bool(least <= values.min() <= values.max() <= most)


def _is_sound(token: Token, token_count: int) -> bool:
    return (
        0 <= token.id < token_count
        and token.start_frame >= 0
        and token.duration_frames >= 0
        and 0 <= token.start <= token.end
        and 0 <= token.confidence <= 1
        and _UNFINISHED.fullmatch(token.unfinished) is not None
    )


def _is_sound_resampler(state: StreamState) -> bool:
    resampler, context = state.resampler, state.context
    if resampler is None:
        return True
    samples, rate_hz = resampler.samples, context.sample_rate
    most = -(-samples.size * SAMPLE_RATE_HZ // rate_hz)
    return rate_hz != SAMPLE_RATE_HZ and samples.ndim == 1 and 0 <= resampler.produced <= most
