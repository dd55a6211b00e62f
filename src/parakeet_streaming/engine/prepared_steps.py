"""What a model may offer beside the port: steps that are made ready before there are streams."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

from parakeet_streaming.timeline import ContextConfig


@runtime_checkable
class PreparesSteps(Protocol):
    """A model whose steps are faster after they were made ready, such as captured in a graph."""

    def prepare_steps(
        self,
        contexts: Sequence[ContextConfig],
        *,
        most_rows: int,
        most_streams: int | None = None,
        cached: bool = False,
    ) -> Iterator[None]:
        """Makes steps ready; some work is done between two yields.

        Args:
            contexts: of the streams to come.
            most_rows: streams of a step.
            most_streams: that will be open at once; None where that is not known.
            cached: whether those streams encode each frame once.

        Raises:
            ComputeError: the device has no room for it.
        """
        ...
