"""OpenAI's own client, plain HTTP and raw sockets against a server on a real socket."""

import asyncio
import io
import json
import re
import socket
import threading
import time
import wave
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import openai
import pytest
import soundfile

from parakeet_streaming.audio.files import read_audio
from parakeet_streaming.errors import CapacityError
from parakeet_streaming.load import load
from parakeet_streaming.server.http import HttpRoute, Reply
from parakeet_streaming.server.limits import Limits
from parakeet_streaming.timeline import ContextConfig
from tests.server.rest_serving import LONG_S, Serving, engine_of_the_built_in_model

DIGITS = Path(__file__).parents[3] / "examples" / "recordings" / "digits.wav"
PHONE = DIGITS.with_name("phone.wav")
SAID = "three one four one five nine two six"
PATH = "/v1/audio/transcriptions"


@pytest.fixture(scope="module")
def engine():
    with engine_of_the_built_in_model() as engine:
        yield engine


@pytest.fixture(scope="module")
def server(engine):
    with Serving(engine) as server:
        yield server


@pytest.fixture
def idle(server):
    """Afterwards nothing of the test is left in the server."""
    yield server
    wait_until_idle(server)


def wait_until_idle(server):
    until_s = time.monotonic() + LONG_S
    while not server.call(is_idle, server.service):
        assert time.monotonic() < until_s, "something was not freed"
        time.sleep(0.02)


def is_idle(service):
    streams = service.engine._loop.streams.all()
    return not streams and not service.uploads._keys and service.metrics.open_sockets.value == 0


def openai_client(server, key="none"):
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key=key, max_retries=0)


@pytest.fixture
def client(idle):
    with openai_client(idle) as client:
        yield client


def transcribe(client, file=DIGITS, **options):
    return client.audio.transcriptions.create(file=file, model="whisper-1", **options)


def posted(server, data):
    return httpx.post(server.url + PATH, files={"file": data}, timeout=LONG_S)


def digits_as(format, subtype=None, channels=1):
    samples, rate_hz = soundfile.read(DIGITS)
    frames = np.stack([samples] * channels, axis=1) if channels > 1 else samples
    written = io.BytesIO()
    soundfile.write(written, frames, rate_hz, format=format, subtype=subtype)
    return written.getvalue()


def two_channels():
    """Left says the digits; right says what the telephone says."""
    left, right = read_audio(DIGITS), read_audio(PHONE)
    frames = np.zeros((max(len(left), len(right)), 2), np.float32)
    frames[: len(left), 0], frames[: len(right), 1] = left, right
    written = io.BytesIO()
    soundfile.write(written, frames, 16_000, format="WAV")
    return written.getvalue()


def test_every_format(client):
    assert transcribe(client).text == SAID
    assert transcribe(client, response_format="text") == f"{SAID}\n"
    assert re.match(
        r"1\n00:00:0\S+ --> 00:00:0\S+\nthree", transcribe(client, response_format="srt")
    )
    assert transcribe(client, response_format="vtt").startswith("WEBVTT\n\n00:")
    verbose = transcribe(
        client, response_format="verbose_json", timestamp_granularities=["word", "segment"]
    )
    assert verbose.text == SAID
    assert [word.word for word in verbose.words] == SAID.split()
    assert all(0 <= word.start <= word.end <= verbose.duration for word in verbose.words)
    assert " ".join(segment.text for segment in verbose.segments) == SAID


def test_the_asynchronous_client(idle):
    async def run():
        async with openai.AsyncOpenAI(base_url=f"{idle.url}/v1", api_key="none") as client:
            first = client.audio.transcriptions.create(file=DIGITS, model="m")
            second = client.audio.transcriptions.create(file=DIGITS, model="m", stream=True)
            whole, events = await asyncio.gather(first, second)
            return whole.text, [event async for event in events]

    text, events = asyncio.run(run())
    assert text == SAID
    assert events[-1].text == SAID


@pytest.mark.parametrize("format", ["json", "text", "srt", "verbose_json"])
def test_a_stream_of_events(client, format):
    events = list(
        transcribe(
            client, response_format=format, stream=True, include=["logprobs"],
            extra_body={"context": "2-0.48-0.48"},
        )
    )  # fmt: skip
    *deltas, done = events
    assert {event.type for event in deltas} == {"transcript.text.delta"}
    assert len(deltas) > 3
    assert done.type == "transcript.text.done"
    assert "".join(event.delta for event in deltas) == done.text
    assert [each.token for event in deltas for each in event.logprobs] == [
        each.token for each in done.logprobs
    ]


def test_every_field_of_the_api(client):
    assert (
        transcribe(
            client,
            language="en",
            prompt="Digits.",
            temperature=0.3,
            chunking_strategy={"type": "server_vad", "silence_duration_ms": 200},
            include=["logprobs"],
            keywords=["three"],
            languages=["en", "de"],
            known_speaker_names=["agent"],
            known_speaker_references=["data:audio/wav;base64," + "A" * 200_000],
            timestamp_granularities=["word"],
            extra_body={"unknown": "x", "another[deep]": "y"},
        ).text
        == SAID
    )


@pytest.mark.parametrize("stream", [False, True])
def test_text_is_written_as_asked(client, stream):
    """The client's own spelling comes first: it is of what was said."""
    wanted = {"numbers": "digits", "profanity": "mask", "replace": "five nine => V9"}
    said = transcribe(
        client, response_format="verbose_json", timestamp_granularities=["word"], stream=stream,
        extra_body={**wanted, "context": "2-0.48-0.48"},
    )  # fmt: skip
    if stream:
        *deltas, said = list(said)
        assert "".join(event.delta for event in deltas) == said.text
    assert said.text == "3141 V9 two six"
    words = [(word["word"], word["start"] < word["end"]) for word in map(dict, said.words)]
    assert words == [("3141", True), ("V9", True), ("two", True), ("six", True)]


def test_subtitles_are_as_asked(client):
    plain = transcribe(client, response_format="vtt")
    timed = transcribe(client, response_format="vtt", extra_body={"word_times": "1"})
    assert "<00:00:" not in plain
    assert re.sub(r"<[\d:.]+>", "", timed) == plain
    assert timed.count("<00:00:") == 7
    narrow = transcribe(
        client, response_format="srt",
        extra_body={"subtitle_lines": "1", "subtitle_width": "15", "subtitle_shortest": "0.5"},
    )  # fmt: skip
    lines = [line for line in narrow.splitlines() if line and line[0].isalpha()]
    assert " ".join(lines) == SAID
    assert max(map(len, lines)) <= 15
    assert len(lines) > 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("numbers", "roman"),
        ("profanity", "shout"),
        ("replace", "x"),
        ("replace", "/x/ => y"),
        ("subtitle_lines", "9"),
        ("subtitle_gap", "x"),
        ("word_times", "maybe"),
    ],
)
def test_wrong_wishes_about_text_are_named(client, field, value):
    with pytest.raises(openai.BadRequestError) as refused:
        transcribe(client, extra_body={field: value})
    assert refused.value.body["param"] == field


@pytest.mark.parametrize(
    ("format", "subtype"),
    [("FLAC", None), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", None), ("AIFF", None),
     ("WAV", "ULAW"), ("W64", None), ("CAF", None)],
)  # fmt: skip
def test_every_container(client, tmp_path, format, subtype):
    """As much as the package hears in the same file."""
    data = digits_as(format, subtype)
    path = tmp_path / "sound"
    path.write_bytes(data)
    context = ContextConfig.offline_like()
    stream = load("tiny-en", provider="cpu", threads=1).stream(context)
    stream.feed(read_audio(path))
    said = stream.finish()[-1].transcript.text
    assert transcribe(client, ("name.that.lies", data)).text.split() == said.split()


@pytest.mark.parametrize("context", ["2-0.48-0.48", "offline_like"])
@pytest.mark.parametrize("path", [DIGITS, PHONE], ids=lambda path: path.stem)
def test_text_is_that_of_the_package(client, path, context):
    samples, rate_hz = soundfile.read(path, dtype="float32")
    chosen = ContextConfig.parse(context, rate_hz)
    stream = load("tiny-en", provider="cpu", threads=1).stream(chosen)
    events = [*stream.feed(samples), *stream.finish()]
    said = events[-1].transcript
    got = transcribe(
        client, path, response_format="verbose_json", timestamp_granularities=["word"],
        extra_body={"context": context},
    )  # fmt: skip
    assert got.text == said.text
    assert [(word.word, word.start) for word in got.words] == [
        (word.text, pytest.approx(word.start, abs=1e-3)) for word in said.words
    ]


@pytest.mark.parametrize("stream", [False, True])
def test_channels_apart(client, stream):
    left, right = transcribe(client, DIGITS).text, transcribe(client, PHONE).text
    got = transcribe(
        client, ("two.wav", two_channels()), response_format="verbose_json", stream=stream,
        extra_body={"channels": "separate"},
    )  # fmt: skip
    events = list(got) if stream else []
    whole = events[-1] if stream else got
    assert [each["text"] for each in whole.channels] == [left, right]
    lines = whole.text.splitlines()
    if stream:
        assert lines == [left, right]
        assert "".join(event.delta for event in events[:-1]) == whole.text
    else:
        assert {line.split(": ", 1)[0] for line in lines} == {"channel 0", "channel 1"}
        own = [line.split(": ", 1)[1] for line in lines if line.startswith("channel 0: ")]
        assert " ".join(own) == left


@pytest.mark.parametrize("asked", ["de", "ru", "english"])
def test_a_language_that_was_asked_for_is_not_told_as_heard(client, asked):
    got = transcribe(client, response_format="verbose_json", language=asked)
    assert (got.text, got.language) == (SAID, "en")


def test_channels_have_names(client, idle):
    options = {"channels": "separate", "channel_names": "agent, caller"}
    got = transcribe(client, ("two.wav", two_channels()), response_format="vtt", extra_body=options)
    assert "<v agent>" in got
    assert "<v caller>" in got
    for wrong in ({"channel_names": "a,b"}, {"channels": "separate", "channel_names": "a"}):
        form = {"file": two_channels()}
        answer = httpx.post(idle.url + PATH, files=form, data=wrong, timeout=60)
        assert answer.status_code == 400
        assert answer.json()["error"]["param"] == "channel_names"


def test_speakers_by_channel(client):
    options = {"response_format": "diarized_json", "extra_body": {"channels": "separate"}}
    got = transcribe(client, ("two.wav", two_channels()), **options)
    assert {segment.speaker for segment in got.segments} == {"channel 0", "channel 1"}
    kinds = [e.type for e in transcribe(client, ("t.wav", two_channels()), stream=True, **options)]
    assert kinds.count("transcript.text.segment") == len(got.segments)


@pytest.mark.parametrize(
    "fields",
    [["file", "channels", "response_format"], ["channels", "file", "response_format"],
     ["response_format", "channels", "file"]],
)  # fmt: skip
def test_fields_in_any_order(idle, fields):
    given = {
        "file": ("file", ("two.wav", two_channels())),
        "channels": ("channels", (None, "separate")),
        "response_format": ("response_format", (None, "verbose_json")),
    }
    got = httpx.post(idle.url + PATH, files=[given[name] for name in fields], timeout=LONG_S).json()
    assert got["channels"][0]["text"] == SAID
    assert {segment["channel"] for segment in got["segments"]} == {0, 1}


def test_fields_in_the_query(idle):
    url = f"{idle.url}{PATH}?response_format=text"
    got = httpx.post(url, files={"file": DIGITS.read_bytes()}, timeout=LONG_S)
    assert got.text == f"{SAID}\n"


def test_models(client):
    assert [model.id for model in client.models.list()] == ["tiny-en"]
    assert client.models.retrieve("nvidia/some-model").id == "nvidia/some-model"


def test_a_strict_server_knows_its_model_alone(engine):
    with Serving(engine, strict=True) as server, openai_client(server) as client:
        with pytest.raises(openai.NotFoundError):
            client.models.retrieve("whisper-1")
        with pytest.raises(openai.BadRequestError) as caught:
            transcribe(client)
        assert caught.value.param == "model"
        assert client.audio.transcriptions.create(file=DIGITS, model="tiny-en").text == SAID


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"response_format": "xml"}, "response_format"),
        ({"response_format": "diarized_json"}, "response_format"),
        ({"temperature": 9}, "temperature"),
        ({"extra_body": {"context": "huge"}}, "context"),
        ({"extra_body": {"channels": "3"}}, "channels"),
        ({"prompt": "x" * 70_000}, "prompt"),
        ({"file": ("x.wav", b"")}, "file"),
        ({"file": ("x.wav", b"RIFF" + bytes(100))}, "file"),
        ({"file": ("x.mp3", b"no audio at all " * 1000)}, "file"),
        ({"file": ("x.flac", b"fLaC" + bytes(5000))}, "file"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_what_is_wrong_is_named(client, options, param, stream):
    with pytest.raises(openai.BadRequestError) as caught:
        list(transcribe(client, **{"file": DIGITS, "stream": stream, **options}))
    assert caught.value.param == param


def test_nothing_is_translated(idle):
    answer = httpx.post(f"{idle.url}/v1/audio/translations")
    assert answer.status_code == 404
    assert "transcriptions" in answer.json()["error"]["message"]


def test_what_was_heard_of_a_broken_file_is_told(client):
    whole = digits_as("FLAC")
    got = transcribe(client, ("cut.flac", whole[: len(whole) * 2 // 3]))
    assert got.text
    assert SAID.startswith(got.text)
    assert "the file is" in got.warnings[0]
    raw = client.audio.transcriptions.with_raw_response.create(
        file=("cut.flac", whole[: len(whole) * 2 // 3]), model="m", response_format="text"
    )
    assert "the file is" in raw.headers["x-parakeet-warnings"]


# Limits


def test_without_a_key_nothing_is_read(engine):
    with Serving(engine, keys={"ann": "secret"}) as server:
        head = f"POST {PATH} HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=x"
        assert answer_before_body(server, f"{head}\r\nContent-Length: 1000000\r\n") == 401
        for path in ("/v1/models", "/v1/models/x"):
            refused = httpx.get(server.url + path)
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        assert httpx.post(f"{server.url}/v1/audio/translations").status_code == 401
        with openai_client(server, "secret") as client:
            assert transcribe(client).text == SAID
        with openai_client(server, "guess") as wrong, pytest.raises(openai.AuthenticationError):
            transcribe(wrong)


def test_what_is_announced_as_too_large_is_not_read(idle):
    head = f"POST {PATH} HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=x"
    assert answer_before_body(idle, f"{head}\r\nContent-Length: {10**12}\r\n") == 413


def answer_before_body(server, head):
    with socket.create_connection(("127.0.0.1", server.port), LONG_S) as raw:
        raw.sendall(f"{head}\r\n".encode())
        return int(raw.recv(1000).split()[1])


def pieces_of(size, count):
    for _ in range(count):
        yield bytes(size)


def test_what_turns_out_too_large(engine):
    with Serving(engine, limits=Limits(upload_megabytes=1)) as server:
        body = form_of(digits_as("WAV") + bytes(3_000_000))
        kind = {"content-type": "multipart/form-data; boundary=x"}
        pieces = (body[at : at + 50_000] for at in range(0, len(body), 50_000))
        answer = httpx.post(server.url + PATH, content=pieces, headers=kind, timeout=LONG_S)
        assert answer.status_code == 413
        wait_until_idle(server)


def form_of(data):
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    return head + data + b"\r\n--x--\r\n"


@pytest.mark.parametrize("separate", [False, True])
def test_what_lasts_too_long(engine, separate):
    """An hour of silence is small as FLAC."""
    written = io.BytesIO()
    soundfile.write(written, np.zeros((16_000 * 600, 2), np.int16), 16_000, format="FLAC")
    limits = Limits(upload_s=30)
    with Serving(engine, limits=limits) as server, openai_client(server) as client:
        channels = {"channels": "separate" if separate else "mixed"}
        with pytest.raises(openai.APIStatusError) as caught:
            transcribe(client, ("bomb.flac", written.getvalue()), extra_body=channels)
        assert caught.value.status_code == 413
        wait_until_idle(server)


def test_a_key_has_so_many_uploads(engine):
    with Serving(engine, limits=Limits(uploads_of_key=1)) as server:
        with stalled_upload(server):
            refused = posted(server, DIGITS.read_bytes())
            assert refused.status_code == 429
            assert refused.headers["retry-after"]
            assert "(uploads_of_key)" in refused.json()["error"]["message"]
        wait_until_idle(server)
        assert posted(server, DIGITS.read_bytes()).is_success


def part_of_an_upload(server):
    """A connection on which nothing more comes."""
    data = DIGITS.read_bytes()[:50_000]
    raw = socket.create_connection(("127.0.0.1", server.port), LONG_S)
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        f"Content-Length: 1000000\r\n\r\n"
    )
    raw.sendall(head.encode() + form_of(data)[: -len(b"\r\n--x--\r\n")])
    return raw


def stalled_upload(server):
    """The same, of which the server knows."""
    raw = part_of_an_upload(server)
    until_s = time.monotonic() + LONG_S
    while not server.call(lambda: server.service.uploads._keys):
        assert time.monotonic() < until_s
    return raw


def test_an_upload_that_stalls_is_given_up(engine):
    with Serving(engine, limits=Limits(idle_s=0.2)) as server:
        with part_of_an_upload(server) as raw:
            assert raw.recv(1000).split()[1] == b"408"
        wait_until_idle(server)


def test_a_full_house_refuses_at_once(server, monkeypatch):
    def full(*_):
        raise CapacityError("full")

    monkeypatch.setattr(server.service.engine, "open", full)
    answer = posted(server, DIGITS.read_bytes())
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_capacity")
    assert int(answer.headers["retry-after"]) > 0
    wait_until_idle(server)


# Clients that go


def test_a_client_that_goes_amid_its_upload(idle):
    with stalled_upload(idle):
        pass


def long_recording(times=30):
    with wave.open(str(DIGITS)) as one:
        frames, parameters = one.readframes(one.getnframes()), one.getparams()
    written = io.BytesIO()
    with wave.open(written, "wb") as many:
        many.setparams(parameters)
        many.writeframes(frames * times)
    return written.getvalue()


@pytest.mark.parametrize("stream", ["false", "true"])
def test_a_client_that_goes_while_its_file_is_decoded(idle, stream):
    body = form_of(long_recording(200))
    raw = socket.create_connection(("127.0.0.1", idle.port), LONG_S)
    head = (
        f"POST {PATH}?stream={stream}&context=10-0.08-0.08 HTTP/1.1\r\nHost: h\r\n"
        f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    raw.sendall(head.encode() + body)
    if stream == "true":
        assert raw.recv(2000).split()[1] == b"200"
    raw.close()


def test_a_client_that_does_not_read(engine):
    ended = threading.Event()

    async def endless():
        while True:
            yield bytes(100_000)

    async def end():
        ended.set()

    async def answer(_):
        return Reply(200, endless(), unread_s=0.2, on_end=end)

    with (
        Serving(engine, routes=[HttpRoute("/endless", answer)]) as server,
        socket.create_connection(("127.0.0.1", server.port), LONG_S) as raw,
    ):
        raw.sendall(b"GET /endless HTTP/1.1\r\nHost: h\r\n\r\n")
        assert ended.wait(LONG_S)


def test_several_at_once(idle):
    def one(_):
        return posted(idle, DIGITS.read_bytes())

    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(one, range(9)))
    assert [answer.json()["text"] for answer in answers] == [SAID] * 9


def test_a_server_that_stops(engine):
    with Serving(engine) as server:
        with stalled_upload(server) as raw:
            server.call(server.service.drain.begin, server.service.clock())
            refused = posted(server, b"x")
            assert refused.json()["error"]["code"] == "draining"
            raw.sendall(b"x")
            assert raw.recv(1000).split()[1] == b"503"
        wait_until_idle(server)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no form",
        form_of(b"x").replace(b'name="file"', b'name="other"'),
        form_of(b"x")[:-4],
        form_of(DIGITS.read_bytes()).replace(b"--x--", b"--x") * 2 + b"--x--\r\n",
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n' * 100_000 + b"--x--",
        b'--x\r\nContent-Disposition: form-data; name="prompt"\r\n\r\n' + b"b" * 10_000_000,
    ],
    ids=["empty", "no form", "no file", "cut off", "two files", "many fields", "huge field"],
)
def test_hostile_bodies(idle, body):
    kind = {"content-type": "multipart/form-data; boundary=x"}
    answer = httpx.post(idle.url + PATH, content=body, headers=kind, timeout=LONG_S)
    assert answer.status_code == 400
    assert json.loads(answer.text)["error"]["message"]


def test_no_boundary(idle):
    answer = httpx.post(idle.url + PATH, content=b"x", headers={"content-type": "audio/wav"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "file")
