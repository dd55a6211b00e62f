"""What a server answers to a handshake."""

import asyncio
import json

import pytest

from parakeet_streaming.client.address import Address
from parakeet_streaming.client.conversation import Conversation
from parakeet_streaming.client.events import Marker
from parakeet_streaming.client.messages import NotResumed
from parakeet_streaming.client.sockets import Way
from parakeet_streaming.errors import ServerError

REFUSED = {"type": "error", "code": "checkpoint_refused", "reason": "expired", "message": "old",
           "fatal": False}  # fmt: skip


class Saying:
    def __init__(self, *messages):
        self.messages = [json.dumps(each) for each in messages]

    async def receive(self):
        if not self.messages:
            await asyncio.Event().wait()
        return self.messages.pop(0)


def answer(*messages):
    conversation = Conversation()
    address = Address("ws://nowhere", {}, Way(0.05, False, None))
    return asyncio.run(address.answer(Saying(*messages), conversation)), conversation


def test_what_comes_before_the_answer_is_taken():
    found, conversation = answer({"type": "marker", "id": "m"}, REFUSED)
    assert found == NotResumed("expired", "old")
    assert conversation.next() == Marker("m")


def test_no_answer_is_an_error():
    with pytest.raises(ServerError, match=r"opened no stream within 0\.05 s"):
        answer()


def test_a_stream_that_comes_back_says_so_and_waits_less():
    address = Address("ws://there/v1/stream?tokens=1", {}, Way(30.0, False, None))
    assert address.again(8.0) == Address(
        "ws://there/v1/stream?tokens=1&again=1", {}, Way(8.0, False, None)
    )
    assert address.again(90.0).way.timeout_s == 30.0
