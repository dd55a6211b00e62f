"""Emissions in, one by one; the same emissions out, in order, at 24 bytes each while they wait.

A stream keeps everything it has recognised until it ends, which may be days. As objects, an hour of
speech would take megabytes.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from typing import Self

import numpy as np

from parakeet_streaming.engine.stream_state import EmissionColumns
from parakeet_streaming.ports import Emission


class EmissionLog:
    """Emissions in columns; what comes out equals what went in."""

    def __init__(self) -> None:
        self._token_ids = array("i")
        self._frames = array("q")
        self._durations_frames = array("h")
        self._confidences = array("d")
        self._recovered = array("b")
        self._boosted = array("b")

    def extend(self, emissions: Iterable[Emission]) -> None:
        for emission in emissions:
            self._token_ids.append(emission.token_id)
            self._frames.append(emission.frame)
            self._durations_frames.append(emission.duration_frames)
            self._confidences.append(emission.confidence)
            self._recovered.append(emission.recovered)
            self._boosted.append(emission.boosted)

    def __len__(self) -> int:
        # The column that is written last: a thread that reads meanwhile finds whole rows.
        return len(self._boosted)

    def __iter__(self) -> Iterator[Emission]:
        return self.since(0)

    def since(self, first: int) -> Iterator[Emission]:
        """Emissions from number `first` on."""
        for at in range(first, len(self)):
            yield Emission(
                self._token_ids[at],
                self._frames[at],
                self._durations_frames[at],
                self._confidences[at],
                bool(self._recovered[at]),
                bool(self._boosted[at]),
            )

    def columns(self, first: int = 0) -> EmissionColumns:
        """A copy of the emissions from number `first` on, as arrays."""
        return EmissionColumns(
            np.array(self._token_ids[first:], np.int32),
            np.array(self._frames[first:], np.int64),
            np.array(self._durations_frames[first:], np.int16),
            np.array(self._confidences[first:], np.float64),
            np.array(self._recovered[first:], np.int8),
            np.array(self._boosted[first:], np.int8),
        )

    @classmethod
    def of(cls, columns: EmissionColumns) -> Self:
        """The log of which `columns` are a copy."""
        log = cls()
        log._token_ids.extend(columns.token_ids.tolist())
        log._frames.extend(columns.frames.tolist())
        log._durations_frames.extend(columns.durations_frames.tolist())
        log._confidences.extend(columns.confidences.tolist())
        log._recovered.extend(columns.recovered.tolist())
        log._boosted.extend(columns.boosted.tolist())
        return log
