"""Servers with several I/O processes: real ones, and clients over real sockets."""

import asyncio
import json
import os
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from parakeet_streaming.client import Client, Final
from parakeet_streaming.errors import OptionError, ParakeetError
from parakeet_streaming.processes.supervising import told_code, with_keys
from parakeet_streaming.server.settings import Settings
from tests.server.certificates import write_certificate
from tests.server.doors.test_native import PCM, SAID
from tests.server.processes import LONG_S, Served

FIXED = ("--fixed", "--context", "balanced")


def get(url, **headers):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=60) as reply:
        return reply.read().decode()


def io_processes(server):
    """Ids of the children that have sockets, by the number of their place."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            is_child = f"PPid:\t{server.process.pid}\n" in (path / "status").read_text()
            if is_child and "io_process" in (path / "cmdline").read_text():
                found.append(int(path.name))
        except OSError:
            continue
    return sorted(found)


def wait_until(holds):
    until_s = time.monotonic() + LONG_S
    while not holds():
        assert time.monotonic() < until_s
        time.sleep(0.02)


class Speaker(threading.Thread):
    """Says the digits to the server once it is told to; keeps what it heard."""

    def __init__(self, url, key=None, **options):
        super().__init__()
        self.client = Client(url, key=key)
        self.stream = self.client.stream(sample_rate=16_000, **options)
        self.stream.__enter__()
        self.heard, self.error = [], None

    def say(self, samples=PCM):
        for start in range(0, len(samples), 1_280):
            self.stream.send(samples[start : start + 1_280])

    def run(self):
        try:
            self.stream.finish()
            self.heard = [each.text for each in self.stream if isinstance(each, Final)]
        except ParakeetError as error:
            self.error = error
        finally:
            self.client.close()

    @property
    def text(self):
        return " ".join(self.heard)


@pytest.fixture(scope="module")
def server():
    with Served("--io-processes", 2, *FIXED) as found:
        found.line("ready ")
        yield found


def test_files_and_streams_whichever_process_has_them(server):
    speakers = [Speaker(server.url) for _ in range(8)]
    places = json.loads(get(f"{server.url}/page/about.json"))["sockets_of_replicas"]
    assert sum(places.values()) == 8
    assert set(places) == {"io-0", "io-1"}
    for speaker in speakers:
        speaker.say()
        speaker.start()
    for speaker in speakers:
        speaker.join(LONG_S)
        assert speaker.text == SAID, speaker.error


def test_metrics_are_of_all_processes(server):
    text = get(f"{server.url}/metrics")
    assert 'parakeet_streams_total{process="engine",outcome="finished"}' in text
    for name in ("io-0", "io-1"):
        assert f'parakeet_open_sockets{{process="{name}"}}' in text
        assert f'parakeet_load{{process="{name}"}}' in text
    assert get(f"{server.url}/healthz") == '{"status": "ok"}'
    assert get(f"{server.url}/readyz") == '{"status": "ready"}'


def test_a_process_that_is_killed_takes_its_streams_along_and_no_others():
    with Served("--io-processes", 2, *FIXED) as server:
        speakers = [Speaker(server.url) for _ in range(8)]
        for speaker in speakers:
            speaker.say(PCM[:16_000])
        victim = io_processes(server)[0]
        os.kill(victim, signal.SIGKILL)
        server.line_with("has ended (signal 9)")
        server.line_with("streams are cancelled")
        wait_until(lambda: len(io_processes(server)) == 2)
        for speaker in speakers:
            speaker.start()
        for speaker in speakers:
            speaker.join(LONG_S)
        # Clients of the native protocol go on at the other process, or at the one that came.
        assert not any(speaker.is_alive() for speaker in speakers)
        again = Speaker(server.url)
        again.say()
        again.start()
        again.join(LONG_S)
        assert again.text == SAID
        server.signal()
        assert server.ended() == 0


def test_streams_go_on_at_another_process():
    with Served("--io-processes", 2, *FIXED) as server:
        speakers = [Speaker(server.url) for _ in range(6)]
        for speaker in speakers:
            speaker.say(PCM[: len(PCM) // 2])
        time.sleep(1.5)
        for victim in io_processes(server)[:1]:
            os.kill(victim, signal.SIGKILL)
        for speaker in speakers:
            speaker.say(PCM[len(PCM) // 2 :])
            speaker.start()
        for speaker in speakers:
            speaker.join(LONG_S)
            assert speaker.text == SAID, speaker.error


def test_the_engine_is_killed_and_no_process_is_left():
    with Served("--io-processes", 2, *FIXED) as server:
        with connect(f"{server.ws_url}/v1/stream") as client:
            children = io_processes(server)
            assert len(children) == 2
            assert json.loads(client.recv(LONG_S))["type"] == "ready"
            client.send(PCM[:16_000].tobytes())
            server.process.kill()
            assert server.process.wait(LONG_S) == -signal.SIGKILL
            told = []
            with suppress(ConnectionClosed):
                told.extend(map(json.loads, client))
        assert told[-1]["code"] == "unavailable"
        assert client.close_code == 1011
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children))
        assert "engine process has ended" in server.log


def test_it_drains():
    with Served("--io-processes", 2, "--drain-s", 30, *FIXED) as server:
        speakers = [Speaker(server.url) for _ in range(4)]
        for speaker in speakers:
            speaker.say()
        server.signal()
        server.line_with("draining: 2 I/O processes")
        for speaker in speakers:
            speaker.start()
        for speaker in speakers:
            speaker.join(LONG_S)
            assert speaker.text == SAID, speaker.error
        assert server.ended() == 0


def test_a_second_signal_ends_all_processes_at_once():
    options = ("--io-processes", 2, "--drain-s", 3_600, *FIXED)
    with Served(*options) as server, connect(f"{server.ws_url}/v1/stream") as client:
        assert json.loads(client.recv(LONG_S))["type"] == "ready"
        client.send(PCM[:16_000].tobytes())
        children = io_processes(server)
        assert len(children) == 2
        server.signal(signal.SIGINT)
        server.line_with("draining: 2 I/O processes")
        while server.process.poll() is None:  # two that come together count as one
            server.signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                server.process.wait(0.1)
        assert server.ended() == 130
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children))


def test_phrases_that_change_while_the_engine_stands_still_change_when_it_goes_on():
    with Served("--io-processes", 2, *FIXED) as server:
        speakers = [Speaker(server.url) for _ in range(2)]
        for speaker in speakers:
            speaker.say(PCM[:16_000])
        wait_until(lambda: "active_streams" in get(f"{server.url}/metrics"))
        server.signal(signal.SIGSTOP)
        changed = [
            threading.Thread(target=speaker.stream.use_phrases, args=(["forty two"],))
            for speaker in speakers
        ]
        for each in changed:
            each.start()
        for speaker in speakers:
            speaker.say(PCM[16_000:32_000])
        time.sleep(0.3)
        server.signal(signal.SIGCONT)
        for each in changed:
            each.join(LONG_S)
        for speaker in speakers:
            speaker.say(PCM[32_000:])
            speaker.start()
        for speaker in speakers:
            speaker.join(LONG_S)
            assert speaker.text == SAID, speaker.error


def test_streams_of_all_processes_are_bounded_together():
    with Served("--io-processes", 2, "--max-streams", 3, *FIXED) as server:
        let_in = refused = 0
        speakers = []
        for _ in range(6):
            try:
                speakers.append(Speaker(server.url))
                let_in += 1
            except ParakeetError:
                refused += 1
        assert (let_in, refused) == (3, 3)
        for speaker in speakers:
            speaker.client.close()


def test_sockets_of_an_address_are_bounded_together():
    with Served("--io-processes", 2, "--sockets-of-address", 3, *FIXED) as server:
        speakers, refused = [], 0
        for _ in range(6):
            try:
                speakers.append(Speaker(server.url))
            except ParakeetError:
                refused += 1
        assert (len(speakers), refused) == (3, 3)
        for speaker in speakers:
            speaker.client.close()
        wait_until(lambda: can_open(server.url))


def can_open(url):
    try:
        speaker = Speaker(url)
    except ParakeetError:
        return False
    speaker.client.close()
    return True


def test_a_short_lived_key_is_good_at_every_process():
    with Served("--io-processes", 2, "--api-key", "alice:secret-key", *FIXED) as server:
        values = []
        for _ in range(3):
            request = urllib.request.Request(
                f"{server.url}/v1/realtime/client_secrets",
                data=b'{"session": {"type": "transcription", "audio": {"input": {}}}}',
                headers={"Authorization": "Bearer secret-key", "Content-Type": "application/json"},
            )
            with urllib.request.urlopen(request, timeout=60) as reply:
                values.append(json.loads(reply.read())["value"])
        os.kill(io_processes(server)[0], signal.SIGKILL)
        server.line_with("has ended (signal 9)")
        wait_until(lambda: len(io_processes(server)) == 2)
        for value in 3 * values:
            assert "data" in json.loads(
                get(f"{server.url}/v1/models", Authorization=f"Bearer {value}")
            )


def test_a_port_that_another_server_has(server):
    port = server.url.rpartition(":")[2]
    with Served("--io-processes", 2, "--port", port) as other:
        assert other.ended() == 1
        assert "another program uses that port" in other.log


def test_what_it_cannot_be_together_with():
    with Served("--io-processes", 2, "--replicas", 2) as other:
        assert other.ended() == 2
        assert "give one" in other.log


def test_all_processes_get_the_same_keys(tmp_path):
    keys = tmp_path / "keys"
    keys.write_text("bob:from-a-file\n")
    settings = with_keys(Settings(api_key=("first-key",), api_key_file=str(keys)))
    assert settings.api_key == ("key-1:first-key", "bob:from-a-file")
    assert settings.api_key_file is None
    (drawn,) = settings.checkpoint_key
    assert len(drawn) >= 32
    again = with_keys(settings)
    assert again == settings
    with pytest.raises(OptionError):
        with_keys(Settings(checkpoint_key_file=str(tmp_path / "missing")))


def test_exit_codes_in_words():
    assert told_code(-9) == "signal 9"
    assert told_code(3) == "exit code 3"


def test_calls_end_by_way_of_any_process_wyoming_is_in_one_and_tls_in_all(tmp_path):
    certificate, key = write_certificate(tmp_path)
    options = ("--tls-cert", certificate, "--tls-key", key, "--wyoming-port", 0)
    with Served("--io-processes", 2, *options, *FIXED) as server:
        https, wyoming = server.line("ready ").split()[1:]
        context = ssl.create_default_context(cafile=str(certificate))
        for _ in range(6):
            with urllib.request.urlopen(f"{https}/readyz", context=context, timeout=60) as reply:
                assert json.loads(reply.read()) == {"status": "ready"}
        port = int(wyoming.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
            client.sendall(b'{"type": "describe"}\n')
            assert b'"info"' in client.recv(65_536)
    pytest.importorskip("aiortc")
    from aiortc.mediastreams import AudioStreamTrack

    from tests.server.calling import Call

    async def ended(url):
        """As often as it takes until each process was asked."""
        codes = []
        for _ in range(6):
            async with Call(url.removeprefix("http://")) as call:
                await call.begin(AudioStreamTrack())
                codes.append((await call.ask("DELETE")).status_code)
                codes.append((await call.ask("DELETE")).status_code)
        return codes

    with Served("--io-processes", 2, *FIXED) as server:
        assert asyncio.run(ended(server.url)) == [204, 404] * 6
