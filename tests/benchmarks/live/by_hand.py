"""A live engine without its thread, under a clock that moves when it is waited for, or spent."""

from parakeet_streaming import LiveEngine
from parakeet_streaming.testing import Cue, marked_audio
from tests.live.by_hand import Room

BOOK = marked_audio(500)
WORDY = [Cue(frame, frame % 3) for frame in range(3, 500, 5)]


class Engine(Room):
    """An engine and a clock in one: whoever waits lets it compute meanwhile."""

    def __init__(self, **choices):
        super().__init__(WORDY, **choices)
        self._table = self.table
        self.metrics = self.table.metrics

    def stats(self):
        return LiveEngine.stats(self)

    def close(self, *, drain=True):
        self.table.close(drain=drain)
        self.settle()

    def now(self):
        return self.clock.now_s

    def wait_until(self, when_s):
        while self.clock.now_s < when_s:
            if not self.table.turn() and self.table.may_wait():
                self.clock.now_s = when_s
