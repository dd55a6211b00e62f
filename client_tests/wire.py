"""The bytes that a client sent over one connection in; the sounds in them, as files, out.

A live stream is one sound, whatever its messages; a file that is uploaded is as it is.
"""

from __future__ import annotations

import base64
import io
import json
import wave
from collections.abc import Iterator
from email.parser import BytesParser
from email.policy import HTTP
from urllib.parse import parse_qs, urlsplit

import h11
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

_END = b"\r\n\r\n"


def sounds_sent(sent: bytes) -> list[bytes]:
    """Sound files, in their order; none of a client that sent no sound.

    Raises:
        ValueError: this is sound in no form that is known here.
    """
    head, _, _ = sent.partition(_END)
    if b"upgrade: websocket" in head.lower():
        live = _live(head, list(messages(sent)))
        return [live] if live else []
    return list(_uploads(sent))


def messages(sent: bytes) -> Iterator[str | bytes]:
    """What was sent over a WebSocket."""
    head, end, rest = sent.partition(_END)
    protocol = ServerProtocol(max_size=None)
    protocol.receive_data(head + end)
    (request,) = protocol.events_received()
    assert isinstance(request, Request)
    protocol.send_response(protocol.accept(request))
    protocol.receive_data(rest)
    begun: list[bytes] = []
    is_text = False
    for frame in protocol.events_received():
        assert isinstance(frame, Frame)
        if frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            continue
        if frame.opcode is not Opcode.CONT:
            is_text = frame.opcode is Opcode.TEXT
        begun.append(bytes(frame.data))
        if frame.fin:
            whole = b"".join(begun)
            yield whole.decode() if is_text else whole
            begun = []


def _live(head: bytes, sent: list[str | bytes]) -> bytes:
    target = urlsplit(head.split(b" ", 2)[1].decode())
    if target.path == "/v1/listen":
        query = parse_qs(target.query)
        if query["encoding"] != ["linear16"] or query.get("channels", ["1"]) != ["1"]:
            raise ValueError(f"sound of another kind: {target.query}")
        samples = b"".join(each for each in sent if isinstance(each, bytes))
        return _wav(int(query["sample_rate"][0]), samples)
    if target.path == "/v1/realtime":
        return _realtime([json.loads(each) for each in sent])
    raise ValueError(f"nothing is known here of {target.path}")


def _realtime(sent: list[dict[str, object]]) -> bytes:
    samples = b"".join(
        base64.b64decode(str(event["audio"]))
        for event in sent
        if event["type"] == "input_audio_buffer.append"
    )
    formats = [
        event["session"]["audio"]["input"]["format"]  # type: ignore[index]
        for event in sent
        if event["type"] == "session.update"
    ]
    if any(each != {"type": "audio/pcm", "rate": 24_000} for each in formats):
        raise ValueError(f"sound of another kind: {formats}")
    return _wav(24_000, samples)


def _uploads(sent: bytes) -> Iterator[bytes]:
    """The files of requests that followed each other."""
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(sent)
    body, content_type = b"", b""
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Request):
            body = b""
            content_type = dict(event.headers).get(b"content-type", b"")
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            if body:
                yield _file(content_type, body)
            connection.send(h11.Response(status_code=200, headers=[("content-length", "0")]))
            connection.send(h11.EndOfMessage())
            if connection.our_state is not h11.DONE:
                return
            connection.start_next_cycle()
        else:
            return


def _file(content_type: bytes, body: bytes) -> bytes:
    if not content_type.startswith(b"multipart/form-data"):
        return body
    form = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + content_type + _END + body)
    for part in form.iter_parts():
        if part.get_param("name", header="content-disposition") == "file":
            file = part.get_payload(decode=True)
            assert isinstance(file, bytes)
            return file
    raise ValueError("a form without a file")


def _wav(rate_hz: int, samples: bytes) -> bytes:
    if not samples:
        return b""
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(samples)
    return made.getvalue()
