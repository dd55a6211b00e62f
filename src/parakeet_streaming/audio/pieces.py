"""Pieces (m, channels) of any length go in, until one cannot be read; frames as wanted come out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.errors import AudioFormatError


class PieceReader:
    """Hands on what comes before a break, and raises only then."""

    def __init__(self, pieces: Iterator[NDArray[Any]], channels: int) -> None:
        """Read `pieces`, which may end by an `AudioFormatError`."""
        self._pieces = pieces
        self._channels = channels
        self._waiting: deque[NDArray[Any]] = deque()
        self._waiting_samples = 0
        self._ended = False
        self._broken: AudioFormatError | None = None

    def read(self, wanted_samples: int) -> NDArray[Any]:
        """The next frames (m, channels); m = `wanted_samples` except before the end.

        Raises:
            AudioFormatError: all that comes before the break was handed on.
        """
        while self._waiting_samples < wanted_samples and not self._ended:
            self._fetch()
        if not self._waiting:
            if self._broken is not None:
                raise self._broken
            return np.zeros((0, self._channels), np.float32)
        return self._take(wanted_samples)

    def _fetch(self) -> None:
        try:
            piece = next(self._pieces, None)
        except AudioFormatError as error:
            self._broken, piece = error, None
        if piece is None:
            self._ended = True
        elif len(piece):
            self._waiting.append(piece)
            self._waiting_samples += len(piece)

    def _take(self, most_samples: int) -> NDArray[Any]:
        taken: list[NDArray[Any]] = []
        room = most_samples
        while self._waiting and room:
            piece = self._waiting.popleft()
            if len(piece) > room:
                self._waiting.appendleft(piece[room:])
                piece = piece[:room]
            taken.append(piece)
            room -= len(piece)
        self._waiting_samples -= most_samples - room
        return taken[0] if len(taken) == 1 else np.concatenate(taken)
