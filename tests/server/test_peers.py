"""Where calls come to, and what is left of a call that is ended. Calls: `doors/test_webrtc.py`."""

import asyncio

import pytest

from parakeet_streaming.errors import OptionError
from parakeet_streaming.server import peers
from parakeet_streaming.server.caller import Caller
from parakeet_streaming.server.peers import Peers
from parakeet_streaming.server.replies import TooManyError, WrongRequestError

CALLER = Caller("127.0.0.1", {}, {})


@pytest.mark.parametrize("host", ["127.0.0.1", "192.0.2.7"])
def test_calls_come_where_the_server_listens(host):
    assert Peers(host).addresses() == [host]


def test_calls_come_to_all_addresses(monkeypatch):
    there = ["192.0.2.7", "198.51.100.7"]
    monkeypatch.setattr(peers, "get_host_addresses", lambda *_: there)
    assert Peers("0.0.0.0").addresses() == there
    monkeypatch.setattr(peers, "get_host_addresses", lambda *_: [])
    assert Peers("0.0.0.0").addresses() == ["127.0.0.1"]


def test_a_host_that_is_not_there():
    with pytest.raises(OptionError, match="no address"):
        Peers("no-such-host.invalid")


def test_nobody_is_asked_for_an_address_unless_told():
    async def servers(host, server):
        peer = Peers(host, server).new(CALLER)
        await peer.end()
        return peer._connection._RTCPeerConnection__configuration.iceServers

    stun = "stun:stun.example.org:3478"
    assert asyncio.run(servers("192.0.2.7", None)) == []
    assert asyncio.run(servers("127.0.0.1", stun)) == []
    assert [each.urls for each in asyncio.run(servers("192.0.2.7", stun))] == [stun]


def test_an_offer_that_is_none():
    async def test():
        peer = Peers("127.0.0.1").new(CALLER)
        try:
            with pytest.raises(WrongRequestError, match="answered"):
                await peer.answer("v=0\r\nm=audio x\r\n")
        finally:
            await peer.end()

    asyncio.run(test())


def test_messages_that_nobody_takes_are_bounded():
    async def test():
        peer = Peers("127.0.0.1").new(CALLER)
        for _ in range(5_000):
            peer._on_message("x" * 1_000)
        messages = peer.messages()
        for _ in range(1_000):
            await anext(messages)
        with pytest.raises(TooManyError):
            await anext(messages)
        await peer.end()

    asyncio.run(test())
