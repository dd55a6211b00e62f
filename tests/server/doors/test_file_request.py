"""Parts of a form in, without a socket."""

import asyncio
import itertools
import time
from pathlib import Path

import pytest

from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.server.access import Access
from parakeet_streaming.server.doors.file_request import FileRequest
from parakeet_streaming.server.file_readers import FileReaders
from parakeet_streaming.server.limits import ByteCount, Limits
from parakeet_streaming.server.metrics import ServerMetrics
from parakeet_streaming.server.multipart import MultipartReader
from parakeet_streaming.server.recordings import FileText
from parakeet_streaming.server.replies import SessionTimeError, WrongRequestError
from parakeet_streaming.server.service import LoadedModel, Service
from parakeet_streaming.timeline import ContextConfig
from tests.server.rest_serving import engine_of_the_built_in_model

DIGITS = Path(__file__).parents[3] / "examples" / "recordings" / "digits.wav"
SAID = "three one four one five nine two six"


def part(name, value):
    head = b'--x\r\nContent-Disposition: form-data; name="%b"\r\n\r\n' % name
    return head + value + b"\r\n"


FILE = part(b"file", DIGITS.read_bytes())
FORM = part(b"model", b"m") + FILE + part(b"context", b"2-0.48-0.48") + b"--x--\r\n"


class FakeRequest:
    """A body in pieces, from a client that stays, or goes once it has sent all."""

    def __init__(self, pieces, stays=True, stalls=False):
        self._pieces, self._stays, self._stalls = pieces, stays, stalls

    async def body(self):
        for piece in self._pieces:
            yield piece
        if self._stalls:
            await asyncio.Event().wait()

    async def wait_until_gone(self):
        if self._stays:
            await asyncio.Event().wait()


@pytest.fixture(scope="module")
def engine():
    with engine_of_the_built_in_model(most_recordings=1) as engine:
        yield engine


async def work(engine, request, query=None, limits=None, use=None, clock=time.monotonic):
    service = Service(
        engine,
        LoadedModel("tiny-en", 1),
        LiveOptions(),
        Access({}),
        limits or Limits(),
        ServerMetrics(),
        clock,
    )
    context = ContextConfig.offline_like()
    file_request = FileRequest(service, FileReaders(), context, query or {})
    reader = MultipartReader("multipart/form-data; boundary=x")
    try:
        await file_request.receive(request, reader, ByteCount(1))
        if use is not None:
            return await use(file_request)
        await file_request.finished(request)
        return file_request.transcripts
    finally:
        await file_request.close()


def in_pieces(form, size):
    return [form[at : at + size] for at in range(0, len(form), size)]


@pytest.mark.parametrize("size", [1_000, 33_333, len(FORM)])
def test_a_form_in_any_pieces(engine, size):
    """Its context comes after the file, so that recognition begins anew."""
    (heard,) = asyncio.run(work(engine, FakeRequest(in_pieces(FORM, size))))
    assert heard.transcript.text == SAID


def test_text_as_it_comes_and_signs_of_life(engine):
    async def use(file_request):
        return [event async for event in file_request.events(0.001)]

    events = asyncio.run(work(engine, FakeRequest([FORM]), use=use))
    assert "".join(event.text for event in events if isinstance(event, FileText)) == SAID


def test_a_client_that_goes(engine):
    with pytest.raises(ConnectionError):
        asyncio.run(work(engine, FakeRequest([FORM], stays=False)))


def test_a_client_that_stalls(engine):
    with pytest.raises(SessionTimeError):
        asyncio.run(
            work(engine, FakeRequest([FORM[:9_000]], stalls=True), limits=Limits(idle_s=0.05))
        )


def test_a_client_that_drips(engine):
    """A byte every five seconds is never idle, and would hold its place for ever."""
    clock = itertools.count(0, 5)
    request = FakeRequest(in_pieces(FORM[:9_000], 1))
    with pytest.raises(SessionTimeError, match="faster"):
        asyncio.run(work(engine, request, clock=lambda: next(clock)))
    assert next(clock) < 200


@pytest.mark.parametrize("form", [b"--x--\r\n", FILE + FILE + b"--x--\r\n", FILE])
def test_wrong_forms(engine, form):
    with pytest.raises(WrongRequestError):
        asyncio.run(work(engine, FakeRequest([form])))


def test_a_wrong_query_is_refused_before_anything_is_read(engine):
    with pytest.raises(WrongRequestError):
        asyncio.run(work(engine, FakeRequest([]), {"stream": "maybe"}))
