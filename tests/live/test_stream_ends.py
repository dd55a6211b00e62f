"""A wait that is cut short loses nothing, and nothing that waits holds up an event loop."""

import asyncio
import threading
from dataclasses import replace

import numpy as np
import pytest

from parakeet_streaming import LiveEngine, load
from parakeet_streaming.errors import AudioInputError, OptionError
from parakeet_streaming.results import Gap, Partial
from parakeet_streaming.testing import Cue, fake_recognizer, marked_audio
from tests.live.by_hand import (
    CONTEXT,
    WORDS,
    Room,
    drained,
    finals_of,
    fixed,
    outcome_of,
    tokens_of,
)

WAIT_S = 120
SCRIPT = [Cue(3, 0), Cue(9, 1), Cue(20, 2)]


def fake():
    return fake_recognizer(SCRIPT, WORDS)


def in_loop(act):
    return asyncio.run(asyncio.wait_for(act, WAIT_S))


def test_a_timeout_does_not_end_the_iterator_and_loses_no_event():
    async def read(stream):
        events, given, timeouts = aiter(stream), [], 0
        audio = iter([marked_audio(60)[start : start + 4_000] for start in range(0, 76_800, 4_000)])
        while True:
            try:
                given.append(await asyncio.wait_for(anext(events), 0.001))
            except TimeoutError:
                timeouts += 1
                if (block := next(audio, None)) is not None:
                    stream.push(block)
                else:
                    stream.finish()
            except StopAsyncIteration:
                return given, timeouts

    with LiveEngine(fake()) as engine:
        given, timeouts = in_loop(read(engine.open(fixed())))
    assert timeouts > 5
    assert finals_of(given)[-1].transcript.text == "one two three"
    assert len(tokens_of(given)) == 3


def test_a_reader_that_is_cancelled_again_and_again_loses_no_event():
    async def read(stream):
        given = []

        async def reader():
            while (event := await stream.get_async()) is not None:
                given.append(event)

        stream.push(marked_audio(40))
        stream.finish()
        while True:
            task = asyncio.create_task(reader())
            await asyncio.sleep(0)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                await asyncio.sleep(0.001)
                continue
            return given

    with LiveEngine(fake()) as engine:
        given = in_loop(read(engine.open(fixed())))
    assert len(tokens_of(given)) == 3


def test_the_iterator_keeps_the_stream():
    async def read(engine):
        stream = engine.open(fixed())
        stream.push(marked_audio(30))
        stream.finish()
        events = aiter(stream)
        del stream
        given = [event async for event in events]
        await events.aclose()
        return given

    with LiveEngine(fake()) as engine:
        assert finals_of(in_loop(read(engine)))[-1].transcript.text == "one two three"


def test_an_interrupt_does_not_end_an_iterator_in_a_thread():
    room = Room(SCRIPT)
    stream = room.open()
    events = iter(stream)
    get, stream.get = stream.get, lambda: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        next(events)
    stream.get = get
    stream.push(marked_audio(30))
    stream.finish()
    room.settle()
    assert len(tokens_of(list(events))) == 3
    assert list(events) == []


def test_get_async_gives_what_get_gives():
    async def read(stream):
        given = []
        while (event := await stream.get_async()) is not None:
            given.append(event)
        assert await stream.get_async() is None
        return given

    with LiveEngine(fake()) as engine:
        stream = engine.open(fixed())
        stream.push(marked_audio(30))
        stream.finish()
        assert len(tokens_of(in_loop(read(stream)))) == 3


def test_blocks_of_async_with_end_streams_and_engine_while_the_loop_goes_on():
    async def run():
        ticks = 0

        async def tick():
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0)

        ticking = asyncio.create_task(tick())
        async with LiveEngine(load("tiny-en"), most_streams=2) as engine:
            async with engine.open(fixed()) as stream:
                stream.push(marked_audio(300))
            with pytest.raises(KeyError):
                async with engine.open(fixed()) as failed:
                    raise KeyError("the caller's own")
            before = ticks
        ticking.cancel()
        assert ticks > before + 2
        return stream, failed

    stream, failed = in_loop(run())
    assert outcome_of(stream) == "finished"
    assert outcome_of(failed) == "cancelled"


def test_readers_in_the_loop_get_everything_while_the_engine_closes():
    """A callback that waits for the loop would wait for ever if closing held the loop up."""

    async def run():
        loop, seen = asyncio.get_running_loop(), []

        async def show(event):
            seen.append(event)

        def relay(event):
            asyncio.run_coroutine_threadsafe(show(event), loop).result(WAIT_S)

        async with LiveEngine(fake()) as engine:
            stream = engine.open(fixed(), relay)
            stream.push(marked_audio(30))
        await engine.close_async()
        return seen

    assert len(tokens_of(in_loop(run()))) == 3


def test_a_block_of_with_ends_a_stream():
    room = Room(SCRIPT)
    with room.open() as stream:
        stream.push(marked_audio(30))
    with pytest.raises(KeyError), room.open() as failed:
        raise KeyError("the caller's own")
    room.settle()
    assert (outcome_of(stream), outcome_of(failed)) == ("finished", "cancelled")


@pytest.mark.parametrize("rate_hz", [16_000, 8_000])
def test_a_push_that_waits_is_taken_in_full(rate_hz):
    context = replace(CONTEXT, sample_rate=rate_hz)
    audio = marked_audio(300)

    async def upload(stream):
        reading = asyncio.create_task(collect(stream))
        assert await stream.push_async(audio) == len(audio)
        stream.finish()
        assert await stream.push_async(audio) == 0
        return await reading

    async def collect(stream):
        return [event async for event in stream]

    with LiveEngine(fake(), most_ring_s=0.1) as engine:
        first, second = engine.open(fixed(context)), engine.open(fixed(context))
        events = in_loop(upload(first))
        assert second.push_waiting(audio, WAIT_S) == len(audio)
        assert second.push_waiting([]) == 0
        second.finish()
        assert second.push_waiting(audio) == 0
        assert any(isinstance(each, Partial) for each in events)
        for stream in (first, second):
            assert stream.stats().refused_samples == 0
    with pytest.raises(AudioInputError):
        second.push_waiting(["no", "audio"])


def test_a_push_that_waits_in_vain_says_how_much_was_taken():
    room = Room(SCRIPT, most_ring_s=1.0)
    stream = room.open()
    with pytest.raises(TimeoutError, match="of 80000 samples were taken"):
        stream.push_waiting(marked_audio(63)[:80_000], 0.001)
    assert stream.stats().refused_samples == 0
    pushing = threading.Thread(target=stream.push_waiting, args=(marked_audio(50),))
    pushing.start()
    stream.cancel()
    room.settle()
    pushing.join(WAIT_S)
    assert not pushing.is_alive()


@pytest.mark.parametrize("rate_hz", [16_000, 48_000])
def test_samples_that_cannot_be_used_or_were_lost_are_a_gap_and_later_times_stay_true(rate_hz):
    context = replace(CONTEXT, sample_rate=rate_hz)
    room = Room(SCRIPT)
    stream = room.open(fixed(context))
    second = np.zeros(rate_hz, np.float32)
    stream.push(second)
    broken = second.copy()
    broken[rate_hz // 2] = np.nan
    with pytest.raises(AudioInputError):
        stream.push(broken)
    with pytest.raises(AudioInputError):
        stream.push(["no", "audio"])
    stream.push(second)
    stream.push_gap(np.int64(rate_hz))
    stream.push_gap(-5)
    stream.push(second)
    stream.finish()
    room.settle()
    events, _ = drained(stream)
    gaps = [each for each in events if isinstance(each, Gap)]
    assert [each.start for each in gaps] == pytest.approx(
        [1.0, 3.0], abs=0.03
    )  # what a resampler holds
    assert [each.end - each.start for each in gaps] == pytest.approx([1.0, 1.0], abs=0.001)
    assert stream.transcript().audio_s == pytest.approx(5.0, abs=0.01)
    stats = stream.stats()
    assert (stats.refused_samples, stats.received_samples) == (0, 80_000)


@pytest.mark.parametrize("rate_hz", [16_000, 48_000])
def test_a_commit_after_a_gap_ends_the_utterance_there(rate_hz):
    room = Room(SCRIPT)
    stream = room.open(fixed(replace(CONTEXT, sample_rate=rate_hz)))
    stream.push(np.zeros(rate_hz, np.float32))
    stream.push_gap(rate_hz)
    stream.commit()
    room.settle()
    (final,) = finals_of(drained(stream)[0])
    assert final.reason == "commit"
    assert final.transcript.audio_s == pytest.approx(2.0, abs=0.01)


def test_threads_that_push_at_once_lose_nothing():
    room = Room(SCRIPT)
    stream = room.open()
    taken = [0] * 4

    def push(number):
        for _ in range(500):
            taken[number] += stream.push(np.zeros(37, np.float32))

    threads = [threading.Thread(target=push, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
    assert sum(taken) == 4 * 500 * 37 == stream.stats().received_samples


@pytest.mark.parametrize("samples", [2**62, -(2**62), 1e9, "5", None, float("nan")])
def test_a_gap_of_no_possible_length(samples):
    with LiveEngine(fake_recognizer([], WORDS)) as engine:
        stream = engine.open(fixed())
        with pytest.raises(OptionError, match="samples"):
            stream.push_gap(samples)
