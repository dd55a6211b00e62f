"""Channels share frames and have streams of their own; their events come in one order."""

import asyncio

import numpy as np
import pytest

from parakeet_streaming import LiveEngine
from parakeet_streaming.errors import AudioInputError, CapacityError
from parakeet_streaming.server.channels import Channels
from parakeet_streaming.server.connection import Connection
from parakeet_streaming.server.connection_options import ChannelOptions
from parakeet_streaming.server.session_events import Ended, Lost
from tests.server.doors.test_native import PCM, SAID
from tests.server.served import FIXED, models


def run(test, streams=64):
    async def inside():
        async with LiveEngine(*models(), most_streams=streams) as engine:
            async with asyncio.timeout(120):
                return await test(engine)

    return asyncio.run(inside())


def test_frames_are_taken_apart_however_they_are_cut():
    frames = np.stack([PCM, np.zeros_like(PCM)], axis=1).tobytes()

    async def test(engine):
        channels = await Channels.open(engine, ChannelOptions(FIXED), 2)
        for start in range(0, len(frames), 1_001):
            await channels.push(frames[start : start + 1_001])
        channels.each(Connection.finish)
        told = [each async for each in channels.events()]
        await channels.close()
        return told, engine.stats().active_streams

    told, left = run(test)
    assert left == 0
    ended = {channel: event.text for channel, event in told if isinstance(event, Ended)}
    assert ended == {0: SAID, 1: ""}


def test_all_channels_are_opened_or_none():
    async def test(engine):
        with pytest.raises(CapacityError):
            await Channels.open(engine, ChannelOptions(FIXED), 3)
        while engine.stats().active_streams:
            await asyncio.sleep(0.01)
        channels = await Channels.open(engine, ChannelOptions(FIXED), 2)
        await channels.close()

    run(test, streams=2)


def test_others_may_take_the_places_of_channels_of_the_same_client():
    async def test(engine):
        channels = await Channels.open(engine, ChannelOptions(FIXED), 2)
        for count in (2, 1):
            before = channels
            channels = await Channels.open(engine, ChannelOptions(FIXED), count, instead_of=before)
            await before.close()
        with pytest.raises(CapacityError):
            await Channels.open(engine, ChannelOptions(FIXED), 3, instead_of=channels)
        await channels.close()

    run(test, streams=2)


def test_what_cannot_be_used_is_missing_in_every_channel():
    async def test(engine):
        channels = await Channels.open(engine, ChannelOptions(FIXED, "f32le"), 2)
        with pytest.raises(AudioInputError):
            await channels.push(np.full((160, 2), np.nan, "<f4").tobytes())
        await channels.push(np.zeros((16_000, 2), "<f4").tobytes())
        channels.each(Connection.finish)
        told = [each async for each in channels.events()]
        await channels.close()
        return told

    lost = [(channel, event) for channel, event in run(test) if isinstance(event, Lost)]
    assert sorted(lost, key=lambda each: each[0]) == [(0, Lost(0.0, 0.01)), (1, Lost(0.0, 0.01))]
