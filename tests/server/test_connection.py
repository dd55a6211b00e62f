"""One channel over a real engine: audio in, what is told out, and nothing left behind."""

import asyncio

import numpy as np
import pytest

from parakeet_streaming.errors import AudioInputError, CapacityError
from parakeet_streaming.server.connection import Connection
from parakeet_streaming.server.connection_options import ChannelOptions
from parakeet_streaming.server.replies import SlowReaderError
from parakeet_streaming.server.session_events import Cleared, Ended, Heard, Lost, Marked
from tests.server.doors.test_native import PCM, SAID
from tests.server.grammar import Grammar
from tests.server.served import FIXED
from tests.server.test_channels import run


def of(events, kind):
    return [event for event in events if isinstance(event, kind)]


@pytest.mark.parametrize("size", [321, 6_401, 10**6])
def test_bytes_become_text_however_they_are_cut(size):
    data = PCM.tobytes()

    async def test(engine):
        connection = Connection(engine, ChannelOptions(FIXED))
        for start in range(0, len(data), size):
            await connection.push(data[start : start + size])
        assert connection.pushed_s == len(PCM) / 16_000
        connection.finish()
        events = [event async for event in connection.events()]
        await connection.close()
        return events

    events = run(test)
    grammar = Grammar()
    for event in events:
        grammar.take(event)
    assert [each.text for each in grammar.ended] == [SAID]


def test_markers_commits_and_clearing():
    async def test(engine):
        connection = Connection(engine, ChannelOptions(FIXED))
        await connection.push(PCM[:36_000].tobytes())
        connection.mark("a")
        connection.commit()
        events = connection.events()
        told = [await anext(events)]
        while not of(told, Marked):
            told.append(await anext(events))
        await connection.push(PCM[36_000:60_000].tobytes())
        connection.clear()
        connection.finish()
        later = [event async for event in events]
        await connection.close()
        return told, later

    told, later = run(test)
    assert len(of(told, Ended)) == 1
    assert of(told, Ended)[0].reason == "commit"
    assert len(of(later, Cleared)) == 1
    assert [each.text for each in of(later, Ended)] == [""]


def test_what_cannot_be_used_moves_nothing():
    async def test(engine):
        connection = Connection(engine, ChannelOptions(FIXED, "f32le"))
        bad = np.full(100, np.nan, "<f4").tobytes()
        with pytest.raises(AudioInputError):
            await connection.push(bad)
        await connection.push((PCM / 32_768).astype("<f4").tobytes())
        connection.finish()
        events = [event async for event in connection.events()]
        await connection.close()
        return events

    events = run(test)
    assert of(events, Lost) == [Lost(0.0, 100 / 16_000)]
    assert of(events, Ended)[-1].text == SAID


def test_a_place_is_free_after_close_whoever_reads():
    async def test(engine):
        for read in (False, True):
            connection = Connection(engine, ChannelOptions(FIXED))
            with pytest.raises(CapacityError):
                Connection(engine, ChannelOptions(FIXED))
            await connection.push(PCM.tobytes())
            reading = asyncio.ensure_future(anext(connection.events())) if read else None
            await connection.close()
            if reading is not None:
                reading.cancel()
            while engine.stats().active_streams:
                await asyncio.sleep(0.01)

    run(test, streams=1)


def test_a_reader_that_stays_away_is_told_so():
    async def test(engine):
        connection = Connection(engine, ChannelOptions(FIXED, most_waiting=2))
        for _ in range(4):
            await connection.push(PCM[:16_000].tobytes())
            connection.commit()
        connection.finish()
        await asyncio.sleep(0)
        while not connection._over:
            await asyncio.sleep(0.01)
        with pytest.raises(SlowReaderError, match="were not read"):
            [event async for event in connection.events()]
        await connection.close()

    run(test)


def test_texts_are_joined_where_the_client_reads_slowly():
    async def test(engine):
        connection = Connection(engine, ChannelOptions(FIXED))
        await connection.push(PCM.tobytes())
        connection.finish()
        while not connection._over:
            await asyncio.sleep(0.01)
        events = [event async for event in connection.events()]
        await connection.close()
        return events

    assert [each.text for each in of(run(test), Heard)] == [SAID]
