"""`parakeet serve` as a process: ready, refusals, TLS, limits, and how it ends."""

import json
import os
import signal
import socket
import ssl
import subprocess
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
import soundfile
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.server.certificates import write_certificate
from tests.server.processes import LONG_S, Served

DIGITS = Path(__file__).parents[2] / "examples" / "recordings" / "digits.wav"
SAID = "three one four one five nine two six"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


def digits():
    samples, _ = soundfile.read(DIGITS, dtype="int16")
    return samples.tobytes()


def messages_until_closed(client):
    """What still comes, and the code of the close."""
    told = []
    while True:
        try:
            told.append(client.recv(LONG_S))
        except ConnectionClosed as closed:
            return told, closed.rcvd.code if closed.rcvd else None


@pytest.fixture(scope="module")
def served():
    with Served() as server:
        server.line("ready ")
        yield server


def test_one_line_says_that_it_is_ready_and_where(served):
    assert served.said[0].startswith("ready http://127.0.0.1:")
    assert not served.url.endswith(":0")
    assert httpx.get(f"{served.url}/readyz").json() == {"status": "ready"}


def test_a_port_in_use_is_one_line_of_error(served):
    port = served.url.rpartition(":")[2]
    with Served("--port", port) as second:
        assert second.ended() == 1
        (line,) = second.log.splitlines()
    assert line == (
        f"parakeet: cannot listen on 127.0.0.1 port {port}: another program uses that port; "
        "stop it, or choose another --port"
    )


def test_sockets_are_talked_to(served):
    with connect(f"{served.ws_url}/echo") as client:
        assert client.recv(LONG_S) == "hello"
        client.send("back")
        assert client.recv(LONG_S) == "back"
        client.send("wrong")
        told, code = messages_until_closed(client)
    assert (told, code) == (["failed: WrongRequestError"], 1008)


def test_an_error_that_nobody_expected_is_told_without_its_words_and_logged(served):
    with connect(f"{served.ws_url}/echo") as client:
        client.send("fail")
        told, code = messages_until_closed(client)
    assert (told, code) == (["hello", "failed: RuntimeError"], 1011)
    assert "stream=echo-1" in next(line for line in served.said if "/a/file" in line)


def test_a_socket_where_there_is_none_gets_an_answer_in_words(served):
    with pytest.raises(InvalidStatus) as refused, connect(f"{served.ws_url}/nothing"):
        pass
    assert refused.value.response.status_code == 404
    assert json.loads(refused.value.response.body)["error"]["code"] == "not_found"


def test_others_need_a_key():
    with Served("--host", "0.0.0.0") as server:
        assert server.ended() == 2
        (line,) = server.log.splitlines()
    assert "--host 0.0.0.0" in line
    assert "--no-auth" in line


def test_nobody_needs_a_key_where_that_is_said():
    with Served("--host", "0.0.0.0", "--no-auth") as server:
        port = server.url.rpartition(":")[2]
        assert httpx.get(f"http://127.0.0.1:{port}/metrics").status_code == 200


def test_keys_are_asked_for_and_never_written():
    key = "sk-very-secret"
    arguments = ("--host", "0.0.0.0", "--log-level", "debug")
    with Served(*arguments, environment={"PARAKEET_API_KEY": f"alice:{key}"}) as server:
        port = server.url.rpartition(":")[2]
        ws_url = f"ws://127.0.0.1:{port}/echo?api_key={key}"
        refused = httpx.get(f"http://127.0.0.1:{port}/metrics?key={key}")
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == "Bearer"
        with pytest.raises(InvalidStatus) as refusal, connect(ws_url):
            pass
        assert refusal.value.response.status_code == 401
        bearer = {"Authorization": f"Bearer {key}"}
        with connect(ws_url, additional_headers=bearer) as client:
            assert client.recv(LONG_S) == "hello"
        with connect(ws_url, subprotocols=[f"openai-insecure-api-key.{key}"]) as client:
            assert client.recv(LONG_S) == "hello"
        metrics = httpx.get(f"http://127.0.0.1:{port}/metrics", headers=bearer)
        assert 'parakeet_connections_by_key_total{key="alice"} 2.0' in metrics.text
        server.signal()
        assert server.ended() == 0
    assert "key=alice" in server.log
    assert key not in server.log


def test_tls(tmp_path):
    path, key = write_certificate(tmp_path)
    with Served("--tls-cert", path, "--tls-key", key) as server:
        assert server.url.startswith("https://127.0.0.1:")
        trusting = ssl.create_default_context(cafile=str(path))
        assert httpx.get(f"{server.url}/healthz", verify=trusting).json() == {"status": "ok"}
        with connect(f"{server.ws_url}/echo", ssl=trusting) as client:
            assert client.recv(LONG_S) == "hello"


def test_what_was_heard_is_told_before_the_end():
    with Served("--fixed", "--endpointing", "off", "--log-format", "json") as server:
        with connect(f"{server.ws_url}/echo") as client:
            assert client.recv(LONG_S) == "hello"
            client.send(digits())
            client.send("sent")
            assert client.recv(LONG_S) == "sent"
            server.signal()
            told, code = messages_until_closed(client)
        assert told[0] == "going away"
        assert told[-1] == f"heard: {SAID}"
        assert code == 1012
        assert server.ended() == 0
    records = [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]
    opened = next(record for record in records if record["message"] == "opened")
    assert (opened["door"], opened["stream"]) == ("native", "echo-1")
    assert "three" not in server.log


def test_what_was_said_is_logged_where_that_is_asked_for():
    with Served("--fixed", "--endpointing", "off", "--log-text") as server:
        with connect(f"{server.ws_url}/echo") as client:
            client.send(digits())
            client.send("sent")
            while client.recv(LONG_S) != "sent":
                pass
            server.signal(signal.SIGINT)
            messages_until_closed(client)
        assert server.ended() == 0
    assert f"said={SAID}" in server.log


def test_while_it_drains_nobody_is_let_in_and_the_rest_end_with_the_time():
    with Served("--drain-s", "5") as server, connect(f"{server.ws_url}/echo") as client:
        client.send("stay")
        assert [client.recv(LONG_S) for _ in range(2)] == ["hello", "stay"]
        server.signal()
        assert client.recv(LONG_S) == "going away"
        ready = httpx.get(f"{server.url}/readyz")
        assert (ready.status_code, ready.json()) == (503, {"status": "draining"})
        assert httpx.get(f"{server.url}/healthz").status_code == 200
        with pytest.raises(InvalidStatus) as refused, connect(f"{server.ws_url}/echo"):
            pass
        assert refused.value.response.status_code == 503
        assert "Retry-After" in refused.value.response.headers
        told, code = messages_until_closed(client)
        assert (told, code) == (["failed: DrainingError"], 1012)
        assert server.ended() == 0


def send_for_ever(raw, data):
    while True:
        raw.sendall(data)


def test_a_client_that_does_not_read_does_not_hold_the_end():
    with Served("--drain-s", "1", "--messages-a-second", "100000") as server:
        host, port = server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as raw:
            raw.sendall(
                b"GET /echo HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            )
            assert raw.recv(1000).startswith(b"HTTP/1.1 101")
            raw.settimeout(1.0)
            text = b"\x81\xfe\xff\xff\x00\x00\x00\x00" + b"a" * 65_535  # masked with zeros
            with pytest.raises(TimeoutError):  # it waits for us to read, and so do we
                send_for_ever(raw, text)
            server.signal()
            assert server.ended() == 0


def test_two_signals_at_once_are_one():
    with Served() as server, connect(f"{server.ws_url}/echo") as client:
        client.send(digits())
        client.send("sent")
        while client.recv(LONG_S) != "sent":
            pass
        for number in (signal.SIGSTOP, signal.SIGINT, signal.SIGTERM, signal.SIGCONT):
            server.signal(number)  # both wait for it when it goes on
        told, code = messages_until_closed(client)
        assert (told[0], code) == ("going away", 1012)
        assert server.ended() == 0


def test_a_second_signal_ends_it_at_once():
    with Served("--drain-s", "3600") as server, connect(f"{server.ws_url}/echo") as client:
        client.send("stay")
        server.signal(signal.SIGINT)
        while client.recv(LONG_S) != "going away":
            pass
        while server.process.poll() is None:  # two that come together count as one
            server.signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                server.process.wait(0.1)
        assert server.ended() == 130


def test_a_connection_that_says_nothing_ends():
    with Served("--request-s", "0.2") as server:
        host, port = server.url.removeprefix("http://").split(":")
        for said in (b"", b"GET / HTTP/1.1\r\nHost: "):
            with socket.create_connection((host, int(port)), LONG_S) as raw:
                raw.sendall(said)
                with suppress(ConnectionResetError):
                    assert raw.recv(1) == b""


def test_headers_are_bounded(served):
    with socket.create_connection(served.url.removeprefix("http://").split(":"), LONG_S) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n")
        answer = b""
        try:
            while not answer:
                raw.settimeout(0.001)
                raw.sendall(b"X-Long: " + b"a" * 60_000 + b"\r\n")
                try:
                    answer = raw.recv(100)
                except TimeoutError:
                    raw.settimeout(LONG_S)
        except (ConnectionResetError, BrokenPipeError):
            return
        assert answer.startswith(b"HTTP/1.1 400")


def test_settings_come_from_everywhere(tmp_path):
    path = tmp_path / "parakeet.toml"
    path.write_text('log-format = "json"\nopen_metrics = true\napi_key = ["a:one", "b:two"]\n')
    with Served("--config", path, "--max-streams", "1") as server:
        assert httpx.get(f"{server.url}/metrics").status_code == 200
        headers = {"Authorization": "Bearer two"}
        with connect(f"{server.ws_url}/echo", additional_headers=headers) as client:
            assert client.recv(LONG_S) == "hello"
            with (
                pytest.raises(InvalidStatus) as refused,
                connect(f"{server.ws_url}/echo", additional_headers=headers),
            ):
                pass
    assert refused.value.response.status_code == 503
    assert refused.value.response.headers["Retry-After"] == "5"
    assert json.loads(refused.value.response.body)["error"]["code"] == "no_capacity"
    assert any(line.startswith("{") for line in server.log.splitlines())


def test_wrong_settings_name_where_they_stand():
    with Served(environment={"PARAKEET_DRAIN_S": "soon"}) as server:
        assert server.ended() == 2
    assert server.log.startswith("parakeet: PARAKEET_DRAIN_S soon: ")
