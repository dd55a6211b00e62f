"""Work on tensors at fixed places in; one launch of all of it out: a CUDA graph, or a plain call.

The one seam between graphs and everything else. Work is a function without arguments: what it reads
was copied to its tensors before, and what it gives lies in its tensors afterwards. On a processor,
and where graphs are off, `run` is a call of that function, so all that is tested without a GPU is
what a GPU captures.

Rules of this file:

1. Work never waits for the device or moves anything between it and the host, and its tensors have
   the same shapes whenever it runs. `tests/torch_runtime/forbidden_calls.py` holds it to that.
2. Graphs are captured at start, before there are streams, and never when one of them waits.
3. All graphs of a device share one pool of memory, in which only what is in between lies: results
   are written to tensors that were there before. So graphs may run in any order, one at a time.
4. Work that reads tensors which may move says so. After they have moved its graph is not used any
   more, and the same work is called plainly.
5. A capture that fails is reported and ends all graphs: streams must go on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

import torch

from parakeet_streaming.runtime.reasons import first_reason

_LOG: Final = logging.getLogger("parakeet_streaming.torch_runtime")

_WARM_RUNS: Final = 2
"""Before a capture: libraries choose and allocate what they need in the first runs."""

Places = tuple[int, ...]


def _fixed() -> Places:
    return ()


class Captured:
    """One piece of work."""

    def __init__(
        self, graphs: Graphs, work: Callable[[], None], places: Callable[[], Places]
    ) -> None:
        self._graphs = graphs
        self._work = work
        self._places = places
        self._graph: torch.cuda.CUDAGraph | None = None
        self._captured_at: Places | None = None

    @property
    def ready(self) -> bool:
        """Whether it was captured, and nothing that it reads has moved since."""
        return self._places() == self._captured_at

    @property
    def is_graph(self) -> bool:
        """Whether the next run is one launch."""
        return self._graphs.on and self._graph is not None and self.ready

    def run(self) -> None:
        """Does the work; call it inside `computing()`."""
        if self._graph is not None and self.is_graph:
            self._graph.replay()
        else:
            self._work()

    def capture(self) -> None:
        """Makes a graph of the work, if graphs are on; if not, runs it once.

        What the work reads must be such that it changes nothing for anybody.
        """
        self._graph = self._graphs.capture(self._work)
        self._captured_at = self._places()


class Graphs:
    """All graphs of one device, which share a pool of memory."""

    def __init__(self, device: torch.device, *, wanted: bool = True) -> None:
        """`wanted`: whether work is captured where there is a GPU."""
        self._device = device
        self.on = wanted and device.type == "cuda"
        """Whether work is captured."""
        self._pool = torch.cuda.graph_pool_handle() if self.on else None
        self._side: torch.cuda.Stream | None = None

    @classmethod
    def none(cls) -> Graphs:
        """For work that is run once: it is never captured."""
        return cls(torch.device("cpu"), wanted=False)

    def of(self, work: Callable[[], None], places: Callable[[], Places] = _fixed) -> Captured:
        """The work, not yet captured.

        Args:
            work: as in rule 1.
            places: numbers that change when a tensor of the work has moved; rule 4.
        """
        return Captured(self, work, places)

    def capture(self, work: Callable[[], None]) -> torch.cuda.CUDAGraph | None:
        """A graph of the work; None where graphs are off, after the work has run once."""
        if not self.on:
            work()
            return None
        try:
            return self._captured(work)
        except RuntimeError as error:
            self.on = False
            _LOG.warning(
                "torch could not capture a step in a CUDA graph, so steps are launched kernel by "
                "kernel: %s",
                first_reason(error),
            )
            return None

    def _captured(self, work: Callable[[], None]) -> torch.cuda.CUDAGraph:
        with torch.cuda.device(self._device):
            if self._side is None:
                # One for all: memory is shared by captures of one stream, and libraries keep a
                # workspace for each stream that they have seen.
                self._side = torch.cuda.Stream()  # type: ignore[no-untyped-call]  # torch's own
            side, usual = self._side, torch.cuda.current_stream()
            side.wait_stream(usual)
            with torch.cuda.stream(side):
                for _ in range(_WARM_RUNS):
                    work()
            usual.wait_stream(side)
            graph = torch.cuda.CUDAGraph()
            # Other threads may use the GPU meanwhile, such as another model's.
            with torch.cuda.graph(
                graph, pool=self._pool, stream=side, capture_error_mode="thread_local"
            ):
                work()
        return graph
