"""A stream whose engine is in another process gives what one of this process gives."""

import asyncio
import gc
import threading

import numpy as np
import pytest

from parakeet_streaming import read_audio
from parakeet_streaming.errors import AudioInputError, EngineFailedError, OptionError
from parakeet_streaming.live.adaptation import DelayRange
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.processes.audio_memory import Sizes
from parakeet_streaming.results import Final, Gap, HealthHint, Partial, SnapshotTaken
from parakeet_streaming.timeline import ContextConfig
from tests.processes.across import FIXED, LONG_S, joined, read
from tests.server.doors.test_native import PCM, SAID

SAMPLES = PCM.astype(np.float32) / 32_768


def at_rate(rate_hz):
    times = np.arange(len(SAMPLES) * rate_hz // 16_000) * 16_000 / rate_hz
    return np.interp(times, np.arange(len(SAMPLES)), SAMPLES).astype(np.float32)


def text_of(events):
    return " ".join(event.transcript.text for event in events if isinstance(event, Final))


def plainly(events):
    """What does not depend on when steps were computed. Gaps are told when they are come to."""
    partials = [event for event in events if isinstance(event, Partial)]
    tokens = [token for event in partials for token in event.tokens]
    gaps = [event for event in events if isinstance(event, Gap)]
    return tokens, [event for event in events if not isinstance(event, (Partial, Gap))], gaps


@pytest.fixture(scope="module")
def both():
    with joined() as found:
        yield found


def heard(engine, samples=SAMPLES, size=1_280, options=FIXED):
    stream = engine.open(options)
    for start in range(0, len(samples), size):
        stream.push_waiting(samples[start : start + size], LONG_S)
    stream.finish()
    return read(stream)


@pytest.mark.parametrize("size", [320, 1_280, 12_345, 10**7])
def test_it_hears_what_an_engine_of_this_process_hears(both, size):
    there, here = heard(both.remote, size=size), heard(both.engine, size=size)
    assert text_of(there) == SAID
    assert plainly(there) == plainly(here)


def test_one_sample_at_a_time(both):
    stream = both.remote.open(FIXED)
    for sample in SAMPLES[:24_000]:
        stream.push(sample)
    stream.push_waiting(SAMPLES[24_000:], LONG_S)
    stream.finish()
    assert text_of(read(stream)) == SAID


@pytest.mark.parametrize("rate_hz", [8_000, 24_000, 44_100])
def test_other_rates(both, rate_hz):
    context = ContextConfig(5.0, 0.5, 0.5, rate_hz)
    samples = at_rate(rate_hz)
    options = LiveOptions(DelayRange.fixed(context))
    there = heard(both.remote, samples, options=options)
    assert text_of(there)
    assert plainly(there) == plainly(heard(both.engine, samples, options=options))


def test_commits(both):
    def told(engine):
        stream = engine.open(FIXED)
        for start in range(0, len(SAMPLES), 16_000):
            stream.push_waiting(SAMPLES[start : start + 16_000], LONG_S)
            stream.commit()
        stream.finish()
        stream.commit()
        return read(stream)

    there = told(both.remote)
    assert plainly(there) == plainly(told(both.engine))
    assert [event.reason for event in there if isinstance(event, Final)].count("commit") >= 3


def test_gaps(both):
    def told(engine):
        stream = engine.open(FIXED)
        stream.push_waiting(SAMPLES[:30_000], LONG_S)
        stream.push_gap(1_600)
        stream.push_waiting(SAMPLES[31_600:], LONG_S)
        stream.push_gap(800)
        stream.finish()
        return read(stream)

    there = told(both.remote)
    assert [e.start for e in there if isinstance(e, Gap)] == [1.875, len(SAMPLES) / 16_000]
    assert plainly(there) == plainly(told(both.engine))


def test_nothing_at_all(both):
    stream = both.remote.open(FIXED)
    stream.finish()
    assert text_of(read(stream)) == ""
    assert stream.push(SAMPLES) == 0


def test_samples_that_are_none(both):
    stream = both.remote.open(FIXED)
    with pytest.raises(AudioInputError):
        stream.push(np.array([0.0, np.nan], np.float32))
    stream.cancel()
    events = read(stream)
    assert not text_of(events)


def test_a_loud_mistake_is_hinted_at_once(both):
    stream = both.remote.open(FIXED)
    stream.push_waiting(SAMPLES * 32_768, LONG_S)
    stream.finish()
    hints = [event for event in read(stream) if isinstance(event, HealthHint)]
    assert [hint.kind for hint in hints] == ["scale"]
    assert stream.stats().hints == tuple(hints)


def test_no_audio_ends_an_utterance(both):
    """The worker asks for that commit; the process with the samples says where it ends."""
    options = LiveOptions(DelayRange.fixed(ContextConfig.balanced()), no_audio_s=0.2)
    stream = both.remote.open(options)
    stream.push_waiting(SAMPLES, LONG_S)
    reasons = []
    while "no_audio" not in reasons:
        event = stream.get(LONG_S)
        if isinstance(event, Final):
            reasons.append(event.reason)
    stream.cancel()
    read(stream)


def test_idle_streams_end(both):
    options = LiveOptions(DelayRange.fixed(ContextConfig.balanced()), idle_timeout_s=0.2)
    stream = both.remote.open(options)
    stream.push_waiting(SAMPLES, LONG_S)
    assert text_of(read(stream)) == SAID
    assert stream.stats().outcome == "timed_out"
    assert stream.room == 0


def test_how_it_goes(both):
    stream = both.remote.open(FIXED, id="mine")
    assert (stream.id, stream.stats().id) == ("mine", "mine")
    stream.push_waiting(SAMPLES, LONG_S)
    stream.finish()
    read(stream)
    stats = stream.stats()
    assert stats.outcome == "finished"
    assert stats.received_samples == len(SAMPLES)
    assert stats.audio_s == stream.told_s == pytest.approx(len(SAMPLES) / 16_000, abs=0.1)
    assert stream.transcript().text == SAID


def test_what_is_told_is_never_ahead_of_the_events(both):
    stream = both.remote.open(FIXED)
    committed_s = 0.0

    def push():
        for start in range(0, len(SAMPLES), 1_280):
            stream.push_waiting(SAMPLES[start : start + 1_280], LONG_S)
        stream.finish()

    pushing = threading.Thread(target=push)
    pushing.start()
    while True:
        told_s = stream.told_s
        try:
            event = stream.get(0)
        except TimeoutError:
            assert told_s <= committed_s + 1e-6 or stream.stats().skipped
            continue
        if event is None:
            break
        if isinstance(event, Partial):
            committed_s = max(committed_s, event.committed_s)
    pushing.join(LONG_S)


def test_snapshots_go_on(both):
    first = both.remote.open(FIXED)
    first.push_waiting(SAMPLES[:32_000], LONG_S)
    first.ask_snapshot()
    events = []
    while not events or not isinstance(events[-1], SnapshotTaken):
        events.append(first.get(LONG_S))
    taken = events.pop()
    second = both.remote.open(FIXED, resume=taken.write(), instead_of=first)
    first.cancel()
    read(first)
    assert second.stats().resumed == "exact"
    assert second.stats().received_samples == taken.position
    second.push_waiting(SAMPLES[taken.position :], LONG_S)
    second.finish()
    tokens, *_ = plainly(events + read(second))
    assert tokens == plainly(heard(both.engine))[0]


def test_snapshots_of_other_rates_have_filters(both):
    samples = at_rate(24_000)
    options = LiveOptions(DelayRange.fixed(ContextConfig(5.0, 0.5, 0.5, 24_000)))
    stream = both.remote.open(options)
    stream.push_waiting(samples[:48_000], LONG_S)
    stream.ask_snapshot()
    while not isinstance(event := stream.get(LONG_S), SnapshotTaken):
        pass
    assert event.filters
    other = both.remote.open(
        options, resume=event.write(), filters=event.filters, instead_of=stream
    )
    assert other.stats().resumed == "exact"
    for each in (stream, other):
        each.cancel()
        read(each)


def test_phrases(both):
    held = both.remote.prepare(["seven"], 2.0)
    stream = both.remote.open(FIXED)
    stream.use_phrases(["seven"], 2.0)
    with pytest.raises(OptionError):
        stream.use_phrases(None, 2.0)
    stream.use_phrases(None)
    stream.cancel()
    read(stream)
    assert held is not None
    gc.collect()


def test_where_there_is_no_room_one_waits(both):
    options = LiveOptions(DelayRange.fixed(ContextConfig.balanced()), most_ring_s=1.0)
    stream = both.remote.open(options)
    many = np.tile(SAMPLES, 20)
    assert stream.push_waiting(many, LONG_S) == len(many)
    stream.finish()
    events = read(stream)
    assert not [event for event in events if isinstance(event, Gap)]
    assert stream.stats().received_samples == len(many)


def test_in_an_event_loop_too(both):
    async def talk():
        options = LiveOptions(DelayRange.fixed(ContextConfig.balanced()), most_ring_s=1.0)
        stream = both.remote.open(options)

        async def push():
            await stream.push_async(np.tile(SAMPLES, 5))
            stream.finish()

        pushing = asyncio.create_task(push())
        events = [event async for event in stream]
        await pushing
        return events

    assert len(text_of(asyncio.run(asyncio.wait_for(talk(), LONG_S))).split()) == 40


def test_what_a_full_ring_refuses_is_a_gap(both):
    options = LiveOptions(DelayRange.fixed(ContextConfig.balanced()), most_ring_s=1.0)
    stream = both.remote.open(options)
    many = np.tile(SAMPLES, 20)
    taken = stream.push(many)
    assert taken < len(many)
    stream.finish()
    gaps = [event for event in read(stream) if isinstance(event, Gap)]
    assert sum(gap.end - gap.start for gap in gaps) == pytest.approx((len(many) - taken) / 16_000)


def test_streams_share_the_memory_and_none_is_forgotten_when_it_is_short():
    with joined(sizes=Sizes(slots=4, blocks=32)) as both:
        many = np.tile(SAMPLES, 2)
        streams = [both.remote.open(FIXED) for _ in range(4)]

        def push(stream):
            stream.push_waiting(many, LONG_S)
            stream.finish()

        threads = [threading.Thread(target=push, args=(stream,)) for stream in streams]
        for thread in threads:
            thread.start()
        for stream in streams:
            assert isinstance(read(stream)[-1], Final)
        for thread in threads:
            thread.join(LONG_S)
            assert not thread.is_alive()


def test_a_stream_that_is_dropped_is_cancelled(both):
    stream = both.remote.open(FIXED, id="dropped")
    stream.push_waiting(SAMPLES, LONG_S)
    del stream
    gc.collect()
    # Its id and its slot can be had again, as soon as the engine has heard of it.
    for _ in range(100):
        again = both.remote.open(FIXED)
        again.cancel()
        read(again)


def test_the_engine_goes_and_says_so_by_name():
    with joined() as both:
        stream = both.remote.open(FIXED)
        stream.push_waiting(SAMPLES, LONG_S)
        both.part()
        with pytest.raises(EngineFailedError, match="engine process"):
            read(stream)
        assert isinstance(both.remote.failure, EngineFailedError)
        with pytest.raises(EngineFailedError):
            both.remote.open(FIXED)
        assert stream.push(SAMPLES) == 0


def test_files_are_no_live_streams(both):
    samples = read_audio("examples/recordings/digits.wav")
    options = LiveOptions.recording(ContextConfig(10.0, 2.0, 2.0))
    assert text_of(heard(both.remote, samples, options=options)) == SAID
