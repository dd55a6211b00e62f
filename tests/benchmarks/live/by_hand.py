"""A live engine without its thread, under a clock that moves when it is waited for, or spent."""

from parakeet_streaming.testing import Cue, marked_audio
from tests.live.by_hand import Room

BOOK = marked_audio(500)
WORDY = [Cue(frame, frame % 3) for frame in range(3, 500, 5)]


class HandEngine(Room):
    """An engine and a clock in one: it computes while somebody waits for the clock."""

    def __init__(self, **choices):
        super().__init__(WORDY, **choices)

    def stats(self):
        return self.loop.stats()

    def close(self, *, drain=True):
        self.loop.close(drain=drain)
        self.settle()

    def now(self):
        return self.clock.now_s

    def wait_until(self, when_s):
        self.run(when_s - self.clock.now_s)
        # A step may have taken longer than the wait.
        self.clock.now_s = max(self.clock.now_s, when_s)
