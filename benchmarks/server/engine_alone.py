"""`LiveEngine` alone, in a process of its own: a trial in, what each stream gave out.

python -m benchmarks.server.engine_alone tiny-en --context 5-0.5-0.5

Asked by `load` as `speakers.py` is. The same scripts are pushed into the engine by a thread, with
nothing between. It also says what must be heard of each script, from an engine that nothing
hurries.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any, Final

import numpy as np

from benchmarks.server.child import answer_all
from benchmarks.server.doors import RATES_HZ, WEBRTC, WYOMING, as_heard
from benchmarks.server.heard import Heard
from benchmarks.server.script import Expected, expected_of
from benchmarks.server.speakers import Trial, moments
from parakeet_streaming import Event, Gap, LiveEngine, LiveOptions, Partial
from parakeet_streaming import Final as FinalEvent
from parakeet_streaming.server.composition import Loaded, load_all
from parakeet_streaming.server.protocols.deepgram_settings import settings_of
from parakeet_streaming.server.protocols.native_settings import StreamSettings
from parakeet_streaming.server.protocols.openai_realtime_options import (
    first_settings,
    live_options,
)
from parakeet_streaming.server.settings import Settings

ENGINE: Final = "engine"
"""Its name where doors are named; it recognises what the native door does."""
_AHEAD_S: Final = 0.1
_PATIENCE_S: Final = 15.0


def options_of(door: str, loaded: Loaded) -> LiveOptions:
    """What a door makes of a client that asks for nothing but its rate."""
    rate_hz = RATES_HZ.get(door, RATES_HZ["native"])
    if door in ("realtime", WEBRTC):
        return live_options(first_settings("", loaded.options), loaded.options, rate_hz)
    if door == "deepgram":
        query = {"encoding": "linear16", "sample_rate": str(rate_hz)}
        return settings_of(query).options(loaded.options).live
    if door == WYOMING:
        context = replace(loaded.options.context, sample_rate=rate_hz)
        return replace(LiveOptions.recording(context), lane="live")
    return StreamSettings(sample_rate=rate_hz).options(loaded.options).live


class EngineAlone:
    """One model, and a new engine for each trial."""

    def __init__(self, settings: Settings) -> None:
        self._loaded = load_all(settings)

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Runs a trial, or says what is expected of its scripts."""
        trial = Trial(**asked["trial"])
        if asked["what"] == "expected":
            return {"expected": asyncio.run(self._expected(trial))}
        return self._run(trial, asked["apart_s"], asked["ends"])

    async def _expected(self, trial: Trial) -> list[dict[str, Any]]:
        options = options_of(trial.door, self._loaded)
        rate_hz = options.context.sample_rate
        async with LiveEngine(self._loaded.recognizer, self._loaded.vad, most_streams=1) as engine:
            found: list[Expected] = [
                await expected_of(engine, options, as_heard(trial.door, script))
                for script in trial.scripts_for(rate_hz)
            ]
        return [asdict(each) for each in found]

    def _run(self, trial: Trial, apart_s: float, ends: list[int]) -> dict[str, Any]:
        options = options_of(trial.door, self._loaded)
        scripts = trial.scripts_for(options.context.sample_rate)
        spoken = [script.samples / np.float32(32768) for script in scripts]
        starts_s = trial.starts_s(apart_s)
        heard = [Heard() for _ in starts_s]
        behind_s: list[float] = []
        engine = LiveEngine(self._loaded.recognizer, self._loaded.vad, most_streams=len(starts_s))
        zero_s = time.perf_counter() + _AHEAD_S

        def listener(into: Heard, begin_s: float) -> Callable[[Event], None]:
            def take(event: Event) -> None:
                at_s = time.perf_counter() - zero_s - begin_s
                if isinstance(event, Partial):
                    into.note_text(event.text, at_s)
                elif isinstance(event, FinalEvent):
                    into.note_end(event.transcript.text, at_s)
                elif isinstance(event, Gap):
                    into.lost.append(f"gap from {event.start:g} to {event.end:g} s")

            return take

        streams = [
            engine.open(options, listener(into, begin_s))
            for into, begin_s in zip(heard, starts_s, strict=True)
        ]
        began_cpu_s = time.process_time()
        for due_s, client, packet in moments(starts_s, scripts[0].packets):
            wait_s = due_s - (time.perf_counter() - zero_s)
            if wait_s > 0:
                time.sleep(wait_s)
            behind_s.append(time.perf_counter() - zero_s - due_s)
            script = scripts[client % len(scripts)]
            begin = packet * script.packet_samples
            packet_of = spoken[client % len(scripts)][begin : begin + script.packet_samples]
            streams[client].push(packet_of)
            if packet + 1 in script.commits:
                streams[client].commit()
        used = (time.process_time() - began_cpu_s) / (time.perf_counter() - zero_s)
        until_s = time.perf_counter() + _PATIENCE_S
        while time.perf_counter() < until_s and any(
            len(each.ends) < ends[client % len(ends)] for client, each in enumerate(heard)
        ):
            time.sleep(0.02)
        engine.close(drain=False)
        few = behind_s[:: max(1, len(behind_s) // 20_000)]
        return {"heard": [each.as_json() for each in heard], "behind_s": few, "cores_used": used}


def settings_from(asked: argparse.Namespace) -> Settings:
    """Of the server and of the engine alone: the same."""
    return Settings(
        model=asked.model,
        context=asked.context,
        fixed=True,
        cached=asked.cached,
        precision=asked.precision,
        runtime=asked.runtime,
        threads=asked.threads,
    )


def add_settings(parser: argparse.ArgumentParser) -> None:
    """What `settings_from` reads."""
    add = parser.add_argument
    add("model", nargs="?", default="tiny-en", help="folder, name or hub id (default: %(default)s)")
    add("--context", default="5-0.5-0.5", help="preset or left-chunk-right (default: %(default)s)")
    add("--cached", action="store_true", help="cached streams; the model must have such an encoder")
    add("--precision", default="auto", help="as in `load` (default: %(default)s)")
    add("--runtime", default="auto", help="as in `load` (default: %(default)s)")
    add("--threads", type=int, help="of the encoder (default: one per core)")


def arguments_from(asked: argparse.Namespace) -> list[str]:
    """The same settings as arguments of `parakeet serve`, and of this module."""
    threads = [] if asked.threads is None else ["--threads", str(asked.threads)]
    cached = ["--cached"] if asked.cached else []
    wanted = ["--context", asked.context]
    wanted += ["--precision", asked.precision, "--runtime", asked.runtime]
    return [asked.model, *wanted, *cached, *threads]


if __name__ == "__main__":
    _parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_settings(_parser)
    answer_all(EngineAlone(settings_from(_parser.parse_args())).answer)
