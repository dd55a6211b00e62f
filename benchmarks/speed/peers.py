"""How fast a model is, beside the peers that can read it: whole recordings, and streams.

python -m benchmarks.speed.peers FOLDER                     all there is; tiny-en without a folder
python -m benchmarks.speed.peers FOLDER --part offline      whole recordings only
python -m benchmarks.speed.peers FOLDER --part streaming --context balanced

Whole recordings: every program recognises the same audio with the same weights and as many threads,
in turn, after a pass that does not count; medians. RTFx is seconds of audio per second. NVIDIA's
NeMo is no part of it: it reads .nemo files, not these.
Streaming: seconds of computing per second of audio, of a step whose left context is full; for
whole windows, and cached where the model has an encoder that keeps its past. Two encoders are in
memory at a time. Needs the dependency group `bench`; onnx-asr, sherpa-onnx and OpenVINO take part
where they are installed. Tables go to standard output, progress to standard error.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from benchmarks.models.contexts import checked_name
from benchmarks.models.runtimes import RUNTIMES, AbsentError, keeps_past
from benchmarks.report.machine import machine, machine_table, version_of
from benchmarks.report.tables import percent, progress, say, table
from benchmarks.speech.book import speech_of
from benchmarks.speed.contenders import (
    ONNX_ASR,
    SHERPA_ONNX,
    Contender,
    onnx_asr,
    ours,
    sherpa_onnx,
)
from benchmarks.speed.stages import TimedModel
from benchmarks.speed.steady import Cost, costs
from parakeet_streaming.runtime.cores import usable_cores
from parakeet_streaming.timeline import PRESETS

_SECONDS = (10.0, 30.0, 60.0)
_STREAMED_S = 60.0
_OFFLINE, _STREAMING = "offline", "streaming"


@dataclass(frozen=True)
class RecordingTime:
    """How long a program took for a recording."""

    program: str
    audio_s: float
    took_s: float
    """Median."""
    tokens: int

    @property
    def rtfx(self) -> float:
        return self.audio_s / self.took_s


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what the command line asks for."""
    asked = _parser().parse_args(arguments)
    asked.threads = asked.threads or usable_cores()
    print(f"{machine_table()}\n", flush=True)
    print(f"Model `{asked.model}`, threads of the encoder: {asked.threads}.\n", flush=True)
    found: dict[str, object] = {}
    if asked.part != _STREAMING:
        recordings = _offline(asked)
        print(f"{recording_table(recordings)}\n", flush=True)
        found[_OFFLINE] = [asdict(each) for each in recordings]
    if asked.part != _OFFLINE:
        by_runtime = _streaming(asked)
        print(f"{cost_table(by_runtime)}\n\nonnx-asr and sherpa-onnx do not stream a TDT model.")
        found[_STREAMING] = {
            name: [asdict(each) for each in measured] for name, measured in by_runtime.items()
        }
    if asked.json is not None:
        origin = {"machine": asdict(machine()), "model": asked.model, "threads": asked.threads}
        asked.json.write_text(json.dumps(origin | found, indent=1) + "\n", encoding="utf-8")


def _offline(asked: argparse.Namespace) -> list[RecordingTime]:
    with ExitStack() as stack:
        # Beside the model, so that its weights can be linked and need not be copied.
        beside = Path(asked.model).absolute().parent
        place = beside if Path(asked.model).is_dir() and os.access(beside, os.W_OK) else None
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=place)))
        makers: dict[str, Callable[[], Contender]] = {
            f"ours, {name}": partial(ours, name, asked.model, asked.threads)
            for name in asked.runtime or RUNTIMES
        }
        if not asked.no_peers:
            makers[ONNX_ASR] = lambda: onnx_asr(asked.model, asked.threads, scratch)
            makers[SHERPA_ONNX] = lambda: sherpa_onnx(asked.model, asked.threads, scratch)
            versions = (f"{name} {version_of(name)}" for name in (ONNX_ASR, SHERPA_ONNX))
            print(f"Peers: {', '.join(versions)}.\n", flush=True)
        return _race(_present(makers), asked.seconds, asked.runs)


def _present(makers: dict[str, Callable[[], Contender]]) -> list[Contender]:
    """Those that can take part; a line is printed for each that cannot."""
    contenders = []
    for name, make in makers.items():
        say(f"loading {name}")
        try:
            contenders.append(make())
        except AbsentError as reason:
            print(f"Not taking part: {name}: {reason}.\n", flush=True)
    return contenders


def _race(
    contenders: Sequence[Contender], seconds: Sequence[float], runs: int
) -> list[RecordingTime]:
    took: dict[tuple[str, float], list[float]] = {}
    tokens: dict[tuple[str, float], int] = {}
    rounds = [(run, length) for length in seconds for run in range(runs + 1)]
    for run, length in progress(rounds, "rounds of all programs"):
        speech = speech_of(length)
        for contender in contenders:
            key = (contender.name, length)
            started_s = time.perf_counter()
            tokens[key] = contender.transcribe(speech)
            if run:
                took.setdefault(key, []).append(time.perf_counter() - started_s)
    return [
        RecordingTime(name, length, statistics.median(times), tokens[name, length])
        for (name, length), times in took.items()
    ]


def _streaming(asked: argparse.Namespace) -> dict[str, list[Cost]]:
    forms = (False, True) if keeps_past(asked.model) else (False,)
    speech = speech_of(_STREAMED_S)
    found = {}
    for name in asked.runtime or RUNTIMES:
        try:
            models = [
                (TimedModel(asked.model, name, cached=cached, threads=asked.threads), cached)
                for cached in forms
            ]
        except AbsentError as reason:
            print(f"Not taking part: streaming with {name}: {reason}.\n", flush=True)
            continue
        contexts = asked.context or list(PRESETS)
        found[name] = costs(models, contexts, speech, asked.steps, name)
    return found


def recording_table(recordings: Sequence[RecordingTime]) -> str:
    """RTFx by program and length, and how many times as fast as onnx-asr."""
    lengths = list(dict.fromkeys(each.audio_s for each in recordings))
    by_key = {(each.program, each.audio_s): each for each in recordings}
    rows = []
    for name in dict.fromkeys(each.program for each in recordings):
        row = [name]
        for length in lengths:
            peer = by_key.get((ONNX_ASR, length))
            rtfx = by_key[name, length].rtfx
            row += [f"{rtfx:.1f}", f"{rtfx / peer.rtfx:.2f}" if peer else "–"]
        rows.append((*row, by_key[name, lengths[-1]].tokens))
    heads = [head for length in lengths for head in (f"RTFx, {length:g} s", f"/ {ONNX_ASR}")]
    return table(("whole recordings", *heads, "tokens of the longest"), rows)


def cost_table(by_runtime: dict[str, list[Cost]]) -> str:
    """Milliseconds per second of audio, by context; the share that is not the encoder's graph."""
    columns = list(
        dict.fromkeys((name, each.cached) for name, found in by_runtime.items() for each in found)
    )
    by_key = {
        (each.context, name, each.cached): each
        for name, found in by_runtime.items()
        for each in found
    }
    rows = [
        (
            f"`{context}`",
            *(
                f"{1000 * cost.per_second:.1f} ms ({percent(cost.outside_share)})"
                for cost in (by_key[context, *column] for column in columns)
            ),
        )
        for context in dict.fromkeys(context for context, _, _ in by_key)
    ]
    heads = [f"{name}, {'cached' if cached else 'window'}" for name, cached in columns]
    return table(("a second of audio (share outside the encoder)", *heads), rows)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("model", nargs="?", default="tiny-en", help="folder, name or hub id (default: %(default)s)")
    add("--part", choices=(_OFFLINE, _STREAMING), help="default: both")
    add(
        "--runtime",
        action="append",
        choices=RUNTIMES,
        help="of ours; can be repeated (default: all that run here)",
    )
    add("--no-peers", action="store_true", help="ours alone")
    add("--threads", type=int, help="of the encoder (default: one per core)")
    add(
        "--seconds",
        type=float,
        nargs="+",
        default=_SECONDS,
        metavar="S",
        help="lengths of whole recordings (default: 10 30 60)",
    )
    add("--runs", type=int, default=5, help="per length and program (default: %(default)s)")
    add(
        "--context",
        action="append",
        type=checked_name,
        help="of streams; can be repeated (default: every preset)",
    )
    add("--steps", type=int, default=9, help="timed per context (default: %(default)s)")
    add("--json", type=Path, metavar="FILE", help="also write all numbers there")
    return parser


if __name__ == "__main__":
    main()
