"""What a client says while its audio comes, to a real server."""

import asyncio
from itertools import product
from pathlib import Path

import pytest

from parakeet_streaming.audio.files import read_audio
from parakeet_streaming.client import Final, Mistake
from parakeet_streaming.errors import OptionError, StreamClosedError
from tests.client.test_async_stream import of, with_client

JFK = read_audio(Path(__file__).parents[1] / "parity" / "golden" / "audio" / "jfk.wav")
BOOSTED = "could"
"""Puts a "could" where the model alone hears "can"."""
NAMES = ["mill", "lake", "wood", "shore", "bridge", "tower", "gate", "field", "hill", "river"] * 2
MANY = [BOOSTED, *(f"{one} house by the {other}" for one, other in product(NAMES, NAMES))]


def boosted(events):
    return [word.text for each in of(Final, events) for word in each.words if word.boosted]


async def heard(client, *, change=None, at=44_000, **options):
    async with client.stream(**options) as stream:
        await stream.send(JFK[:at])
        if change is not None:
            await stream.use_phrases(*change)
        await stream.send(JFK[at:])
        await stream.finish()
        return [event async for event in stream]


def test_phrases_change_while_audio_comes():
    async def talk(client, _):
        return await asyncio.gather(
            heard(client),
            heard(client, change=([BOOSTED], 1.0)),
            heard(client, change=([BOOSTED],), at=0),
            heard(client, phrases=[BOOSTED], change=(None,)),
            heard(client, change=(["Żółć"],)),
        )

    plain, begun, at_first, ended, refused = with_client(talk)
    assert boosted(plain) == boosted(ended) == boosted(refused) == []
    assert BOOSTED in boosted(begun)
    assert BOOSTED in boosted(at_first)
    assert "cannot write" in of(Mistake, refused)[0].message


def test_more_phrases_than_an_address_holds_are_sent_as_a_message():
    async def talk(client, _):
        return await heard(client, phrases=MANY)

    assert boosted(with_client(talk))


def test_phrases_beyond_their_limits_are_refused_here():
    async def talk(client, _):
        async with client.stream() as stream:
            with pytest.raises(OptionError, match="characters"):
                await stream.use_phrases(["x" * 101])
            await stream.finish()
            with pytest.raises(StreamClosedError, match="was finished"):
                await stream.use_phrases([])
        with pytest.raises(OptionError, match="characters"):
            await client.stream(phrases=["x" * 101])

    with_client(talk)
