import base64
import io
import json
import threading
import wave
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from websockets.sync.client import connect
from websockets.sync.server import serve

from client_tests.tap import Tap
from client_tests.wire import messages, sounds_sent

SAMPLES = bytes(range(200)) * 40


def samples_of(file):
    with wave.open(io.BytesIO(file), "rb") as sound:
        return sound.getframerate(), sound.readframes(sound.getnframes())


@contextmanager
def in_a_thread(server):
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


@contextmanager
def echo():
    def talk(socket):
        for message in socket:
            socket.send(message)

    with (
        serve(talk, "127.0.0.1", 0) as server,
        in_a_thread(server),
        Tap(*server.socket.getsockname()) as tap,
    ):
        yield tap


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


@contextmanager
def uploads():
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server,
        in_a_thread(server),
        Tap(*server.server_address) as tap,
    ):
        yield tap


def said(tap, path, every):
    """What comes back, and what was kept."""
    with connect(tap.url.replace("http", "ws") + path, compression=None) as socket:
        back = []
        for message in every:
            socket.send(message)
            back.append(socket.recv())
    (sent,) = tap.sent()
    return back, sent


def test_messages_pass_and_are_kept():
    every = ["one", b"\x00\x01", "x" * 70_000, b""]
    with echo() as tap:
        back, sent = said(tap, "/any", every)
    assert back == every
    assert list(messages(sent)) == every


def test_pieces_of_a_message_are_joined():
    with echo() as tap:
        _, sent = said(tap, "/any", [["o", "ne"], [b"\x00", b"\x01"]])
    assert list(messages(sent)) == ["one", b"\x00\x01"]


def test_sound_of_a_realtime_session():
    pieces = [SAMPLES[start : start + 999] for start in range(0, len(SAMPLES), 999)]
    session = {"audio": {"input": {"format": {"type": "audio/pcm", "rate": 24_000}}}}
    events = [{"type": "session.update", "session": session}]
    for piece in pieces:
        audio = base64.b64encode(piece).decode()
        events.append({"type": "input_audio_buffer.append", "audio": audio})
    events.append({"type": "input_audio_buffer.commit"})
    with echo() as tap:
        _, sent = said(tap, "/v1/realtime?intent=transcription", map(json.dumps, events))
    (file,) = sounds_sent(sent)
    assert samples_of(file) == (24_000, SAMPLES)


def test_other_formats_of_a_realtime_session_are_told():
    session = {"audio": {"input": {"format": {"type": "audio/pcmu"}}}}
    event = {"type": "session.update", "session": session}
    with echo() as tap:
        _, sent = said(tap, "/v1/realtime", [json.dumps(event)])
    with pytest.raises(ValueError, match="another kind"):
        sounds_sent(sent)


def test_sound_of_deepgrams_protocol():
    every = [SAMPLES[:1_000], '{"type": "KeepAlive"}', SAMPLES[1_000:], '{"type": "CloseStream"}']
    with echo() as tap:
        _, sent = said(tap, "/v1/listen?encoding=linear16&sample_rate=16000", every)
    (file,) = sounds_sent(sent)
    assert samples_of(file) == (16_000, SAMPLES)


def test_a_client_that_sends_no_sound_sent_none():
    with echo() as tap:
        _, sent = said(tap, "/v1/realtime", [])
    assert sounds_sent(sent) == []


def test_files_of_requests_over_one_connection():
    form = {"file": ("sound.wav", SAMPLES, "audio/wav"), "more": ("other", b"\r\n\r\n--x")}
    with uploads() as tap, httpx.Client(trust_env=False) as client:
        assert client.post(f"{tap.url}/v1/listen", content=SAMPLES).text == "ok"
        client.post(f"{tap.url}/v1/audio/transcriptions", files=form, data={"model": "any"})
        client.post(f"{tap.url}/v1/audio/transcriptions", files=form)
        (sent,) = tap.sent()
    assert sounds_sent(sent) == [SAMPLES, SAMPLES, SAMPLES]


def test_a_form_without_a_file_is_told():
    with uploads() as tap, httpx.Client(trust_env=False) as client:
        client.post(f"{tap.url}/v1/audio/transcriptions", files={"more": b"."})
        (sent,) = tap.sent()
    with pytest.raises(ValueError, match="without a file"):
        sounds_sent(sent)
