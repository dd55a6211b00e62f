"""A snapshot and the options to go on with in; the state that a live stream resumes from, out.

Rules of this file:

1. A snapshot is data from outside. `engine/snapshot.py` checks the stream's own values; here are
   the checks of what live streams add.
2. A stream goes on with the left and right context, the cache, the voice activity and the endpoints
   that it had. Its chunk may change, as it may under load.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final, Literal

from parakeet_streaming.audio.resample import fed_again
from parakeet_streaming.engine.activity import SpeechDetector
from parakeet_streaming.engine.endpoint import Endpointer
from parakeet_streaming.engine.room_noise import ROOM_SIZE
from parakeet_streaming.engine.snapshot import SnapshotCodec
from parakeet_streaming.engine.stream_state import (
    ActivityState,
    DetectorState,
    Endpoint,
    EndpointerState,
    Resumed,
    StreamState,
)
from parakeet_streaming.engine.utterance import Utterance
from parakeet_streaming.errors import OptionError, SnapshotError
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.live.phrase_changes import PhraseChanges
from parakeet_streaming.live.speech import GAP
from parakeet_streaming.ports import VoiceActivity
from parakeet_streaming.results import FilterStart
from parakeet_streaming.timeline import SAMPLE_RATE_HZ, seconds_to_samples

_LOUDEST: Final = 1_000.0
_LONGEST_GAP_S: Final = 3_600.0
"""A gap of which more is left is no gap that a stream was in."""


def read_state(
    codec: SnapshotCodec, data: bytes, options: LiveOptions, vad: VoiceActivity | None
) -> StreamState:
    """The state that a snapshot holds, if these options can continue it.

    Raises:
        OptionError: the options are not those of the stream.
        SnapshotError: no snapshot that a live stream can resume from.
    """
    state = codec.decode(data, vad)
    if state.audio_end is not None:
        raise SnapshotError("this stream had ended when the snapshot was made; open a new one")
    _check_options(state, options)
    if state.activity is not None:
        _check_activity(state, state.activity, vad)
        _check_choices(state.activity, options)
    return state


def with_changes(state: StreamState, changes: PhraseChanges, *, audio: bool) -> StreamState:
    """The state with what is said of phrases; without `audio`, but for what comes with it again."""
    waiting = changes.state()
    state = replace(state, changes=waiting, changed_at=changes.made_at)
    if audio:
        return state
    # With audio that is pushed again comes what was said in it.
    first = start_of(state)
    return replace(state, changes=tuple(each for each in waiting if each.position < first))


def start_of(state: StreamState | None) -> int:
    """Position of the first sample that a stream needs: a gap it was in is silence to its end."""
    if state is None:
        return 0
    fed = state.fed_samples
    activity = state.activity
    gaps = () if activity is None else activity.gaps
    return max(fed, gaps[-1][1]) if gaps and gaps[-1][0] <= fed else fed


def resumed_as(
    state: StreamState | None, rate_hz: int, filters: Sequence[FilterStart]
) -> Resumed | Literal[""]:
    """How a stream goes on; a resampler begins anew, unless it is known where it began."""
    if state is None:
        return ""
    if rate_hz == SAMPLE_RATE_HZ:
        return state.resumed
    again = fed_again(filters[0], start_of(state), rate_hz) if filters else None
    return state.resumed if again is not None and again.exact else "warm"


def detector_of(
    options: LiveOptions, state: StreamState | None, vad: VoiceActivity | None
) -> SpeechDetector | None:
    """The detector of a stream that goes on, or of a new one; None where nothing is judged."""
    if options.vad is None or vad is None:
        return None
    activity = None if state is None else state.activity
    if activity is not None and activity.detector is not None:
        return SpeechDetector.of(activity.detector)
    detector = SpeechDetector(options.vad, vad.frame_samples)
    if state is not None:
        window = state.window
        detector.skip_to(window.decoded_samples)
    return detector


def endpointer_of(options: LiveOptions, activity: ActivityState | None) -> Endpointer | None:
    """The endpointer of a stream that goes on, or of a new one; None for one utterance."""
    if options.endpoint is None:
        return None
    if activity is not None and activity.endpointer is not None:
        return Endpointer.of(activity.endpointer)
    return Endpointer(options.endpoint)


def _check_options(state: StreamState, options: LiveOptions) -> None:
    options_before, before, now = state.options, state.context, options.context
    cached = options_before.cached
    if (before.left, before.right, cached) != (now.left, now.right, options.cached):
        raise OptionError(
            f"the snapshot is of a stream of {before}{' cached' * cached}; resume it with its left "
            f"and right context, not with {now}{' cached' * options.cached}"
        )


def _check_choices(activity: ActivityState, options: LiveOptions) -> None:
    judged, ended = activity.detector is not None, activity.endpointer is not None
    if (judged, ended) != (options.vad is not None, options.endpoint is not None):
        raise OptionError(
            f"the snapshot is of a stream {'with' if judged else 'without'} voice activity and "
            f"{'with' if ended else 'without'} endpoints; resume it in the same way"
        )


def _check_activity(state: StreamState, activity: ActivityState, vad: VoiceActivity | None) -> None:
    """Refuses what no live stream can know; its positions are those of its audio and its gaps."""
    detector, endpointer, endpoint = activity.detector, activity.endpointer, activity.endpoint
    window, room = state.window, activity.gap_room
    longest = state.fed_samples + seconds_to_samples(_LONGEST_GAP_S)
    checks = {
        "frames": detector is None or vad is None or detector.frame_samples == vad.frame_samples,
        "judged": detector is None or window.kept_from <= detector.known_to <= longest,
        "voice": detector is None or _is_sound_detector(detector),
        "heard": detector is None or _is_sound_hearing(detector, activity, longest),
        "gaps": _in_order([0, *_ends(activity.gaps), longest]),
        "room": len(room) in (0, ROOM_SIZE) and all(0 <= each <= _LOUDEST for each in room),
        "speech": activity.speech_samples >= 0,
        "utterance": endpointer is None or _is_sound_endpointer(endpointer, state, longest),
        "endpoint": endpoint is None or _is_sound_endpoint(endpoint, state, longest),
    }
    wrong = [name for name, right in checks.items() if not right]
    if wrong:
        raise SnapshotError(f"this snapshot has impossible values: {', '.join(wrong)}")


def _is_sound_detector(detector: DetectorState) -> bool:
    known_to, silence_from = detector.known_to, detector.silence_from
    return (
        not detector.finished
        and 0 <= detector.onset <= known_to
        and 0 <= detector.voiced <= known_to
        and 0 <= (0 if silence_from is None else silence_from) <= known_to
        and detector.remembered_from >= 0
        and _in_order([0, *_ends(detector.runs), known_to])
    )


def _is_sound_endpointer(endpointer: EndpointerState, state: StreamState, longest: int) -> bool:
    said, transcript = endpointer.said, state.transcript
    positions = (
        endpointer.known_to,
        endpointer.silence_from,
        endpointer.committed_to,
        endpointer.decoded_to,
        endpointer.tentative_to,
        endpointer.tentative_end,
        said.begin,
        said.text_to,
        said.last_word_at,
        *(at for pause in said.pauses for at in (pause.shown_at, pause.next_at)),
    )
    emissions = transcript.emissions
    known = len(emissions.token_ids) - transcript.utterance_from
    words = [0, *(pause.tokens for pause in said.pauses), said.last_word, said.tokens, known]
    return (
        all(each is None or 0 <= each <= longest for each in positions)
        and _in_order(words)
        and (said.text_to is None) == (said.last_word_at is None)
        and (said.last_word_at is not None or not said.last_word)
    )


def _is_sound_endpoint(endpoint: Endpoint, state: StreamState, longest: int) -> bool:
    activity = state.activity
    endpointer = None if activity is None else activity.endpointer
    said = Utterance() if endpointer is None else endpointer.said
    return (
        0 <= endpoint.commit_to <= longest
        and 0 <= endpoint.seen_to <= longest
        and (endpoint.left == 0 or 0 < endpoint.left <= said.tokens)
        and (endpoint.left == 0 or said.last_word_at is not None)
    )


def _is_sound_hearing(detector: DetectorState, activity: ActivityState, longest: int) -> bool:
    ends = [detector.known_to, *(end for end, _ in activity.heard), longest + 1]
    return all(first < last for first, last in pairwise(ends)) and all(
        probability == GAP or 0 <= probability <= 1 for _, probability in activity.heard
    )


def _ends(stretches: Sequence[tuple[int, int]]) -> list[int]:
    return [position for stretch in stretches for position in stretch]


def _in_order(positions: Sequence[int]) -> bool:
    return all(first <= last for first, last in pairwise(positions))
