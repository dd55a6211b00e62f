"""A form with a file, cut anywhere: the same parts and the same bytes in each."""

from collections.abc import Iterator
from contextlib import suppress

from fuzz.choices import Choices, sliced
from parakeet_streaming.errors import ParakeetError
from parakeet_streaming.server.multipart import MultipartReader, PartBegin, PartData
from parakeet_streaming.server.protocols.openai_rest import TranscriptionRequest, with_field

TYPE = "multipart/form-data; boundary=x"
MOST_FIELD = 200


def run(data: bytes) -> None:
    choices = Choices(data)
    content_type = choices.block().decode("latin-1") if choices.flag() else TYPE
    sizes = [choices.number(0, 40) for _ in range(4)]
    body = choices.rest()
    whole = _parts(content_type, [body])
    assert _parts(content_type, sliced(body, sizes)) == whole
    request = TranscriptionRequest()
    for name, value in whole or ():
        with suppress(ParakeetError):
            request = with_field(request, name, value[:MOST_FIELD].decode("utf-8", "replace"))


def _parts(content_type: str, pieces: Iterator[bytes] | list[bytes]) -> list[tuple[str, bytes]]:
    """Names and contents of what was whole or begun; nothing where it is no form."""
    parts: list[tuple[str, bytes]] = []
    with suppress(ParakeetError):
        reader = MultipartReader(content_type)
        for piece in pieces:
            for event in reader.feed(piece):
                if isinstance(event, PartBegin):
                    parts.append((event.name, b""))
                elif isinstance(event, PartData):
                    name, before = parts.pop()
                    parts.append((name, before + event.data))
        reader.finish()
        return parts
    return []


def seeds() -> Iterator[bytes]:
    head = bytes((0, 1, 7, 0, 3))
    for fields in (
        (("model", "whisper-1"), ("response_format", "verbose_json")),
        (("timestamp_granularities[]", "word"), ("include[]", "logprobs"), ("stream", "true")),
        (("chunking_strategy[type]", "server_vad"), ("temperature", "nan"), ("context", "1e9-1-1")),
        (("channels", "separate"), ("language", "x" * 80)),
    ):
        parts = [_part(f'name="{name}"', value) for name, value in fields]
        parts.append(_part('name="file"; filename="a.wav"', "RIFF"))
        yield head + "".join([*parts, "--x--\r\n"]).encode()
    yield b'\1\x1emultipart/form-data; boundary=""' + head[1:] + b"--x--"


def _part(said: str, value: str) -> str:
    return f"--x\r\nContent-Disposition: form-data; {said}\r\n\r\n{value}\r\n"
