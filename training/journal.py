"""Losses of each step in; one JSON object per line for every so many steps out."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from training.run import Run


@dataclass(frozen=True)
class Losses:
    """Losses of one step; tensors, so that nothing waits for a GPU."""

    ctc: Tensor
    tdt: Tensor
    taught: Tensor
    norm: Tensor
    rate: float


class Journal:
    """Writes events, one JSON object per line."""

    def __init__(self, path: Path, every: int) -> None:
        self._path = path
        self._every = every
        self._noted: list[tuple[Losses, float, float]] = []
        self._since = time.monotonic()

    def note(self, run: Run, losses: Losses, waited_s: float, heard_s: float, phase: str) -> None:
        self._noted.append((losses, waited_s, heard_s))
        if len(self._noted) >= self._every:
            self.write(run, phase)

    def write(self, run: Run, phase: str) -> None:
        """Writes the steps since the last time, if there are any."""
        if not self._noted:
            return
        passed_s = time.monotonic() - self._since
        found = [losses for losses, _, _ in self._noted]
        line = {
            "step": run.step,
            "minutes": round(run.spent_s / 60, 2),
            "hours_heard": round(run.audio_s / 3600, 2),
            "phase": phase,
            "ctc": _mean([each.ctc for each in found]),
            "tdt": _mean([each.tdt for each in found]),
            "taught": _mean([each.taught for each in found]),
            "norm": _mean([each.norm for each in found]),
            "rate": found[-1].rate,
            "times_real_time": round(sum(heard for _, _, heard in self._noted) / passed_s, 1),
            "waiting": round(sum(waited for _, waited, _ in self._noted) / passed_s, 3),
            "torch": torch.__version__.split("+")[0],
            "device": run.device_name,
        }
        with self._path.open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
        self._noted, self._since = [], time.monotonic()


def _mean(values: list[Tensor]) -> float:
    return round(float(torch.stack(values).float().mean()), 4)
