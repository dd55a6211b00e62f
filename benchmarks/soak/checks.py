"""The story of a live stream in; every promise that it broke out, in words.

Rules of this file:

1. Every stream, adapted or not, must have heard what its audio gives when it is cut in the same
   places, alone. One that ended early must have heard the beginning of that.
2. A stream whose borders nothing could move, by load, an end of utterance or a wish, must have
   heard what the same audio gives without anything live; with voice activity, what it gives in a
   live engine of its own.
3. All audio of a stream that was finished is decoded or passed over as quiet, and passed over only
   where voice activity is asked for. What was refused is told as a gap of just that length.
4. Only a consumer's own error ends a stream, and only its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.soak.callers import Whim
from benchmarks.soak.cuts import Heard, heard_of, passed_over, replayed
from benchmarks.soak.records import Story
from parakeet_streaming import LiveEngine, Partial, Recognizer
from parakeet_streaming.live.intake import TAIL_S
from parakeet_streaming.ports import VoiceActivity
from parakeet_streaming.timeline import samples_to_seconds

_ALL_AT_ONCE_S = 3_600.0


@dataclass(frozen=True)
class Judge:
    """What hears audio again."""

    recognizer: Recognizer
    vad: VoiceActivity
    book: NDArray[np.float32]

    def broken(self, story: Story) -> list[str]:
        """What the stream broke; nothing where all is well."""
        found = [*_end_of(story), *_losses(story)]
        audio = story.timeline(self.book)
        try:
            holes = passed_over(story.cuts)
            alone = replayed(self.recognizer, audio, story.cuts)
        except AssertionError as error:
            return [*found, f"it was cut as no stream can be: {error}"]
        if holes and story.manner.options.vad is None and not story.refused:
            found.append(f"nothing was decoded at {holes}, without voice activity")
        found += _compared("cut the same way, alone", alone, story, whole=_is_read(story))
        if is_unmoved(story):
            found += _compared("all by itself", self._by_itself(story, audio), story, whole=True)
        if story.outcome == "finished":
            missing_s = samples_to_seconds(len(audio)) - story.audio_s
            if abs(missing_s) > 1e-3:
                found.append(f"{missing_s:.3f} s of its audio were not decoded")
        return found

    def _by_itself(self, story: Story, audio: NDArray[np.float32]) -> list[Heard]:
        options = story.manner.options
        if options.vad is None:
            stream = self.recognizer.stream(options.delay.context, tentative=False)
            for start, taken, _ in story.pieces:
                stream.push(self.book.take(np.arange(start, start + taken), mode="wrap"))
            stream.end(TAIL_S)
            stream.finish()
            return heard_of(stream.tokens)
        with LiveEngine(self.recognizer, self.vad, most_ring_s=_ALL_AT_ONCE_S) as engine:
            live = engine.open(options)
            for start, taken, _ in story.pieces:
                live.push(self.book.take(np.arange(start, start + taken), mode="wrap"))
            live.finish()
            tokens = [event.tokens for event in live if isinstance(event, Partial)]
        return heard_of([token for each in tokens for token in each])


def is_unmoved(story: Story) -> bool:
    """Whether nothing could move the borders of its chunks."""
    delay, endpoint = story.manner.options.delay, story.manner.options.endpoint
    fixed = delay.longest_chunk == delay.context.chunk
    whole = story.outcome == "finished" and _is_read(story) and not story.refused
    return fixed and endpoint is None and not story.commits and whole


def _is_read(story: Story) -> bool:
    return story.read_out and not story.left


def _compared(how: str, wanted: list[Heard], story: Story, *, whole: bool) -> list[str]:
    heard = story.heard
    if heard == (wanted if whole else wanted[: len(heard)]):
        return []
    pairs = zip(heard, wanted, strict=False)
    same = next((at for at, (one, other) in enumerate(pairs) if one != other), None)
    at = min(len(heard), len(wanted)) if same is None else same
    return [
        f"{how} it hears {len(wanted)} tokens, live it heard {len(heard)}; from token {at} on "
        f"{wanted[at : at + 3]} and {heard[at : at + 3]}"
    ]


def _end_of(story: Story) -> list[str]:
    manner, found = story.manner, []
    if story.outcome == "stuck":
        return ["it did not end, or its reader waits in vain"]
    if manner.reading == "thrower" and story.events >= manner.raises_at:
        if story.outcome is not None and not (
            story.outcome == "failed" and isinstance(story.error, Whim)
        ):
            found.append(f"its consumer raised, and it ended as {story.outcome}, {story.error!r}")
    elif story.error is not None or story.outcome == "failed":
        found.append(f"it failed: {story.error!r}")
    return found


def _losses(story: Story) -> list[str]:
    if not _is_read(story):
        return []
    found = []
    if story.final != story.heard:
        found.append(f"partials have {len(story.heard)} tokens, finals {len(story.final)}")
    if story.reasons[-1:] != ["end"]:
        found.append(f"its last utterance ended by {story.reasons[-1:]}")
    if story.outcome == "finished" and story.missing != story.refused:
        found.append(f"{story.refused} samples were refused, gaps tell of {story.missing}")
    return found
