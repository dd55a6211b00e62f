"""Samples are checked, resampled and counted at the edge, and the end may come from any thread."""

import asyncio
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parakeet_streaming.audio.resample import Resampler, fed_again, filters_from
from parakeet_streaming.errors import AudioInputError
from parakeet_streaming.live.audio_queue import AudioQueueWriter, Missing
from parakeet_streaming.live.ingest import AudioIngest
from parakeet_streaming.testing import noise
from tests.live.by_hand import next_of

WAIT_S = 60


def ingest(rate_hz=16_000, capacity=160_000, most=160_000):
    writer = AudioQueueWriter(capacity, most, lambda: 0.0, lambda: None)
    return AudioIngest(writer, rate_hz), writer


def taken(writer):
    """Everything in the queue, zeros where samples are missing."""
    pieces = []
    while (piece := next_of(writer.reader, 10**9)) is not None:
        pieces.append(np.zeros(piece.count, "f4") if isinstance(piece, Missing) else piece)
    return np.concatenate([np.empty(0, np.float32), *pieces])


def test_samples_that_are_none_are_refused_and_take_nothing():
    edge, writer = ingest()
    for bad in ([float("nan")], [float("inf")], ["a"]):
        with pytest.raises(AudioInputError):
            edge.push(bad)
    assert edge.push([]) == 0
    assert writer.received == 0


def test_channels_become_one():
    edge, writer = ingest()
    assert edge.push(np.array([[0.5, 0.25], [0.0, 1.0]], np.float32)) == 2
    assert taken(writer).tolist() == [0.375, 0.5]


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 48_000])
def test_other_rates_are_resampled_whole_tail_included(rate_hz):
    edge, writer = ingest(rate_hz)
    audio = noise(1.0)[: rate_hz // 3]
    assert sum(edge.push(piece) for piece in np.array_split(audio, 13)) == len(audio)
    edge.finish()
    resampler = Resampler(rate_hz)
    wanted = np.concatenate([resampler.feed(audio), resampler.finish()])
    np.testing.assert_array_equal(taken(writer), wanted)
    assert writer.reader.ended


@given(
    rate_hz=st.sampled_from([8_000, 16_000, 44_100]),
    acts=st.lists(st.tuples(st.integers(0, 4_000), st.integers(0, 3_000)), max_size=30),
    most=st.integers(1_000, 3_000),
)
def test_what_push_returns_adds_up(rate_hz, acts, most):
    edge, writer = ingest(rate_hz, 500, most)
    pushed = returned = 0
    for count, drawn in acts:
        given = edge.push(np.ones(count, np.float32))
        assert 0 <= given <= count
        pushed, returned = pushed + count, returned + given
        next_of(writer.reader, drawn)
    refused = writer.refused * rate_hz // 16_000
    # What a resampler gave out late is carried over until enough is pushed.
    assert pushed - returned <= refused
    while pushed - returned < writer.refused * rate_hz // 16_000:
        while next_of(writer.reader, 10**9) is not None:
            pass
        returned += edge.push(np.ones(10, np.float32))
        pushed += 10
    assert pushed - returned == writer.refused * rate_hz // 16_000


@given(
    rate_hz=st.sampled_from([4_000, 11_025, 16_000, 48_000]),
    acts=st.lists(st.tuples(st.integers(0, 9_000), st.integers(0, 9_000)), max_size=20),
)
def test_a_push_of_the_room_is_taken_in_full(rate_hz, acts):
    edge, writer = ingest(rate_hz, 500, 4_000)
    for count, drawn in acts:
        room = edge.room
        assert edge.push(np.ones(min(count, room), np.float32)) == min(count, room)
        next_of(writer.reader, drawn)
    assert writer.refused == 0


def test_nothing_is_taken_after_the_end():
    edge, writer = ingest(8_000)
    edge.push(np.ones(4_000, np.float32))
    for _ in range(2):
        edge.finish()
    assert edge.finished
    received = writer.received
    assert received == 8_000
    assert edge.push(np.ones(100, np.float32)) == 0
    assert (edge.room, edge.wait_for_room()) == (0, 0)
    assert writer.received == received


def test_an_end_while_a_push_runs_comes_after_it():
    """`finish` in another thread while the push is inside the resampler: nobody waits."""
    edge, writer = ingest(8_000)
    inside, let_go = threading.Event(), threading.Event()
    resampler = edge._resampler

    class Slow:
        def feed(self, samples):
            inside.set()
            assert let_go.wait(WAIT_S)
            return resampler.feed(samples)

        def finish(self):
            return resampler.finish()

    edge._resampler = Slow()
    returned = []
    pusher = threading.Thread(target=lambda: returned.append(edge.push(np.ones(4_000, "f4"))))
    pusher.start()
    assert inside.wait(WAIT_S)
    edge.finish()
    assert not writer.closed
    assert edge.push([1.0]) == 0
    let_go.set()
    pusher.join(WAIT_S)
    assert returned == [4_000]
    assert writer.closed
    assert len(taken(writer)) == 8_000


def test_a_push_and_an_end_that_race_lose_nothing_that_was_taken():
    for _ in range(200):
        edge, writer = ingest(8_000)
        returned, start = [], threading.Barrier(2)

        def push(edge=edge, returned=returned, start=start):
            start.wait(WAIT_S)
            for _ in range(20):
                returned.append(edge.push(np.ones(80, np.float32)))

        thread = threading.Thread(target=push)
        thread.start()
        start.wait(WAIT_S)
        edge.finish()
        thread.join(WAIT_S)
        assert writer.closed
        assert len(taken(writer)) == 2 * sum(returned)


def test_a_thread_waits_for_room():
    edge, writer = ingest(16_000, 100, 1_000)
    edge.push(np.ones(1_000, np.float32))
    assert edge.room == 0
    with pytest.raises(TimeoutError, match="no room for 5 samples within 0"):
        edge.wait_for_room(5, 0.0)
    found = []
    waiter = threading.Thread(target=lambda: found.append(edge.wait_for_room(500, WAIT_S)))
    waiter.start()
    while not edge._waiters.waiting:
        pass
    for _ in range(6):
        next_of(writer.reader, 100)
        edge.woken()
    waiter.join(WAIT_S)
    assert found[0] >= 500


def test_more_than_can_ever_be_is_as_much_as_can_be():
    edge, _ = ingest(16_000, 100, 1_000)
    assert edge.wait_for_room(10**9, 0.0) == 1_000


def test_an_event_loop_waits_for_room_and_for_the_end():
    async def run():
        edge, writer = ingest(16_000, 100, 1_000)
        edge.push(np.ones(1_000, np.float32))
        waiting = asyncio.ensure_future(edge.wait_for_room_async(10))
        await asyncio.sleep(0)
        assert not waiting.done()
        next_of(writer.reader, 100)
        edge.woken()
        found = await asyncio.wait_for(waiting, WAIT_S)
        edge.push(np.ones(1_000, np.float32))
        waiting = asyncio.ensure_future(edge.wait_for_room_async(1_000))
        await asyncio.sleep(0)
        threading.Thread(target=edge.finish).start()
        return found, await asyncio.wait_for(waiting, WAIT_S)

    found, at_end = asyncio.run(run())
    assert found >= 10
    assert at_end == 0


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100])
def test_a_commit_hands_on_all_that_was_pushed(rate_hz):
    edge, writer = ingest(rate_hz)
    audio, at = noise(1.0)[:rate_hz], []
    first, second = np.split(audio, [rate_hz // 3])
    for piece in np.array_split(first, 5):
        edge.push(piece)
    edge.commit(at.append)
    assert at == [writer.received] == [round(len(first) * 16_000 / rate_hz)]
    edge.push(second)
    edge.finish()
    wanted = []
    for part in (first, second):
        resampler = Resampler(rate_hz)
        wanted += [resampler.feed(part), resampler.finish()]
    np.testing.assert_array_equal(taken(writer), np.concatenate(wanted) if at else [])


def test_a_commit_while_a_push_runs_comes_after_it(monkeypatch):
    edge, writer = ingest(8_000)
    inside, go_on, at = threading.Event(), threading.Event(), []
    feed = Resampler.feed

    def slow(self, samples):
        inside.set()
        assert go_on.wait(WAIT_S)
        return feed(self, samples)

    monkeypatch.setattr(Resampler, "feed", slow)
    pushing = threading.Thread(target=edge.push, args=[noise(1.0)[:4_000]])
    pushing.start()
    assert inside.wait(WAIT_S)
    edge.commit(at.append)
    assert at == []
    go_on.set()
    pushing.join(WAIT_S)
    assert at == [writer.received] == [8_000]


def test_a_commit_after_the_end_finds_nothing_more():
    edge, writer = ingest(8_000)
    edge.push(noise(1.0)[:4_000])
    edge.finish()
    at = []
    edge.commit(at.append)
    assert at == [writer.received]


@settings(max_examples=60, deadline=None)
@given(
    rate_hz=st.sampled_from([8_000, 24_000, 48_000, 44_100]),
    steps=st.lists(
        st.tuples(st.sampled_from(["audio", "audio", "audio", "gap", "commit"]), st.floats(0, 0.7)),
        min_size=1, max_size=25,
    ),
    at=st.floats(0, 1), back_s=st.floats(0, 2),
)  # fmt: skip
def test_a_stream_that_goes_on_gets_the_same_samples(rate_hz, steps, at, back_s):
    """Cut after any step, and begun again at any position before: its commits do not come again."""
    audio = noise(20.0, seed=3)
    script, sample = [], 0
    for kind, seconds in steps:
        count = 0 if kind == "commit" else round(seconds * rate_hz)
        script.append((kind, sample, count))
        sample += count
    cut = round(at * len(script))

    def said(edge, script, since=0):
        for kind, start, count in script:
            left_out = min(count, max(0, since - start))
            if kind == "audio":
                places = range(start + left_out, start + count)
                edge.push(np.take(audio, places, mode="wrap"))
            elif kind == "gap":
                edge.miss(count - left_out)
            else:
                edge.commit(lambda _: None)

    whole, written = ingest(rate_hz, 10**7, 10**7)
    said(whole, script[:cut])
    position = max(0, written.received - round(back_s * 16_000))
    filters = filters_from(whole.filters, position)
    said(whole, script[cut:])
    whole.finish()
    writer = AudioQueueWriter(10**7, 10**7, lambda: 0.0, lambda: None, start=position)
    edge = AudioIngest(writer, rate_hz, filters)
    since = fed_again(filters[0], position, rate_hz).sample
    said(edge, [each for each in script[:cut] if each[0] != "commit"], since)
    assert edge.filters[0] == filters[0]
    said(edge, script[cut:])
    edge.finish()
    wanted, got = taken(written)[position:], taken(writer)
    assert writer.received == written.received
    exact = fed_again(filters[0], position, rate_hz).exact
    np.testing.assert_allclose(got, wanted, atol=0 if exact else 1e-6)
    assert edge.room == 0
