"""Programs without an event loop, and servers that end badly."""

import asyncio
import signal
import threading
from pathlib import Path

import pytest

from parakeet_streaming.audio.files import read_audio
from parakeet_streaming.client import Client, Final
from parakeet_streaming.errors import ServerError, StreamClosedError
from tests.server.processes import Served

DIGITS = read_audio(Path(__file__).parents[2] / "examples" / "recordings" / "digits.wav")
SAID = "three one four one five nine two six"


@pytest.fixture(scope="module")
def url():
    with Served("--fixed") as server:
        yield server.url


def test_what_is_sent_is_heard(url):
    with Client(url) as client, client.stream(tokens=True) as stream:
        stream.send(DIGITS)
        stream.marker("m")
        stream.keep_alive()
        (stats,) = stream.stats()
        stream.finish()
        events = list(stream)
        assert stream.get() is None
    assert [each.text for each in events if isinstance(each, Final)] == [SAID]
    assert stats.id == stream.ready.id
    assert stream.heard.text == SAID


def test_commands_are_obeyed(url):
    with Client(url) as client:
        with client.stream() as stream:
            stream.gap(8_000)
            stream.send(DIGITS)
            stream.commit()
            stream.clear()
        assert [each.reason for each in stream.heard.utterances] == ["commit", "end"]
        assert stream.heard.text == SAID
        silent = client.stream()
        with pytest.raises(TimeoutError):
            silent.get(0.05)
        silent.close()
        assert silent.get() is None


def test_threads_may_share_a_client(url):
    heard = {}

    def speak(client, name):
        with client.stream() as stream:
            for start in range(0, len(DIGITS), 16_000):
                stream.send(DIGITS[start : start + 16_000])
        heard[name] = stream.heard.text

    with Client(url) as client:
        threads = [threading.Thread(target=speak, args=(client, name)) for name in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    assert heard == dict.fromkeys(range(4), SAID)


def test_one_may_send_while_another_reads(url):
    with Client(url) as client, client.stream() as stream:

        def speak():
            stream.send(DIGITS)
            stream.finish()

        speaking = threading.Thread(target=speak)
        speaking.start()
        events = list(stream)
        speaking.join()
    assert events[-1].text == SAID


def test_a_client_that_was_closed_says_so(url):
    client = Client(url)
    stream = client.stream()
    client.close()
    client.close()
    with pytest.raises(StreamClosedError):
        stream.send(DIGITS)
    with pytest.raises(StreamClosedError):
        client.stream()


def test_it_works_beside_a_loop_of_the_program(url):
    async def run():
        with Client(url) as client, client.stream() as stream:
            stream.send(DIGITS)
        return stream.heard.text

    assert asyncio.run(run()) == SAID


def heard_of(stream):
    """Reads until the server has told something."""
    while not stream.heard.text:
        assert stream.get(60) is not None


def speak_to_one_who_dies(server, stream):
    stream.send(DIGITS)
    heard_of(stream)
    server.signal(signal.SIGKILL)


def test_a_server_that_is_killed_leaves_what_was_heard():
    with Served("--fixed") as server, Client(server.url) as client:
        stream = client.stream(resume=False)
        stream.send(DIGITS)
        heard_of(stream)
        server.signal(signal.SIGKILL)
        with pytest.raises(ServerError, match="connection broke"):
            list(stream)
        assert SAID.startswith(stream.heard.text)
        with pytest.raises(StreamClosedError):
            stream.send(DIGITS)
        with pytest.raises(ServerError, match="cannot be reached"):
            client.stream(resume=False)


def test_a_server_that_is_killed_in_a_block_ends_the_block_with_an_error():
    with Served("--fixed") as server, Client(server.url) as client:
        stream = client.stream(resume=False)
        with pytest.raises(ServerError), stream:
            speak_to_one_who_dies(server, stream)
        assert stream.heard.text


def test_a_server_that_stands_still_is_given_up():
    with Served("--fixed") as server, Client(server.url, timeout_s=1.0) as client:
        stream, other = client.stream(resume=False), client.stream(resume=False)
        server.signal(signal.SIGSTOP)
        with pytest.raises(ServerError, match="did not answer for 1 s"):
            stream.stats()
        with pytest.raises(ServerError, match="took nothing for 1 s"):
            other.send(bytes(1 << 26))
        with pytest.raises(ServerError, match="did not answer within 1 s"):
            client.stream(resume=False)
        server.signal(signal.SIGCONT)


def test_a_server_that_drains_tells_its_last_words():
    with Served("--fixed") as server, Client(server.url) as client:
        stream = client.stream(resume=False)
        stream.send(DIGITS)
        heard_of(stream)
        server.signal(signal.SIGTERM)
        with pytest.raises(ServerError, match="stopped"):
            list(stream)
        assert stream.heard.utterances[-1].reason == "end"
        assert server.ended() == 0
