"""Blocks that a thread reads."""

import threading

import numpy as np
import pytest

from parakeet_streaming.errors import AudioFormatError, StreamClosedError
from parakeet_streaming.sources.live import BlockSource

LONG_S = 60.0
BLOCKS = [np.full(3, number, np.float32) for number in range(4)]


class Receiver:
    def __init__(self):
        self.blocks = []
        self.ended = threading.Event()
        self.ends = 0

    def push(self, samples):
        self.blocks.append(samples)
        return len(samples)

    def on_end(self):
        self.ends += 1
        self.ended.set()


def test_blocks_are_handed_on_in_order_and_then_it_ends():
    receiver = Receiver()
    source = BlockSource(BLOCKS, 8000, can_wait=True)
    assert not source.watch(0.0)
    source.start(receiver.push, receiver.on_end)
    assert receiver.ended.wait(LONG_S)
    source.stop()
    assert [block.tolist() for block in receiver.blocks] == [block.tolist() for block in BLOCKS]
    assert (source.rate_hz, source.can_wait, source.overflows) == (8000, True, 0)
    assert source.failure is None
    assert receiver.ends == 1
    assert not source.watch(1.0)


def test_what_was_read_before_a_failure_is_handed_on():
    def blocks():
        yield BLOCKS[0]
        raise AudioFormatError("broken")

    receiver = Receiver()
    source = BlockSource(blocks(), 16_000, can_wait=False)
    source.start(receiver.push, receiver.on_end)
    assert receiver.ended.wait(LONG_S)
    assert len(receiver.blocks) == 1
    assert str(source.failure) == "broken"


def test_stopping_does_not_wait_for_a_pipe_that_is_silent():
    arrived = threading.Event()

    def blocks():
        yield BLOCKS[0]
        assert arrived.wait(LONG_S)
        yield BLOCKS[1]

    receiver = Receiver()
    source = BlockSource(blocks(), 16_000, can_wait=True)
    source.start(receiver.push, receiver.on_end)
    assert source.watch(0.0)
    source.stop()
    assert receiver.ends == 1
    arrived.set()
    source._thread.join(LONG_S)
    assert len(receiver.blocks) == 1
    assert receiver.ends == 1


def test_stopped_by_what_it_hands_on():
    receiver = Receiver()
    source = BlockSource(BLOCKS, 16_000, can_wait=True)

    def push(samples):
        source.stop()
        return receiver.push(samples)

    source.start(push, receiver.on_end)
    assert receiver.ended.wait(LONG_S)
    source._thread.join(LONG_S)
    assert (len(receiver.blocks), receiver.ends) == (1, 1)


def test_it_is_read_once():
    source = BlockSource(BLOCKS, 16_000, can_wait=True)
    source.start(len)
    with pytest.raises(StreamClosedError, match="read once"):
        source.start(len)
    unread = BlockSource(BLOCKS, 16_000, can_wait=True)
    unread.stop()
    with pytest.raises(StreamClosedError, match="read once"):
        unread.start(len)
