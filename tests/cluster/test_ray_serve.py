"""Two replicas in Ray, on this machine: words, who is inside, and how they end."""

import json
import threading
from pathlib import Path

import httpx
import pytest
import soundfile
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from parakeet_streaming.client import Client
from parakeet_streaming.client import Final as FinalEvent
from parakeet_streaming.errors import OptionError
from tests.server.processes import LONG_S, Served

pytest.importorskip("ray", reason="the extra ray is not installed")

# Ray's own, when it is imported.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

DIGITS = Path(__file__).parents[2] / "examples" / "recordings" / "digits.wav"
SIGNS = "a-key-of-sixteen-characters-or-more"
SAID = "three one four one five nine two six"


class Follower:
    """A socket that says digits, and hears until it is closed."""

    def __init__(self, ws_url):
        self.told, self.code = [], None
        self._url = f"{ws_url}/v1/stream?sample_rate=16000"
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._follow)
        self._thread.start()
        assert self._ready.wait(LONG_S)

    def _follow(self):
        samples, _ = soundfile.read(DIGITS, dtype="int16")
        with connect(self._url) as socket:
            try:
                self.told.append(json.loads(socket.recv(LONG_S)))
                self._ready.set()
                socket.send(samples.tobytes())
                while True:
                    self.told.append(json.loads(socket.recv(LONG_S)))
            except ConnectionClosed as closed:
                self.code = closed.rcvd.code if closed.rcvd else None

    def ended(self):
        self._thread.join(LONG_S)
        assert not self._thread.is_alive()

    @property
    def text(self):
        return " ".join(each["text"] for each in self.told if each["type"] == "final")


def test_a_cluster_needs_keys_or_the_word_that_it_needs_none():
    from parakeet_streaming.cluster import app

    with pytest.raises(OptionError, match="no_auth: true"):
        app({"model": "tiny-en"})
    # As strings, as the command line of Ray gives them.
    given = {"model": "tiny-en", "checkpoint_key": SIGNS}
    assert app({**given, "no_auth": "true", "max_streams": "8"}) is not None
    assert app({**given, "api_key": "alice:k1"}) is not None


def test_a_cluster_needs_a_key_that_its_replicas_share():
    from parakeet_streaming.cluster import app

    with pytest.raises(OptionError, match="give checkpoint_key_file"):
        app({"model": "tiny-en", "no_auth": "true"})


def test_arguments_of_a_cluster_are_settings(tmp_path):
    from parakeet_streaming.cluster import app

    path = tmp_path / "parakeet.toml"
    path.write_text("no_auth = true\ntls_cert = 'a.pem'")
    with pytest.raises(OptionError, match="tls_cert is not for them"):
        app({"config": str(path)})
    with pytest.raises(OptionError, match="max_streamz is no setting"):
        app({"max_streamz": 1})


def test_outside_of_a_replica_nobody_is_about_to_stop():
    from parakeet_streaming.cluster.ray_serve import _is_stopping

    with pytest.raises(OptionError, match="does not say when a replica is to stop"):
        _is_stopping()


def native(url):
    samples, rate = soundfile.read(DIGITS, dtype="float32")
    with Client(url) as client, client.stream(sample_rate=rate) as stream:
        stream.send(samples)
        stream.finish()
        return " ".join(event.text for event in stream if isinstance(event, FinalEvent))


def rest(url, **fields):
    with DIGITS.open("rb") as file:
        return httpx.post(
            f"{url}/v1/audio/transcriptions",
            files={"file": file},
            data={"model": "any", **fields},
            timeout=LONG_S,
        )


@pytest.mark.usefixtures("the_only_ray")
def test_two_replicas_are_one_server():
    arguments = ("--replicas", "2", "--fixed", "--max-streams", "4", "--log-format", "json")
    with Served(*arguments, "--drain-s", "20") as server:
        url, ws_url = server.url, server.ws_url
        assert native(url) == SAID
        assert rest(url).json()["text"] == SAID
        told = [line for line in rest(url, stream="true").text.splitlines() if line]
        done = json.loads(told[-1].removeprefix("data: "))
        assert (done["type"], done["text"]) == ("transcript.text.done", SAID)

        followers = [Follower(ws_url) for _ in range(4)]
        inside = httpx.get(f"{url}/page/about.json", timeout=LONG_S).json()["sockets_of_replicas"]
        assert len(inside) == 2
        assert sum(inside.values()) == 4
        assert all(inside.values())
        series = httpx.get(f"{url}/metrics", timeout=LONG_S).text.splitlines()
        for name, sockets in inside.items():
            assert f'parakeet_open_sockets{{replica="{name}"}} {sockets}.0' in series

        server.signal()
        for each in followers:
            each.ended()
        assert server.ended() == 0, server.log
    for each in followers:
        assert any(message["type"] == "going_away" for message in each.told)
        assert (each.text, each.code) == (SAID, 1012)
    lines = [json.loads(line) for line in server.said if line and line.startswith("{")]
    opened = [line["replica"] for line in lines if line["message"] == "opened"]
    assert set(opened) == set(inside)
    assert len(opened) == 5
