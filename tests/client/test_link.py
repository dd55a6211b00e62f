"""Streams whose connection is cut again and again tell what one that was not cut would tell."""

import asyncio
import random
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from parakeet_streaming.audio.files import read_audio
from parakeet_streaming.audio.resample import Resampler
from parakeet_streaming.client import (
    AsyncClient,
    Final,
    Gap,
    Marker,
    Partial,
    Reconnecting,
    Resumed,
    Resuming,
)
from parakeet_streaming.errors import ServerError, StreamClosedError
from parakeet_streaming.server.checkpoint import CheckpointKeys
from parakeet_streaming.server.doors import native
from parakeet_streaming.server.limits import Limits
from parakeet_streaming.testing import (
    Cue,
    FakeEncoder,
    FakePieces,
    marked_audio,
    recognizer_of,
)
from tests.client.cutting import proxied
from tests.live.by_hand import ByFrame
from tests.server.served import FIXED, serving

DIGITS = read_audio(Path(__file__).parents[2] / "examples" / "recordings" / "digits.wav")
LONG = np.concatenate([DIGITS, np.zeros(12_000, np.float32)] * 3)
SAID = "three one four one five nine two six"
DECIDED = ("utterance", "text", "start", "end", "reason", "words", "channel")
KEY = "a key that all servers know"
QUICK = Resuming(for_s=30.0, first_wait_s=0.02, most_wait_s=0.1, checkpoints_s=0.5, silent_s=1.5)


@asynccontextmanager
async def servers(keys=(KEY, KEY), **options):
    """Servers with those checkpoint keys, behind a proxy that takes turns."""
    async with AsyncExitStack() as stack:
        services, addresses = [], []
        for key in keys:
            serves = serving(native.routes, streams=16, **options)
            service, address = await stack.enter_async_context(serves)
            service.checkpoints = CheckpointKeys([key] if key else [])
            services.append(service)
            addresses.append(address)
        proxy, address = await stack.enter_async_context(proxied(*addresses))
        yield services, proxy, address


def run(test):
    async def whole():
        async with asyncio.timeout(200):
            return await test()

    return asyncio.run(whole())


async def read(stream, events):
    while (event := await stream.get()) is not None:
        events.append(event)


def of(kind, events):
    return [each for each in events if isinstance(each, kind)]


def decided(events):
    """What is told for good."""
    return [tuple(getattr(each, name) for name in DECIDED) for each in of(Final, events)]


def written(events):
    """The text of each utterance as its partials build it up."""
    texts = {}
    for each in of(Partial, events):
        key = each.channel, each.utterance
        texts[key] = texts.get(key, "") + each.text
    return {key: text for key, text in texts.items() if text}


async def say(stream, script, pause_s=0.0):
    for each in script:
        if isinstance(each, np.ndarray):
            await stream.send(each)
        elif isinstance(each, int):
            await stream.gap(each)
        else:
            await (stream.commit() if each == "commit" else stream.marker(each))
        await asyncio.sleep(pause_s)


async def told(address, script, disturb=None, resume=QUICK, pause_s=0.0, timeout_s=30.0, **options):
    """All events of a stream that says those things while `disturb(proxy)` goes on."""
    events = []
    async with AsyncClient(address, timeout_s=timeout_s) as client:
        stream = await client.stream(resume=resume, **options)
        reading = asyncio.create_task(read(stream, events))
        disturbing = None if disturb is None else asyncio.create_task(disturb(events))
        try:
            await say(stream, script, pause_s)
            await stream.finish()
            await reading
        finally:
            if disturbing is not None:
                disturbing.cancel()
                await asyncio.gather(disturbing, return_exceptions=True)
            await stream.close()
    return events, stream


def pieces(audio, size):
    return [audio[start : start + size] for start in range(0, len(audio), size)]


def test_a_stream_that_is_not_cut_is_as_before():
    async def test():
        async with servers() as (_, _, address):
            return await told(address, pieces(DIGITS, 4_001))

    events, stream = run(test)
    (final,) = of(Final, events)
    assert final.text == SAID == stream.heard.text
    assert final.tokens == ()
    assert not of((Reconnecting, Resumed), events)


@pytest.mark.parametrize("seed", range(6))
def test_cuts_lose_nothing_and_double_nothing(seed):
    draw = random.Random(seed)
    script = pieces(LONG, draw.randrange(500, 9_000))
    for thing in ("commit", "commit", 8_000, "m1", "m2"):
        script.insert(draw.randrange(len(script)), thing)

    async def test():
        async with servers() as (_, proxy, address):
            plain, _ = await told(address, script, resume=False)

            async def disturb(_):
                for _ in range(7):
                    await asyncio.sleep(0.05 + draw.random() * 0.8)
                    (proxy.freeze if draw.random() < 0.1 else proxy.reset)()

            events, stream = await told(address, script, disturb)
            return plain, events, stream, proxy.opened

    plain, events, stream, opened = run(test)
    assert decided(events) == decided(plain)
    assert written(events) == written(plain)
    assert of(Gap, events) == of(Gap, plain)
    assert [each.id for each in of(Marker, events)] == [each.id for each in of(Marker, plain)]
    assert all(each.how == "exact" for each in of(Resumed, events))
    assert stream.heard.text == " ".join(each.text for each in of(Final, plain) if each.text)
    assert opened > 2


def when(events, kind, act, **fields):
    """Acts once such an event has come."""

    async def disturb(events):
        while not any(
            all(getattr(each, name) == value for name, value in fields.items())
            for each in of(kind, events)
        ):
            await asyncio.sleep(0.005)
        act()

    return disturb(events)


def test_a_server_that_stands_still_is_left():
    async def test():
        async with servers() as (_, proxy, address):
            plain, _ = await told(address, pieces(LONG, 8_000), resume=False)
            return plain, await told(
                address, pieces(LONG, 8_000), lambda events: when(events, Partial, proxy.freeze)
            )

    plain, (events, _) = run(test)
    assert decided(events) == decided(plain)
    assert "did not answer" in of(Reconnecting, events)[0].reason


def test_channels_go_on_together():
    both = np.stack([LONG, np.roll(LONG, 20_000)], axis=1)
    script = [*pieces(both, 9_001)]
    script.insert(4, "commit")

    async def test():
        async with servers() as (_, proxy, address):
            options = {"channels": 2, "separate": True}
            plain, _ = await told(address, script, resume=False, **options)

            async def disturb(_):
                for _ in range(4):
                    await asyncio.sleep(0.7)
                    proxy.reset()

            return plain, await told(address, script, disturb, **options)

    plain, (events, _) = run(test)
    for channel in (0, 1):
        mine, whole = (
            [each for each in decided(of) if each[-1] == channel] for of in (events, plain)
        )
        assert mine == whole
    assert written(events) == written(plain)
    assert of(Resumed, events)


def test_a_server_that_is_about_to_stop_is_left_before_it_does():
    async def test():
        async with servers() as (services, _, address):
            plain, _ = await told(address, pieces(LONG, 8_000), resume=False)

            def drain():
                # The proxy's next connection goes to the other one.
                (first,) = [each for each in services if each.metrics.open_sockets.value]
                first.drain.begin(first.clock() + 5)
                drained.append(first)

            drained = []
            events, _ = await told(
                address,
                pieces(LONG, 8_000),
                lambda events: when(events, Partial, drain),
                pause_s=0.15,
            )
            return plain, events, drained[0].metrics.open_sockets.value

    plain, events, open_sockets = run(test)
    assert decided(events) == decided(plain)
    assert written(events) == written(plain)
    assert of(Resumed, events) == [Resumed("exact")]
    assert not of(Reconnecting, events)
    assert open_sockets == 0


def test_a_stream_may_last_longer_than_its_connections():
    async def test():
        async with servers(limits=Limits(session_s=2.5)) as (_, proxy, address):
            events, _ = await told(address, pieces(LONG, 4_000), pause_s=0.08)
            return events, proxy.opened

    events, opened = run(test)
    assert " ".join(filter(None, (each.text for each in of(Final, events)))) == " ".join([SAID] * 3)
    assert opened > 1


@pytest.mark.parametrize("keys", [("", ""), (KEY, "some other key of 16")])
def test_a_server_that_does_not_know_the_stream_begins_anew(keys):
    async def test():
        async with servers(keys) as (_, proxy, address):
            return await told(
                address, pieces(LONG, 8_000), lambda events: when(events, Final, proxy.reset)
            )

    events, stream = run(test)
    (resumed,) = of(Resumed, events)
    finals = of(Final, events)
    assert resumed == Resumed("anew", "foreign_key") or resumed == Resumed("exact")
    assert [each.utterance for each in finals] == sorted({each.utterance for each in finals})
    assert all(first.end <= second.end for first, second in pairwise(finals))
    assert finals[-1].end == pytest.approx(len(LONG) / 16_000, abs=0.001)
    texts = written(events)
    assert all(texts.get((0, each.utterance), "").strip() == each.text for each in finals)
    assert stream.heard.text == " ".join([SAID] * 3)


def test_audio_for_which_there_is_no_room_is_a_gap_with_true_times():
    full = Resuming(for_s=60.0, first_wait_s=0.02, most_wait_s=0.1, checkpoints_s=0.5,
                    most_audio_s=10.0, when_full="gap")  # fmt: skip

    async def test():
        async with servers() as (_, proxy, address):
            events = []
            async with AsyncClient(address) as client:
                stream = await client.stream(resume=full)
                reading = asyncio.create_task(read(stream, events))
                await stream.send(DIGITS)
                while not of(Partial, events):
                    await asyncio.sleep(0.01)
                addresses, proxy.addresses = proxy.addresses, ["127.0.0.1:1"]
                proxy.reset()
                while not of(Reconnecting, events):
                    await asyncio.sleep(0.01)
                for piece in pieces(np.zeros(16_000 * 20, np.float32), 16_000):
                    await stream.send(piece)
                proxy.addresses = addresses
                await stream.send(DIGITS)
                await stream.finish()
                await reading
                await stream.close()
            return events

    events = run(test)
    total_s = 2 * len(DIGITS) / 16_000 + 20
    (gap,) = of(Gap, events)
    assert 8 < gap.end - gap.start < 30
    assert of(Final, events)[-1].end == pytest.approx(total_s, abs=0.001)
    assert of(Final, events)[0].text == SAID


def test_without_any_server_it_gives_up_in_time():
    short = Resuming(for_s=0.3, first_wait_s=0.05, most_wait_s=0.1)

    async def test():
        async with servers() as (_, proxy, address), AsyncClient(address) as client:
            stream = await client.stream(resume=short)
            await stream.send(DIGITS)
            proxy.addresses = ["127.0.0.1:1"]
            proxy.reset()
            events = []
            with pytest.raises(ServerError):
                await read(stream, events)
            with pytest.raises(StreamClosedError):
                await stream.send(DIGITS)
            await stream.close()
            return events

    assert of(Reconnecting, run(test))


def test_an_utterance_that_ended_for_want_of_audio_ends_the_second_time_too():
    defaults = replace(FIXED, no_audio_s=0.4)
    # Within the first second: no checkpoint has come by then.
    rare = Resuming(first_wait_s=0.02, most_wait_s=0.1, checkpoints_s=60.0)

    async def heard(address, cut):
        events = []
        async with AsyncClient(address) as client:
            stream = await client.stream(resume=rare)
            reading = asyncio.create_task(read(stream, events))
            await stream.send(DIGITS[:30_000])
            while not of(Final, events):
                await asyncio.sleep(0.001)
            if cut is not None:
                cut()
                while not of(Resumed, events):
                    await asyncio.sleep(0.01)
            await stream.send(DIGITS[30_000:])
            await stream.finish()
            await reading
            await stream.close()
        return events

    async def test():
        async with servers(defaults=defaults) as (_, proxy, address):
            return await heard(address, None), await heard(address, proxy.reset)

    plain, events = run(test)
    assert [each.reason for each in of(Final, events)] == ["no_audio", "end"]
    assert decided(events) == decided(plain)
    assert written(events) == written(plain)


@pytest.mark.parametrize("rate_hz", [8_000, 24_000, 48_000])
def test_other_rates_go_on_exactly(rate_hz):
    resampler = Resampler(16_000, rate_hz)
    audio = np.concatenate([resampler.feed(LONG), resampler.finish()])
    script = pieces(audio, rate_hz // 3)
    for place, thing in ((9, "commit"), (15, rate_hz // 2), (20, "commit")):
        script.insert(place, thing)

    async def test():
        async with servers() as (_, proxy, address):
            options = {"sample_rate": rate_hz}
            plain, _ = await told(address, script, resume=False, **options)

            async def disturb(_):
                for _ in range(5):
                    await asyncio.sleep(0.7)
                    proxy.reset()

            return plain, await told(address, script, disturb, pause_s=0.05, **options)

    plain, (events, _) = run(test)
    assert decided(events) == decided(plain)
    assert of(Gap, events) == of(Gap, plain)
    assert {each.how for each in of(Resumed, events)} == {"exact"}


MARKED = marked_audio(600)
TEXTS = (" one", " two", " three")


def cached_recognizer():
    """Finds a word in each fourth frame of marked audio; takes no past of another window."""
    script = [Cue(frame, frame // 4 % 3) for frame in range(2, 600, 4)]
    return recognizer_of(FakeEncoder(), ByFrame(script, len(TEXTS)), FakePieces(TEXTS))


def cached_stream_that_moves(disturb, how):
    """What a cached stream tells, with and without; it speaks until it has moved."""
    options = {"encoding": "f32le", "vad": False, "endpointing": "off"}

    async def test():
        cached = replace(FIXED, cached=True, vad=None)
        made = {"defaults": cached, "recognizer": cached_recognizer()}
        async with servers(**made) as (services, proxy, address), AsyncClient(address) as client:
            events, said = [], 0
            stream = await client.stream(resume=QUICK, **options)
            reading = asyncio.create_task(read(stream, events))
            for piece in pieces(MARKED, 8_000):
                await stream.send(piece)
                said += len(piece)
                if said == 40_000:
                    # Without a checkpoint all would be said again, which is exact.
                    while stream._link._continuing.latest is None:
                        await asyncio.sleep(0.01)
                    disturb(services, proxy)
                if of(Resumed, events) and said > 120_000:
                    break
                await asyncio.sleep(0.1)
            await stream.finish()
            await reading
            await stream.close()
        async with servers(**made) as (_, _, address):
            plain, _ = await told(address, [MARKED[:said]], resume=False, **options)
        return plain, events

    plain, events = run(test)
    assert of(Resumed, events) == [Resumed(how)]
    return plain, events


def test_the_encoders_past_is_handed_over_on_a_planned_end():
    """A cached stream goes on exactly, with the last checkpoint that came before it moved."""

    def drain(services, _):
        (first,) = [each for each in services if each.metrics.open_sockets.value]
        first.drain.begin(first.clock() + 20)

    plain, events = cached_stream_that_moves(drain, "exact")
    assert decided(events) == decided(plain)
    assert not of(Reconnecting, events)


def test_a_cached_stream_that_was_cut_says_that_it_is_warm():
    plain, events = cached_stream_that_moves(lambda _, proxy: proxy.reset(), "warm")
    assert [each.text for each in of(Final, events)] == [each.text for each in of(Final, plain)]


def test_a_server_that_stands_still_is_not_waited_for():
    """It accepts a new connection, as its kernel does, and says nothing."""

    async def test():
        async with servers() as (_, proxy, address):
            plain, _ = await told(address, pieces(LONG, 8_000), resume=False)
            held = []
            listening = await asyncio.start_server(
                lambda *streams: held.append(streams), "127.0.0.1", 0
            )
            host, port = listening.sockets[0].getsockname()

            def lose():
                proxy.addresses.insert(0, f"{host}:{port}")
                asyncio.get_running_loop().call_later(0.5, proxy.addresses.remove, f"{host}:{port}")
                proxy.reset()

            # Other answers it awaits for as long as this test may last.
            events, _ = await told(
                address,
                pieces(LONG, 8_000),
                lambda events: when(events, Partial, lose),
                timeout_s=600.0,
            )
            listening.close()
            for _, writer in held:
                writer.close()
            return plain, events

    plain, events = run(test)
    assert decided(events) == decided(plain)


def test_a_balancer_that_knows_no_server_is_asked_again():
    async def test():
        async with servers() as (_, proxy, address):
            plain, _ = await told(address, pieces(LONG, 8_000), resume=False)
            listening = await asyncio.start_server(nothing_there, "127.0.0.1", 0)
            host, port = listening.sockets[0].getsockname()

            def lose():
                whole, proxy.addresses = proxy.addresses, [f"{host}:{port}"]
                asyncio.get_running_loop().call_later(
                    0.5, lambda: proxy.addresses.__setitem__(slice(None), whole)
                )
                proxy.reset()

            events, _ = await told(
                address, pieces(LONG, 8_000), lambda events: when(events, Partial, lose)
            )
            listening.close()
            return plain, events

    plain, events = run(test)
    assert decided(events) == decided(plain)


async def nothing_there(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
    writer.close()


def test_a_server_that_dies_while_it_drains_is_not_waited_for():
    """Clients leave it at random moments: those that it loses before go on at once."""

    async def test():
        async with servers() as (services, proxy, address):
            events, loop, lost_s = [], asyncio.get_running_loop(), []
            async with AsyncClient(address) as client:
                stream = await client.stream(resume=QUICK)
                reading = asyncio.create_task(read(stream, events))
                await stream.send(DIGITS)
                while not of(Partial, events):
                    await asyncio.sleep(0.01)
                (first,) = [each for each in services if each.metrics.open_sockets.value]
                first.drain.begin(first.clock() + 3_000)
                # A checkpoint is waited for at first.
                await asyncio.sleep(1.0)
                proxy.reset()
                lost_s.append(loop.time())
                while not of(Resumed, events):
                    await asyncio.sleep(0.01)
                lost_s.append(loop.time())
                await stream.finish()
                await reading
                await stream.close()
            return lost_s

    lost_s, back_s = run(test)
    assert back_s - lost_s < 20
