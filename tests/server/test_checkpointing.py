"""When checkpoints are asked for, and what they are put together of."""

import asyncio

from parakeet_streaming.server.checkpoint import Bound, CheckpointKeys
from parakeet_streaming.server.checkpointing import Checkpointing, Signer
from parakeet_streaming.server.session_events import Cleared, Ended, Kept
from parakeet_streaming.server.session_state import SessionState

KEYS = CheckpointKeys.of_this_process()
STATE = SessionState(0, 2, 0, 0, 0, None, 0.0, False, False, False, ())
END = Ended(0, "", (), (), 0.0, 1.0, "silence")


class Channel:
    def __init__(self):
        self.id, self.asked = "3f2a", []

    def ask_state(self, *, past):
        self.asked.append(past)


class Channels:
    def __init__(self, count):
        self.connections = [Channel() for _ in range(count)]


def checkpointing(count=1, every_s=60.0, most_bytes=10_000):
    signer = Signer(KEYS, Bound("o", "m", {}), lambda: 5.0, 600.0, most_bytes)
    return Checkpointing(Channels(count), signer, every_s, 3)


def kept(snapshot):
    return Kept(16_000, STATE, lambda: snapshot)


async def ran(made, act, seconds=0.05):
    task = asyncio.create_task(made.run())
    await asyncio.sleep(0)
    act(made)
    await asyncio.sleep(seconds)
    task.cancel()
    return [each.asked for each in made.channels.connections]


def test_the_end_of_an_utterance_asks_for_one():
    for event in (END, Cleared(0)):
        made = checkpointing()
        assert asyncio.run(ran(made, lambda made, event=event: made.take(0, event))) == [[False]]


def test_nothing_is_asked_where_nothing_came():
    assert asyncio.run(ran(checkpointing(every_s=0.01), lambda _: None)) == [[]]
    assert asyncio.run(ran(checkpointing(every_s=0.01), lambda made: made.came())) == [[False]]


def test_for_a_planned_end_the_past_is_asked_for_too():
    assert asyncio.run(ran(checkpointing(2), lambda made: made.want(past=True))) == [[True], [True]]


def test_all_channels_are_in_one():
    made = checkpointing(2)
    assert made.take(1, kept(b"second")) is None
    assert made.take(0, END) is None
    token, checkpoint = made.take(0, kept(b"first"))
    assert KEYS.read(token) == checkpoint
    assert [each.snapshot for each in checkpoint.channels] == [b"first", b"second"]
    assert (checkpoint.number, checkpoint.issued_s, made.number) == (3, 5.0, 4)


def test_one_that_would_be_too_large_is_not_made():
    made = checkpointing(most_bytes=100)
    assert made.take(0, kept(bytes(100))) is None
    assert made.number == 3


def test_for_a_planned_end_every_later_one_has_the_past():
    """The client moves at a moment of its own, with the last one that came."""
    made = checkpointing()

    async def run():
        task = asyncio.create_task(made.run())
        await asyncio.sleep(0)
        made.want(past=True)
        await asyncio.sleep(0.05)
        assert made.take(0, kept(b"with")) is not None
        made.take(0, END)
        await asyncio.sleep(0.6)
        task.cancel()
        return made.channels.connections[0].asked

    assert asyncio.run(run()) == [True, True]


def test_a_past_that_is_too_large_is_left_out():
    made = checkpointing(most_bytes=900)

    async def run():
        task = asyncio.create_task(made.run())
        await asyncio.sleep(0)
        made.want(past=True)
        await asyncio.sleep(0.05)
        assert made.take(0, kept(bytes(1_000))) is None
        await asyncio.sleep(0.6)
        assert made.take(0, kept(b"without")) is not None
        task.cancel()
        return made.channels.connections[0].asked

    assert asyncio.run(run()) == [True, False]
