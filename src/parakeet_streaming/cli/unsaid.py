"""A growing list of warnings goes in; each of them comes out once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence


class Unsaid:
    """Warnings of an `AudioFile` that have not been told yet."""

    def __init__(self, warnings: Callable[[], Sequence[str]]) -> None:
        """`warnings`: all there are by now, the oldest first."""
        self._warnings = warnings
        self._said = 0

    def __call__(self) -> Iterator[str]:
        """Those that came since the last call."""
        new = self._warnings()[self._said :]
        self._said += len(new)
        yield from new
