"""Where the time of a step goes, and what an hour of audio does to memory.

python benchmarks/overhead.py                      the built-in model
python benchmarks/overhead.py --full-size          and one of Parakeet 0.6B's shape, 2.5 GB on disk
python benchmarks/overhead.py --full-size --frames-per-call 1 2 4 8 16
python benchmarks/overhead.py --hour               and the memory of an hour of streaming

Needs the dependency group `bench`. Tables go to standard output, progress to standard error.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray

from corpora import read_samples
from full_size import build, calibrate
from listening import OFFLINE, config_of
from machine import machine_table
from opening import Opened, open_model
from sizes import Size
from stages import (
    ENCODER_GRAPH,
    JOINT,
    OUTSIDE,
    PREDICTOR,
    Stopwatch,
    TimedDecoderJoint,
    TimedEncoder,
    TimedSession,
)
from tables import percent, progress, say, table

from parakeet_streaming import Recognizer, load
from parakeet_streaming.timeline import SAMPLE_RATE_HZ, samples_to_seconds, seconds_to_samples

_AUDIO = Path(__file__).resolve().parents[1] / "tests/parity/golden/audio/printing-45s.wav"
_CONTEXTS = (OFFLINE, "offline_like", "balanced", "low_latency")
_MEMORY_CONTEXT = "balanced"
_FULL_SIZE = "full size, random"
_BLOCK_S = 0.1


class Bench:
    """A model with a stopwatch in every stage."""

    def __init__(self, model: str, threads: int | None) -> None:
        self.stopwatch = Stopwatch()
        self.opened: Opened = open_model(
            model, threads, lambda session, name: TimedSession(session, self.stopwatch, name)
        )
        self.decoder_joint = TimedDecoderJoint(self.opened.decoder_joint, self.stopwatch)
        self.recognizer: Recognizer = self.opened.recognizer(
            TimedEncoder(self.opened.encoder, self.stopwatch), self.decoder_joint
        )


@dataclass(frozen=True)
class Timing:
    """Medians over some runs over the same audio."""

    audio_s: float
    total_s: float
    stages_s: dict[str, float]
    steps: int
    tokens: int
    predictor_calls: int
    joint_calls: int
