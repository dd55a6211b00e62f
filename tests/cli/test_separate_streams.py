"""Streams of several channels as one."""

import threading

import numpy as np
import pytest

from parakeet_streaming.channels import ChannelEvent
from parakeet_streaming.cli.separate_streams import SeparateStreams
from parakeet_streaming.errors import ComputeError
from parakeet_streaming.results import Final, Gap, Transcript

EMPTY = Transcript("", (), (), (), 1.0)
LONG_S = 60.0


class Scripted:
    """A stream of which a test says what it gives."""

    def __init__(self, *script, takes=1.0):
        self.script = list(script)
        self.pushed, self.gaps, self.finished = [], [], 0
        self.goes_on = threading.Event()
        self.takes = takes

    def push(self, samples):
        self.pushed.append(samples)
        return int(len(samples) * self.takes)

    def push_gap(self, samples):
        self.gaps.append(samples)

    def wait_for_room(self, samples):
        return samples

    def finish(self):
        self.finished += 1
        self.goes_on.set()

    def get(self):
        if not self.script:
            assert self.goes_on.wait(LONG_S)
            return None
        event = self.script.pop(0)
        if isinstance(event, Exception):
            raise event
        return event

    def transcript(self):
        return EMPTY


def test_each_channel_gets_its_samples():
    first, second = Scripted(), Scripted(takes=0.5)
    streams = SeparateStreams([first, second], ("a", "b"))
    assert streams.push(np.array([[1, 2], [3, 4], [5, 6], [7, 8]], np.float32)) == 2
    assert (first.pushed[0].tolist(), second.pushed[0].tolist()) == ([1, 3, 5, 7], [2, 4, 6, 8])
    assert first.pushed[0].flags.c_contiguous
    streams.push_gap(7)
    assert (first.gaps, second.gaps) == ([7], [7])
    assert streams.wait_for_room(3) == 3
    streams.finish()
    assert (first.finished, second.finished) == (1, 1)
    assert [each.label for each in streams.transcript().channels] == ["a", "b"]


def test_one_channel_is_enough():
    only = Scripted()
    streams = SeparateStreams([only], ("a",))
    assert streams.push(np.ones(5, np.float32)) == 5
    assert streams.push(np.ones((5, 1), np.float32)) == 5
    assert [len(each) for each in only.pushed] == [5, 5]
    streams.finish()


def test_events_come_with_their_channels_until_all_have_ended():
    first, second = Scripted(Gap(0.0, 1.0), Final(EMPTY)), Scripted(Final(EMPTY))
    streams = SeparateStreams([first, second], ("a", "b"))
    found = [streams.get(LONG_S) for _ in range(3)]
    assert sorted((each.channel, type(each.event).__name__) for each in found) == [
        (0, "Final"),
        (0, "Gap"),
        (1, "Final"),
    ]
    assert all(isinstance(each, ChannelEvent) for each in found)
    with pytest.raises(TimeoutError):
        streams.get(0.001)
    streams.finish()
    assert streams.get(LONG_S) is None
    assert streams.get(LONG_S) is None


def test_one_that_fails_ends_all():
    streams = SeparateStreams([Scripted(ComputeError("no")), Scripted()], ("a", "b"))
    with pytest.raises(ComputeError, match="no"):
        streams.get(LONG_S)
    streams.finish()
