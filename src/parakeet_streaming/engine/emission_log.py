"""Emissions in, one by one; the same emissions out, in order, at 24 bytes each while they wait.

A stream keeps everything it has recognised until it ends, which may be days. As objects, an hour of
speech would take megabytes.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator

from parakeet_streaming.engine.tdt import Emission


class EmissionLog:
    """Emissions in columns; what comes out equals what went in."""

    def __init__(self) -> None:
        self._token_ids = array("i")
        self._frames = array("q")
        self._durations_frames = array("h")
        self._confidences = array("d")
        self._recovered = array("b")

    def extend(self, emissions: Iterable[Emission]) -> None:
        for emission in emissions:
            self._token_ids.append(emission.token_id)
            self._frames.append(emission.frame)
            self._durations_frames.append(emission.duration_frames)
            self._confidences.append(emission.confidence)
            self._recovered.append(emission.recovered)

    def __len__(self) -> int:
        # The column that is written last: whoever reads while another thread adds finds whole rows.
        return len(self._recovered)

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
            )
