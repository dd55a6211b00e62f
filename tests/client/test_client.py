"""Programs without an event loop, and servers that end badly."""

import asyncio
import signal
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from parakeet_streaming.audio.files import read_audio
from parakeet_streaming.client import Client, Final, Reconnecting, Resumed, Resuming
from parakeet_streaming.errors import ServerError, StreamClosedError
from tests.client.cutting import proxied
from tests.server.processes import Served

DIGITS = read_audio(Path(__file__).parents[2] / "examples" / "recordings" / "digits.wav")
SAID = "three one four one five nine two six"
LONG = np.concatenate([DIGITS, np.zeros(12_000, np.float32)] * 2)
OPEN = ("--fixed", "--max-streams", "8")
"""Whatever else this machine does meanwhile."""
SHARED = {"PARAKEET_CHECKPOINT_KEY": "a key that all servers know"}
QUICK = Resuming(for_s=60.0, first_wait_s=0.02, most_wait_s=0.1, checkpoints_s=0.5, silent_s=2.0)


@pytest.fixture(scope="module")
def url():
    with Served(*OPEN) as server:
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


def test_text_is_written_as_a_client_likes(url):
    with Client(url) as client:
        likes = {"numbers": "digits", "replace": "nine => 9 (nine)"}
        with client.stream(**likes) as stream:
            stream.send(DIGITS)
    assert stream.heard.text == "31415 9 (nine) two six"


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
    with Served(*OPEN) as server, Client(server.url) as client:
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
    with Served(*OPEN) as server, Client(server.url) as client:
        stream = client.stream(resume=False)
        with pytest.raises(ServerError), stream:
            speak_to_one_who_dies(server, stream)
        assert stream.heard.text


def test_a_server_that_stands_still_is_given_up():
    with Served(*OPEN) as server, Client(server.url, timeout_s=1.0) as client:
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
    with Served(*OPEN) as server, Client(server.url) as client:
        stream = client.stream(resume=False)
        stream.send(DIGITS)
        heard_of(stream)
        server.signal(signal.SIGTERM)
        with pytest.raises(ServerError, match="stopped"):
            list(stream)
        assert stream.heard.utterances[-1].reason == "end"
        assert server.ended() == 0


class Line:
    """A proxy, in a thread with an event loop of its own."""

    def __init__(self, addresses):
        self._loop, self._over = asyncio.new_event_loop(), asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(addresses,))
        self._thread.start()
        assert self._ready.wait(60)

    def _run(self, addresses):
        async def carry():
            async with proxied(*addresses) as (self.proxy, self.url):
                self._ready.set()
                await self._over.wait()

        self._loop.run_until_complete(carry())
        self._loop.close()

    def do(self, act):
        self._loop.call_soon_threadsafe(act, self.proxy)

    def end(self):
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()


@contextmanager
def two_servers():
    """Servers that share a key, and a line to them that takes turns."""
    served = [Served(*OPEN, environment=SHARED) for _ in range(2)]
    with served[0] as one, served[1] as two:
        servers = {each.url.removeprefix("http://"): each for each in (one, two)}
        line = Line(servers)
        try:
            yield list(servers.values()), line
        finally:
            line.end()


@pytest.fixture(scope="module")
def uncut(url):
    with Client(url) as client, client.stream(resume=False) as stream:
        stream.send(LONG)
    return stream.heard.utterances


def told_while(line, disturb, resume=QUICK):
    """All events of a stream, while `disturb` is done after the first text."""
    events, heard = [], threading.Event()

    def read(stream):
        for event in stream:
            events.append(event)
            if stream.heard.text:
                heard.set()

    with Client(line.url) as client, client.stream(resume=resume) as stream:
        reading = threading.Thread(target=read, args=(stream,))
        reading.start()
        for number, start in enumerate(range(0, len(LONG), 8_000)):
            stream.send(LONG[start : start + 8_000])
            if number == 8:
                assert heard.wait(60)
                disturb()
            time.sleep(0.02)
        stream.finish()
        reading.join()
    return events, stream.heard.utterances


def test_a_stream_goes_on_at_another_server(uncut):
    with two_servers() as ((first, second), line):

        def drain():
            first.signal(signal.SIGTERM)

        events, heard = told_while(line, drain, Resuming(for_s=60.0, checkpoints_s=0.5))
        assert heard == uncut
        assert Resumed("exact") in events or first.ended() == 0
        assert not any(isinstance(each, Reconnecting) for each in events)
        assert second.process.poll() is None


def test_a_stream_outlives_its_server_and_its_connections(uncut):
    with two_servers() as ((first, _), line):
        events, heard = told_while(line, lambda: line.do(lambda proxy: proxy.reset()))
        assert heard == uncut
        assert Resumed("exact") in events
        # By now the second stream begins at the first server again, or at the second one.
        events, heard = told_while(line, lambda: first.signal(signal.SIGKILL))
        assert heard == uncut


def test_who_sends_waits_while_as_much_is_kept_as_may_be(uncut):
    with two_servers() as (_, line):
        whole = list(line.proxy.addresses)

        def lose():
            def lost(proxy):
                proxy.addresses = ["127.0.0.1:1"]
                proxy.reset()

            line.do(lost)
            threading.Timer(
                1.5, line.do, [lambda proxy: setattr(proxy, "addresses", whole)]
            ).start()

        resume = Resuming(first_wait_s=0.02, most_wait_s=0.1, checkpoints_s=0.5, most_audio_s=1.0)
        events, heard = told_while(line, lose, resume)
    assert heard == uncut
    assert any(isinstance(each, Reconnecting) for each in events)


def test_a_stream_without_a_connection_can_be_closed():
    with Served(*OPEN) as server, Client(server.url) as client:
        stream = client.stream()
        stream.send(DIGITS)
        heard_of(stream)
        server.signal(signal.SIGKILL)
        while not isinstance(stream.get(60), Reconnecting):
            pass
        stream.send(DIGITS)
        stream.close()
        assert stream.heard.text
