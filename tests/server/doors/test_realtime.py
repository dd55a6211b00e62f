"""OpenAI's own client over a real server."""

import asyncio
import base64
import json
import time
from socket import SHUT_RDWR

import numpy as np
import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from parakeet_streaming.audio.pcm_decoder import pcm_frames
from parakeet_streaming.server.doors.realtime import routes
from parakeet_streaming.server.limits import Limits
from tests.server.realtime_order import Order
from tests.server.running import running
from tests.server.test_realtime import DIGITS, MANUAL, SPOKEN, WORDS, input_of, pcm_of

# openai's client opens its socket as websockets 17 likes it no more.
pytestmark = pytest.mark.filterwarnings("ignore:connect.. must be used:DeprecationWarning")

PIECE = 9_601
TRANSCRIPTION = {"intent": "transcription"}


@pytest.fixture(scope="module")
def server():
    with running(routes) as found:
        yield found


@pytest.fixture(scope="module")
def locked():
    with running(routes, keys={"team": "sk-team"}) as found:
        yield found


@pytest.fixture(autouse=True)
def nothing_is_left(request):
    """After each test its clients are gone, and so is all that was made for them."""
    yield
    for name in ("server", "locked"):
        if name in request.fixturenames:
            assert settled(request.getfixturevalue(name))


def pieces(data):
    for begin in range(0, len(data), PIECE):
        yield base64.b64encode(data[begin : begin + PIECE]).decode()


def appended(socket, data):
    for audio in pieces(data):
        socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))


def until(receive, kind):
    """Events up to the first of that kind."""
    events = []
    while not events or not events[-1]["type"].endswith(kind):
        events.append(json.loads(receive()))
    return events


def socket_to(server, query="intent=transcription", key=None, **options):
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    address = f"ws://{server.address}/v1/realtime?{query}"
    return connect(address, additional_headers=headers, open_timeout=60, **options)


def settled(server):
    """Waits until nothing of former clients is left."""
    for _ in range(1_000):
        streams = server.service.engine.stats().active_streams
        if streams == 0 and server.service.metrics.open_sockets.value == 0:
            return True
        time.sleep(0.01)
    return False


def test_openai_in_a_thread(server):
    order, kinds = Order(), []
    with (
        OpenAI(api_key="none", base_url=server.base_url) as client,
        client.realtime.connect(extra_query=TRANSCRIPTION) as connection,
    ):
        assert connection.recv().type == "session.created"
        connection.session.update(
            session={
                "type": "transcription",
                "include": ["item.input_audio_transcription.logprobs"],
                "audio": {
                    "input": {
                        "format": {"type": "audio/pcm", "rate": 24_000},
                        "transcription": {"model": "gpt-4o-transcribe", "language": "en"},
                        "turn_detection": {"type": "server_vad", "silence_duration_ms": 400},
                    }
                },
            }
        )
        updated = connection.recv()
        assert updated.session.type == "transcription"
        assert updated.session.audio.input.transcription.model == "gpt-4o-transcribe"
        assert updated.session.audio.input.turn_detection.silence_duration_ms == 400
        for audio in pieces(SPOKEN):
            connection.input_audio_buffer.append(audio=audio)
        while "conversation.item.done" not in kinds:
            data = connection.recv_bytes()
            order.take(data)
            event = connection.parse_event(data)
            kinds.append(event.type)
            if event.type.endswith(".completed"):
                assert event.transcript == WORDS
                assert event.usage.type == "duration"
                assert event.words[0]["word"] == "three"
                assert "".join(each.token for each in event.logprobs) == WORDS
    assert [text for text, *_ in order.items] == [WORDS]


def test_openai_in_an_event_loop(server):
    async def talk():
        async with (
            AsyncOpenAI(api_key="none", base_url=server.base_url) as client,
            client.realtime.connect(extra_query=TRANSCRIPTION) as connection,
        ):
            await connection.session.update(session=MANUAL)
            for audio in pieces(SPOKEN):
                await connection.input_audio_buffer.append(audio=audio)
            await connection.input_audio_buffer.commit()
            async for event in connection:
                if event.type == "conversation.item.input_audio_transcription.completed":
                    return event.transcript
            return None

    assert asyncio.run(asyncio.wait_for(talk(), 60)) == WORDS


def test_mistakes_end_nothing(server):
    with (
        OpenAI(api_key="none", base_url=server.base_url) as client,
        client.realtime.connect(extra_query=TRANSCRIPTION) as connection,
    ):
        assert connection.recv().type == "session.created"
        connection.send({"type": "input_audio_buffer.commit", "event_id": "first"})
        connection.send({"event_id": "second"})
        connection.send({"type": "response.create", "event_id": "third"})
        connection.send(
            {"type": "input_audio_buffer.append", "audio": "\ud800", "event_id": "\ud800"}
        )
        errors = [connection.recv() for _ in range(4)]
        assert {error.type for error in errors} == {"error"}
        ids = [error.error.event_id for error in errors]
        assert ids == ["first", "second", "third", "\ud800"]
        assert errors[0].error.code == "input_audio_buffer_commit_empty"
        for audio in pieces(SPOKEN):
            connection.input_audio_buffer.append(audio=audio)
        while not (event := connection.recv()).type.endswith("completed"):
            pass
        assert event.transcript == WORDS


def test_bytes_and_no_json(server):
    with socket_to(server) as socket:
        socket.recv()
        for message in (b"\x00\x01", "", "[]", "[" * 50_000):
            socket.send(message)
            assert json.loads(socket.recv())["type"] == "error"


def test_the_address_of_together(server):
    with socket_to(server, "model=openai/x&input_audio_format=pcm_s16le_16000") as socket:
        created = json.loads(socket.recv())["session"]["audio"]["input"]
        assert created["format"] == {"type": "audio/pcm", "rate": 16_000}
        assert created["transcription"]["model"] == "openai/x"
        appended(socket, pcm_of(DIGITS, 16_000) + bytes(32_000))
        assert until(socket.recv, "completed")[-1]["transcript"] == WORDS


def test_the_header_of_before(server):
    with socket_to(server, key="x", subprotocols=["openai-beta.realtime-v1"]) as socket:
        assert socket.subprotocol == "openai-beta.realtime-v1"
        assert json.loads(socket.recv())["type"] == "transcription_session.created"
        session = {"input_audio_format": "g711_ulaw", "turn_detection": None}
        socket.send(json.dumps({"type": "transcription_session.update", "session": session}))
        updated = json.loads(socket.recv())
        assert updated["session"]["input_audio_format"] == "g711_ulaw"
        assert updated["session"]["turn_detection"] is None


@pytest.mark.parametrize("law", ["pcmu", "pcma"])
def test_g711(server, law):
    coded = companded(law)
    with socket_to(server) as socket:
        socket.recv()
        session = input_of(format={"type": f"audio/{law}"})
        socket.send(json.dumps({"type": "session.update", "session": session}))
        appended(socket, coded)
        texts = until(socket.recv, "completed")[-1]["transcript"].split()
        assert texts[:2] == ["three", "one"]


def companded(law):
    """The digits at 8 kHz, in G.711, by the tables of the decoder."""
    name = {"pcmu": "mulaw", "pcma": "alaw"}[law]
    values = pcm_frames(bytes(range(256)), name)[:, 0].astype(int)
    samples = np.frombuffer(pcm_of(DIGITS, 8_000), "<i2").astype(int)
    nearest = np.abs(samples[:, None] - values[None, :]).argmin(axis=1)
    return nearest.astype("u1").tobytes() + bytes([int(np.abs(values).argmin())]) * 8_000


@pytest.mark.parametrize(
    "query", ["intent=conversation", "intent=transcription&input_audio_format=mp3"]
)
def test_what_is_not_here_is_refused_in_the_handshake(server, query):
    with pytest.raises(InvalidStatus) as caught, socket_to(server, query):
        pass
    assert caught.value.response.status_code == 400
    assert json.loads(caught.value.response.body)["error"]["param"]


def test_a_key_is_needed_where_there_are_keys(locked):
    for key in (None, "sk-other"):
        with pytest.raises(InvalidStatus) as caught, socket_to(locked, key=key):
            pass
        assert caught.value.response.status_code == 401
        assert json.loads(caught.value.response.body)["error"]["code"] == "invalid_api_key"
    with socket_to(locked, key="sk-team") as socket:
        assert json.loads(socket.recv())["type"] == "session.created"


def test_a_short_lived_key(locked):
    with OpenAI(api_key="sk-team", base_url=locked.base_url) as client:
        secret = client.realtime.client_secrets.create(
            expires_after={"anchor": "created_at", "seconds": 60},
            session=input_of(turn_detection={"type": "server_vad", "threshold": 0.4}),
        )
    assert secret.value.startswith("ek_")
    assert 50 < secret.expires_at - time.time() < 61
    assert secret.session.audio.input.turn_detection.threshold == 0.4
    # As a browser shows it.
    offered = ["realtime", f"openai-insecure-api-key.{secret.value}", "openai-beta.realtime-v1"]
    with socket_to(locked, subprotocols=offered[:2]) as socket:
        assert socket.subprotocol == "realtime"
        session = json.loads(socket.recv())["session"]
        assert session["audio"]["input"]["turn_detection"]["threshold"] == 0.4
    with (
        OpenAI(api_key=secret.value, base_url=locked.base_url, max_retries=0) as again,
        pytest.raises(openai.AuthenticationError, match="another one"),
    ):
        again.realtime.client_secrets.create()


def test_only_the_key_is_offered(locked):
    offered = ["openai-insecure-api-key.sk-team"]
    with socket_to(locked, subprotocols=offered) as socket:
        assert socket.subprotocol is None
        assert json.loads(socket.recv())["type"] == "session.created"


def test_what_is_wrong_with_a_wish_for_a_key(locked):
    with OpenAI(api_key="sk-team", base_url=locked.base_url, max_retries=0) as client:
        for asked in (
            {"session": {"type": "realtime"}},
            {"session": input_of(format={"type": "mp3"})},
            {"expires_after": {"anchor": "created_at", "seconds": 3}},
            {"expires_after": 5},
        ):
            with pytest.raises(openai.BadRequestError) as caught:
                client.realtime.client_secrets.create(**asked)
            assert caught.value.param.split(".")[0] in ("session", "expires_after")
        with pytest.raises(openai.APIStatusError) as caught:
            client.realtime.client_secrets.create(extra_body={"x": "y" * 99_999})
        assert caught.value.status_code == 413
    with (
        OpenAI(api_key="sk-no", base_url=locked.base_url, max_retries=0) as nobody,
        pytest.raises(openai.AuthenticationError),
    ):
        nobody.realtime.client_secrets.create()


def test_the_wish_of_before(locked):
    with OpenAI(api_key="sk-team", base_url=locked.base_url) as client:
        made = client.post(
            "/realtime/transcription_sessions",
            cast_to=object,
            body={"input_audio_format": "g711_alaw"},
        )
    assert made["input_audio_format"] == "g711_alaw"
    with socket_to(locked, key=made["client_secret"]["value"]) as socket:
        form = json.loads(socket.recv())["session"]["audio"]["input"]["format"]
        assert form == {"type": "audio/pcma"}


def test_a_full_house_refuses_at_once():
    with running(routes, streams=1) as server, socket_to(server) as socket:
        socket.recv()
        with pytest.raises(InvalidStatus) as caught, socket_to(server):
            pass
        response = caught.value.response
        assert response.status_code == 503
        assert response.headers["Retry-After"]
        assert json.loads(response.body)["error"]["code"] == "no_capacity"
        appended(socket, SPOKEN)
        assert until(socket.recv, "completed")[-1]["transcript"] == WORDS


def test_another_model_is_refused_where_names_are_strict():
    with running(routes, strict=True) as server:
        with pytest.raises(InvalidStatus), socket_to(server, "intent=transcription&model=x"):
            pass
        with socket_to(server) as socket:
            socket.recv()
            for model in ("x", "tiny-en"):
                session = input_of(transcription={"model": model})
                socket.send(json.dumps({"type": "session.update", "session": session}))
            assert [json.loads(socket.recv())["type"] for _ in range(2)] == [
                "error",
                "session.updated",
            ]


def test_a_client_that_says_nothing_is_told_and_closed():
    limits = Limits(idle_s=0.3)
    with running(routes, limits=limits) as server, socket_to(server) as socket:
        events = until(socket.recv, "error")
        assert events[-1]["error"]["code"] == "timeout"
        with pytest.raises(ConnectionClosed) as caught:
            socket.recv()
        assert caught.value.rcvd.code == 3008
        assert settled(server)


def test_draining_tells_the_last_words():
    with running(routes) as server, socket_to(server) as socket:
        socket.recv()
        appended(socket, pcm_of(DIGITS))
        until(socket.recv, "delta")
        clock = server.service.clock
        server.call(lambda: server.service.drain.begin(clock() + 20))
        events = until(socket.recv, "done")
        assert events[-2]["transcript"] == WORDS
        with pytest.raises(ConnectionClosed) as caught:
            socket.recv()
        assert caught.value.rcvd.code == 1012
        with pytest.raises(InvalidStatus) as refused, socket_to(server):
            pass
        assert refused.value.response.status_code == 503


def test_a_client_that_vanishes_leaves_nothing(server):
    with socket_to(server) as socket:
        socket.recv()
        appended(socket, SPOKEN[:60_000])
        socket.socket.shutdown(SHUT_RDWR)
        assert settled(server)
