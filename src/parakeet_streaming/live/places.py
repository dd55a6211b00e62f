"""A model and the streams that were let in, in; whether its device has room for one more, out.

Rules of this file:

1. A stream has its place from the moment it is let in until it is over. It may hold nothing yet, as
   it has had no step, or nothing any more, as it began anew: nobody else gets that room.
2. A stream that takes the place of one of its own kind gets that place, so nothing is asked. Both
   hold something until the first of them is over; models keep some room for that.
3. A model that cannot say how much room it has refuses nobody, and is reported once.
4. It is not thread-safe, and is asked under the lock of `open_streams.py`: so models must answer at
   once.
"""

from __future__ import annotations

import logging
from collections import Counter
from typing import Final

from parakeet_streaming.engine.stream_places import CountsPlaces, StreamKind
from parakeet_streaming.errors import CapacityError

_LOG: Final = logging.getLogger("parakeet_streaming.live")


class Places:
    """What of a device is promised to the streams of one engine."""

    def __init__(self, model: object = None) -> None:
        """`model`: that they use; one that does not count places has room for all."""
        self._model = model if isinstance(model, CountsPlaces) else None
        self._kinds: dict[str, StreamKind] = {}
        self._counts: Counter[StreamKind] = Counter()
        self._reported = False

    def check(self, kind: StreamKind, instead_of: str | None = None) -> None:
        """Refuses a stream that there is no room for; changes nothing.

        Args:
            kind: of the stream.
            instead_of: a stream that gives its place to it.

        Raises:
            CapacityError: the device's memory has no room.
        """
        if instead_of is not None and self._kinds.get(instead_of) == kind:
            return
        if self._left(kind) < 1:
            raise CapacityError(
                f"{len(self._kinds)} streams are open, and the memory of the model's device has no "
                "room for what one more would keep there; try again later, or use a context with "
                "less on its left"
            )

    def take(self, stream_id: str, kind: StreamKind, instead_of: str | None = None) -> None:
        """A stream was let in, perhaps in place of another one."""
        if instead_of is not None:
            self.leave(instead_of)
        self._kinds[stream_id] = kind
        self._counts[kind] += 1

    def leave(self, stream_id: str) -> None:
        """A stream is over; one that has no place is no error."""
        kind = self._kinds.pop(stream_id, None)
        if kind is not None:
            self._counts[kind] -= 1
            if not self._counts[kind]:
                del self._counts[kind]

    def _left(self, kind: StreamKind) -> float:
        """How many more streams there is room for."""
        if self._model is None:
            return float("inf")
        try:
            left = self._model.places(kind, self._counts)
            return float("inf") if left is None else float(left)
        except Exception as error:
            if not self._reported:
                _LOG.warning(
                    "the model cannot say how many streams its device has room for, so nobody is "
                    "refused for that: %r",
                    error,
                )
            self._reported = True
            return float("inf")
