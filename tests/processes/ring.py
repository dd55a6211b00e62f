"""One stream's two ends, in one process, and what the contract of rings says of them."""

import numpy as np

from parakeet_streaming.live.audio_queue import Missing
from parakeet_streaming.processes.audio_memory import Blocks, Sizes
from parakeet_streaming.processes.audio_reader import SharedAudioQueue, SharedAudioReader
from parakeet_streaming.processes.audio_writer import SharedAudioWriter
from tests.live.by_hand import next_of
from tests.processes.across import memories


class Ring:
    def __init__(self, most=10_000, *, start=0, blocks=8, sizes=None, shared=None):
        there, here = memories(sizes or Sizes(slots=1, blocks=blocks))
        self.now_s, self.woken = 5.0, 0
        self.blocks = shared or Blocks(blocks)

        def wake():
            self.woken += 1

        self.writer = SharedAudioWriter(here, 0, self.blocks, lambda: self.now_s, wake)
        self.reader = SharedAudioReader(there, 0, start, most)
        self.queue = SharedAudioQueue(there, 0, self.reader, most)
        self.writer.begin(start, most)
        self.next = float(start)

    def write(self, count):
        """Samples that are their own positions."""
        samples = np.arange(self.writer.received, self.writer.received + count, dtype=np.float32)
        return self.writer.write(samples)

    def taken(self, most=10**9):
        """Everything that is there: positions, and gaps."""
        found = []
        while (piece := next_of(self.reader, most)) is not None:
            found.append((piece.start, piece.count) if isinstance(piece, Missing) else list(piece))
        return found

    def positions(self, most=10**9):
        """All samples that are there."""
        return [at for piece in self.taken(most) if isinstance(piece, list) for at in piece]
