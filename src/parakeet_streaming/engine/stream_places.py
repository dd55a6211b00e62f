"""What a model may offer beside the port: how many more streams its device has room for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from parakeet_streaming.timeline import ContextConfig

StreamKind = tuple[ContextConfig, bool]
"""Of a stream, what the room that it needs depends on: its context, and whether it is cached."""


@runtime_checkable
class CountsPlaces(Protocol):
    """A model that keeps something of each stream where memory ends, such as on a GPU."""

    def places(self, kind: StreamKind, open_streams: Mapping[StreamKind, int]) -> int | None:
        """How many more streams there is room for.

        It answers at once, in any thread, also while a step runs.

        Args:
            kind: of those to come.
            open_streams: how many were let in, by kind. Room is kept for all of them, whatever
                they hold at the moment: nothing before their first step, for instance.

        Returns:
            None where nothing bounds it.
        """
        ...
