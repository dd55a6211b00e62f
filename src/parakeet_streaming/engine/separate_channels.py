"""A recording of several channels in; a transcript of each, and of all in order of time, out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from numpy.typing import ArrayLike

from parakeet_streaming.audio.pcm import as_channels
from parakeet_streaming.boosting.options import Phrases
from parakeet_streaming.channels import SeparateTranscript, labels_of
from parakeet_streaming.engine.channel_streams import ChannelStreams
from parakeet_streaming.engine.recognizer import Recognizer
from parakeet_streaming.engine.stall import StallGuard
from parakeet_streaming.timeline import SAMPLE_RATE_HZ, check_sample_rate, samples_to_seconds

_PUSH_S: Final = 30.0


def transcribe_channels(
    recognizer: Recognizer,
    samples: ArrayLike,
    sample_rate: int = SAMPLE_RATE_HZ,
    *,
    names: Sequence[str] = (),
    stall_guard: StallGuard | None = None,
    phrases: Phrases | None = None,
    boost: float | None = None,
    language: str | Iterable[str] | None = None,
) -> SeparateTranscript:
    """Recognises each channel for itself, as `recognizer.transcribe` would it alone.

    Args:
        recognizer: made by `load`.
        samples: (n, channels) at `sample_rate`, such as `read_channels` gives.
        sample_rate: in Hz.
        names: what the channels are called, one for each; by default `channel 0` and so on.
        stall_guard: as for `recognizer.stream`, and so are the others.
        phrases: names and words to boost.
        boost: how strongly.
        language: one or several, in whose scripts tokens are.

    Raises:
        AudioInputError, ContextError: as `recognizer.transcribe`.
        OptionError: more than 8 channels, or names that do not fit.
    """
    check_sample_rate(sample_rate)
    frames = as_channels(samples)
    labels = labels_of(names, frames.shape[1])
    context = recognizer.offline_context(samples_to_seconds(frames.shape[0], sample_rate))
    context = replace(context, sample_rate=sample_rate)
    streams = [
        recognizer.stream(
            context,
            tentative=False,
            stall_guard=stall_guard,
            phrases=phrases,
            boost=boost,
            language=language,
        )
        for _ in labels
    ]
    channels = ChannelStreams(recognizer, streams, labels)
    piece = round(_PUSH_S * sample_rate)
    for start in range(0, frames.shape[0], piece):
        channels.push(frames[start : start + piece])
        channels.run()
    channels.end()
    channels.run()
    return channels.transcript()
