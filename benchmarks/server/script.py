"""Recordings in; what one client says, packet by packet, and what must be heard of it, out.

Rules of this file:

1. A client says its script once, from the first sample to the last, in packets of 20 ms. It commits
   after every so many seconds, and after its last packet.
2. What must be heard is what a `LiveEngine` gives for the same samples with the same options when
   nothing hurries: text of a step is due when the last sample that the step looked at was spoken.
3. Texts are compared without spaces: where an utterance begins, protocols differ in them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.speech.corpora import read_utterances
from parakeet_streaming import Event, LiveEngine, LiveOptions, Partial
from parakeet_streaming import Final as FinalEvent
from parakeet_streaming.audio.files import read_audio
from parakeet_streaming.audio.resample import Resampler
from parakeet_streaming.timeline import SAMPLE_RATE_HZ

PACKET_S: Final = 0.02
RECORDINGS: Final = Path(__file__).resolve().parents[2] / "examples/recordings"
PAUSE_S: Final = 1.2
"""Between two recordings: long enough to end an utterance."""


@dataclass(frozen=True, slots=True)
class Script:
    """What one client says."""

    rate_hz: int
    samples: NDArray[np.int16]
    """(n,), whole packets."""
    commits: frozenset[int]
    """The client commits after so many packets."""

    @property
    def packets(self) -> int:
        return len(self.samples) // self.packet_samples

    @property
    def packet_samples(self) -> int:
        return round(PACKET_S * self.rate_hz)

    def packet(self, number: int) -> NDArray[np.int16]:
        """One packet, from 0."""
        return self.samples[number * self.packet_samples : (number + 1) * self.packet_samples]


@dataclass(frozen=True, slots=True)
class Due:
    """One text or one end of an utterance, and when it is due, in seconds of the script."""

    characters: int
    """Of all texts until then."""
    at_s: float


@dataclass(frozen=True, slots=True)
class Expected:
    """What must be heard of one script."""

    text: str
    """All of it, without spaces."""
    texts: tuple[Due, ...]
    """Each step that gave text."""
    silences: tuple[Due, ...]
    """Utterances that silence ends: due at the end of their last word."""
    commits: tuple[Due, ...]
    """Utterances that a commit ends: due when it was asked for."""


def recordings_of(speech: Path | None) -> list[NDArray[np.float32]]:
    """The recordings of a folder of speech, or those of the examples; 16 kHz."""
    if speech is not None:
        return [each.samples for each in read_utterances(speech, "list.jsonl", None)]
    return [read_audio(path) for path in sorted(RECORDINGS.glob("*.wav"))]


def scripts_of(
    recordings: Sequence[NDArray[np.float32]],
    count: int,
    seconds: float,
    rate_hz: int,
    commit_every_s: float,
) -> list[Script]:
    """So many scripts, each of which begins with another recording, or within one.

    Args:
        recordings: at 16 kHz.
        count: of scripts.
        seconds: of each.
        rate_hz: of its samples.
        commit_every_s: 0 to commit at the end only.
    """
    pause = np.zeros(round(PAUSE_S * SAMPLE_RATE_HZ), np.float32)
    book = np.concatenate([part for each in recordings for part in (each, pause)])
    packets = round(seconds / PACKET_S)
    length = packets * round(PACKET_S * SAMPLE_RATE_HZ)
    every = round(commit_every_s / PACKET_S)
    commits = frozenset(range(every, packets, every) if every else ()) | {packets}
    made = []
    for number in range(count):
        begin = number * len(book) // count
        said = book.take(np.arange(begin, begin + length), mode="wrap")
        if rate_hz != SAMPLE_RATE_HZ:
            resampler = Resampler(SAMPLE_RATE_HZ, rate_hz)
            said = np.concatenate([resampler.feed(said), resampler.finish()])
        samples = np.clip(np.round(32768 * said), -32768, 32767).astype(np.int16)
        made.append(Script(rate_hz, samples[: packets * round(PACKET_S * rate_hz)], commits))
    return made


async def expected_of(engine: LiveEngine, options: LiveOptions, script: Script) -> Expected:
    """What an engine that nothing hurries hears of a script."""
    stream = engine.open(options)

    async def say() -> None:
        for number in range(script.packets):
            await stream.push_async(script.packet(number) / np.float32(32768))
            if number + 1 in script.commits:
                stream.commit()
        stream.finish()

    saying = asyncio.create_task(say())
    events: list[Event] = [event async for event in stream]
    await saying
    return expected_from(events, script.commits)


def expected_from(events: Sequence[Event], commits: frozenset[int]) -> Expected:
    """What must be heard, from the events of a stream."""
    text, texts, silences, asked = "", list[Due](), list[Due](), list[Due]()
    for event in events:
        if isinstance(event, Partial):
            text += squeezed(event.text)
            if squeezed(event.text):
                texts.append(Due(len(text), event.lookahead_end_s))
        elif isinstance(event, FinalEvent) and event.transcript.text:
            words, end_s = event.transcript.words, event.transcript.audio_s
            if event.reason == "commit":
                # The commit from which on there was nothing more to decode.
                at_s = min((PACKET_S * each for each in commits if PACKET_S * each >= end_s - 1e-6),
                           default=end_s)  # fmt: skip
                asked.append(Due(len(text), at_s))
            elif event.reason == "silence" and words:
                silences.append(Due(len(text), words[-1].end))
    return Expected(text, tuple(texts), tuple(silences), tuple(asked))


def squeezed(text: str) -> str:
    """Without spaces."""
    return "".join(text.split())
