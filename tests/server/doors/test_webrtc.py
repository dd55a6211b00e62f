"""Calls of aiortc over a real server and real UDP."""

import asyncio

import numpy as np
import pytest
import soxr

from parakeet_streaming.server import peers
from parakeet_streaming.server.doors import webrtc
from parakeet_streaming.server.doors.realtime import routes as realtime_routes
from parakeet_streaming.server.limits import Limits
from tests.server.calling import Call, Microphone, here_only
from tests.server.served import served
from tests.server.test_realtime import DIGITS, WORDS

SPOKEN = (np.clip(soxr.resample(DIGITS, 16_000, 48_000), -1, 1) * 32_767).astype("<i2")
SPOKEN = np.concatenate([SPOKEN, np.zeros(3 * 48_000, "<i2")])
SILENCE = np.zeros(0, "<i2")
MANUAL = {"type": "transcription", "audio": {"input": {"turn_detection": None}}}


@pytest.fixture(autouse=True)
def loopback(monkeypatch):
    here_only(monkeypatch)


def calls_of(service):
    return (*webrtc.routes(service, "127.0.0.1"), *realtime_routes(service))


def calling(test, **options):
    async def run(service, address):
        await test(service, address)
        await emptied(service)

    served(run, calls_of, **options)


async def emptied(service):
    """Waits until nothing of former calls is left."""
    async with asyncio.timeout(8):  # less than a call may take to connect
        while service.engine.stats().active_streams or service.metrics.open_sockets.value:
            await asyncio.sleep(0.01)


def error_of(reply):
    return reply.status_code, reply.json()["error"]["code"], reply.json()["error"]["message"]


@pytest.mark.parametrize("channels", [1, 2])
def test_a_call_is_heard(channels):
    async def test(service, address):
        async with Call(address) as call:
            await call.begin(Microphone(SPOKEN, channels))
            assert call.location.startswith("/v1/realtime/calls/rtc_")
            (done,) = await call.until(".completed")
            assert done["transcript"] == WORDS
            deltas = [each["delta"] for each in call.events if each["type"].endswith(".delta")]
            assert "".join(deltas) == WORDS
            assert call.events[0]["type"] == "session.created"
            assert service.metrics.connections_total["webrtc"].total == 1
            assert service.metrics.received_bytes_total["webrtc"].total > 48_000

    calling(test)


def test_an_answer_has_no_address_but_ours():
    async def test(service, address):
        async with Call(address) as call:
            await call.begin(Microphone(SILENCE))
            candidates = [each for each in call.answer.splitlines() if "a=candidate" in each]
            assert candidates
            assert all(each.split()[4] == "127.0.0.1" for each in candidates)
            assert "opus" in call.answer
            await call.until("session.created")

    calling(test)


def test_a_session_is_asked_for_with_the_offer_and_commits_on_the_channel():
    async def test(service, address):
        async with Call(address) as call:
            await call.begin(Microphone(SPOKEN), MANUAL, "?model=anything")
            (created,) = await call.until("session.created")
            heard = created["session"]["audio"]["input"]
            assert heard["turn_detection"] is None
            assert heard["transcription"]["model"] == "anything"
            call.send("input_audio_buffer.append", audio="AAAA")
            (error,) = await call.until("error")
            assert "track" in error["error"]["message"]
            call.channel.send(b"\xff no JSON")
            await call.until("error", 2)
            received = service.metrics.received_bytes_total["webrtc"]
            while received.total < 5.5 * 48_000 * 4:
                await asyncio.sleep(0.01)
            call.send("input_audio_buffer.commit")
            (done,) = await call.until(".completed")
            assert done["transcript"] == WORDS

    calling(test)


def test_delete_ends_a_call_after_its_last_words():
    async def test(service, address):
        async with Call(address) as call:
            await call.begin(Microphone(SPOKEN), MANUAL)
            await call.until(".delta", 2)
            assert (await call.ask("DELETE")).status_code == 204
            assert service.engine.stats().active_streams == 0
            assert service.metrics.open_sockets.value == 0
            (done,) = await call.until(".completed")
            assert WORDS.startswith(done["transcript"][:9])
            async with asyncio.timeout(10):
                await call.closed.wait()
            assert error_of(await call.ask("DELETE"))[:2] == (404, "not_found")

    calling(test)


def test_a_call_is_hung_up_while_it_connects():
    async def test(service, address):
        async with Call(address) as call:
            reply = await call.post(await call.offer(Microphone(SILENCE)))
            assert service.metrics.open_sockets.value == 1
            hung_up = await call.ask("POST", reply.headers["location"] + "/hangup")
            assert hung_up.status_code == 200
            assert service.metrics.open_sockets.value == 0

    calling(test)


def test_leaving_frees_the_stream():
    async def test(service, address):
        async with Call(address) as call:
            await call.begin(Microphone(SPOKEN))
            await call.until("speech_started")
        await emptied(service)
        async with Call(address) as call:
            await call.begin(Microphone(SPOKEN))
            await call.until("session.created")
            call.channel.close()
            await emptied(service)

    calling(test, streams=1)


def test_a_caller_that_vanishes_is_gone():
    async def test(service, address):
        async with Call(address) as call:
            await call.begin(Microphone(SPOKEN))
            await call.until("speech_started")
            ice = call.peer.sctp.transport.transport.iceGatherer._connection
            for protocol in list(ice._protocols):
                protocol.transport.abort()  # as when the process is killed: nothing is said
            await emptied(service)

    served(test, lambda service: webrtc.routes(service, "127.0.0.1", unheard_s=1.0))


def test_a_call_that_never_connects_gives_its_place_back(monkeypatch):
    monkeypatch.setattr(peers, "_CONNECTS_WITHIN_S", 0.5)

    async def test(service, address):
        async with Call(address) as call:
            reply = await call.post(await call.offer(Microphone(SILENCE)))
            assert reply.status_code == 201
            assert service.engine.stats().active_streams == 1
            await emptied(service)
            assert service.metrics.refusals_total["timeout"].total == 1

    calling(test)


def test_a_full_house_refuses_the_next_call():
    async def test(service, address):
        async with Call(address) as first, Call(address) as second, Call(address) as third:
            await first.begin(Microphone(SPOKEN))
            await second.begin(Microphone(SPOKEN))
            reply = await third.post(await third.offer(Microphone(SPOKEN)))
            assert error_of(reply)[:2] == (503, "no_capacity")
            assert int(reply.headers["retry-after"]) > 0
            for call in (first, second):
                (done,) = await call.until(".completed")
                assert done["transcript"] == WORDS

    calling(test, streams=2)


def test_offers_that_cannot_be_answered():
    async def test(service, address):
        async with Call(address) as call:
            offer = await call.offer()
            status, code, message = error_of(await call.post(offer))
            assert (status, code) == (400, "invalid_value")
            assert "no audio" in message
        async with Call(address) as call:
            offer = await call.offer(Microphone(SILENCE))
            cut = offer.replace("a=ice-pwd", "a=no"), offer.replace("a=mid:1", "a=mid")
            for wrong in ("", "hello", "v=0\r\nm=audio", *cut, offer.replace("a=mid:0", "a=mid:")):
                assert error_of(await call.post(wrong))[:2] == (400, "invalid_value")
            assert error_of(await call.post(offer * 100))[:2] == (413, "too_large")
            wrong = {"type": "realtime"}
            assert error_of(await call.post(offer, wrong))[:2] == (400, "invalid_value")
            form = {"Content-Type": "multipart/form-data; boundary=x"}
            empty = await call.post("--x--\r\n", **form)
            assert error_of(empty)[:2] == (400, "invalid_value")

    calling(test)


def test_keys_and_limits():
    async def test(service, address):
        async with Call(address) as call, Call(address, "1") as own, Call(address, "2") as other:
            offer = await call.offer(Microphone(SILENCE))
            assert error_of(await call.post(offer))[:2] == (401, "invalid_api_key")
            session = {"session": MANUAL}
            secret = await own.ask("POST", "/v1/realtime/client_secrets", json=session)
            async with Call(address, secret.json()["value"]) as short:
                await short.begin(Microphone(SILENCE))
                (created,) = await short.until("session.created")
                assert created["session"]["audio"]["input"]["turn_detection"] is None
                offer = await own.offer(Microphone(SILENCE))
                assert error_of(await own.post(offer))[:2] == (429, "rate_limit_exceeded")
                other.location = own.location = short.location
                assert error_of(await other.ask("DELETE"))[:2] == (404, "not_found")
                assert (await own.ask("DELETE")).status_code == 204

    calling(test, keys={"one": "1", "two": "2"}, limits=Limits(sockets_of_key=1))


def test_pages_of_other_sites():
    async def test(service, address):
        async with Call(address) as call:
            offer = await call.offer(Microphone(SILENCE))
            foreign = await call.post(offer, Origin="https://foreign.example")
            assert error_of(foreign)[:2] == (403, "origin_not_allowed")
            assert "access-control-allow-origin" not in foreign.headers
            good = "https://good.example"
            asked = await call.ask("OPTIONS", "/v1/realtime/calls", Origin=good)
            assert asked.headers["access-control-allow-origin"] == good
            reply = await call.post(offer, Origin=good)
            assert reply.status_code == 201
            assert reply.headers["access-control-allow-origin"] == good
            call.location = reply.headers["location"]
            assert (await call.ask("DELETE", Origin="https://foreign.example")).status_code == 403
            assert (await call.ask("DELETE")).status_code == 204

    calling(test, origins=("https://good.example",))


def test_nothing_said_for_too_long():
    async def test(service, address):
        async with Call(address) as call:
            await call.begin(Microphone(SILENCE, holes=range(50, 10_000)))
            (error,) = await call.until("error")
            assert error["error"]["code"] == "timeout"
            async with asyncio.timeout(10):
                await call.closed.wait()

    calling(test, limits=Limits(idle_s=2.0))


def test_sound_that_is_lost_on_the_way_moves_nothing():
    async def test(service, address):
        # Of the silence before the words come again 3.6 s are lost.
        digits = SPOKEN[: len(SPOKEN) // 960 * 960]
        begin = len(digits) // 960
        samples = np.concatenate([digits, np.zeros(100 * 960, "<i2"), digits])
        async with Call(address) as call:
            await call.begin(Microphone(samples))
            call.lose_packets(range(begin - 100, begin + 80))
            first, second = await call.until(".completed", 2)
            assert [first["transcript"], second["transcript"]] == [WORDS, WORDS]
            moved = second["words"][0]["start"] - first["words"][0]["start"]
            assert moved == pytest.approx((begin + 100) * 0.02, abs=0.1)

    calling(test)


def test_packets_are_lost_and_words_are_not():
    async def test(service, address):
        async with Call(address) as call:
            await call.begin(Microphone(SPOKEN))
            call.lose_packets(range(7, 10_000, 29))
            (done,) = await call.until(".completed")
            assert done["transcript"] == WORDS

    calling(test)


def test_a_mute_microphone_leaves_no_word_behind():
    async def test(service, address):
        async with Call(address) as call:
            await call.begin(Microphone(SPOKEN, holes=range(120, 10_000)))
            (done,) = await call.until(".completed")
            assert done["transcript"].startswith("three one four")

    calling(test)


def test_a_server_that_stops_says_the_last_words():
    async def test(service, address):
        async with Call(address) as call, Call(address) as late:
            await call.begin(Microphone(SPOKEN), MANUAL)
            await call.until(".delta", 2)
            await late.post(await late.offer(Microphone(SILENCE)))
            service.drain.begin(service.clock() + 60)
            await call.until(".completed")
            async with asyncio.timeout(10):
                await call.closed.wait()
            # Who has not connected is waited for no longer.
            await emptied(service)
            refused = await call.post("v=0")
            assert error_of(refused)[:2] == (503, "draining")

    calling(test)


def test_without_aiortc_the_answer_says_so(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "parakeet_streaming.server.peers", None)

    async def test(service, address):
        async with Call(address) as call:
            status, code, message = error_of(await call.post("v=0"))
            assert (status, code) == (501, "not_installed")
            assert "parakeet-streaming[webrtc]" in message

    calling(test)
