"""A place, streams and faults in; what became of them out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlsplit

import numpy as np

from benchmarks.chaos.faults import Done, Fault, Faults
from benchmarks.chaos.judging import Verdict, judged
from benchmarks.chaos.places import Place
from benchmarks.chaos.speakers import Speaker
from benchmarks.chaos.speech import speech_of
from benchmarks.chaos.wire import wired
from benchmarks.report.tables import say
from parakeet_streaming.audio.resample import Resampler
from parakeet_streaming.client import Resuming
from parakeet_streaming.ports import Floats
from parakeet_streaming.timeline import SAMPLE_RATE_HZ

_ENDS_WITHIN_S: Final = 180.0
"""After the last word was spoken."""


@dataclass(frozen=True)
class Outcome:
    """Of one run."""

    speakers: Sequence[Speaker]
    verdicts: Sequence[Verdict]
    done: Sequence[Done]
    left_out: Sequence[Fault]
    took_s: float


def speakers_of(
    count: int, seconds: float, seed: int, rates_hz: Sequence[int], context: str
) -> list[Speaker]:
    """People who speak, each at the next of those rates."""
    options: dict[str, Any] = {"context": context, "fixed": True, "tokens": True}
    return [
        Speaker(
            _at(rates_hz[number % len(rates_hz)], speech_of(1_000 * seed + number, seconds)),
            rates_hz[number % len(rates_hz)],
            options,
            threads=number % 2 == 1,
        )
        for number in range(count)
    ]


async def ran(
    place: Place,
    speakers: Sequence[Speaker],
    faults: Sequence[Fault],
    resuming: Resuming,
    *,
    outages: bool = False,
) -> Outcome:
    """Lets all speak without faults, at once; then again, as people speak, with them."""
    plain = [replace(each, told=[], threads=False) for each in speakers]
    for each in plain:
        await each.speak(place.url, resume=False, paced=False)
        if each.error is not None:
            raise RuntimeError(f"without any fault: {each.error}") from each.error
    say(f"heard without faults at {place.url}")
    parts = urlsplit(place.url)
    begun_s = time.monotonic()
    async with AsyncExitStack() as stack:
        lines = [
            await stack.enter_async_context(wired(parts.hostname or "", parts.port or 0))
            for _ in speakers
        ]
        doing = Faults(place, [wire for wire, _ in lines], outages=outages)
        speaking = asyncio.gather(
            *(
                speaker.speak(url, resuming)
                for speaker, (_, url) in zip(speakers, lines, strict=True)
            )
        )
        longest_s = max(len(each.audio) / each.rate_hz for each in speakers)
        with suppress(TimeoutError):  # each says so itself
            async with asyncio.timeout(longest_s + _ENDS_WITHIN_S):
                await asyncio.gather(speaking, doing.do(faults, begun_s))
    verdicts = [judged(one.told, other.told) for one, other in zip(plain, speakers, strict=True)]
    took_s = time.monotonic() - begun_s
    return Outcome(speakers, verdicts, doing.done, doing.left_out, took_s)


def _at(rate_hz: int, samples: Floats) -> Floats:
    if rate_hz == SAMPLE_RATE_HZ:
        return samples
    resampler = Resampler(SAMPLE_RATE_HZ, rate_hz)
    return np.concatenate((resampler.feed(samples), resampler.finish()))
