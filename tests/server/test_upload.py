"""Bytes written in a loop and read in threads."""

import asyncio
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.errors import CapacityError
from parakeet_streaming.server import upload as module
from parakeet_streaming.server.upload import Upload


def read_all(reader, most=777):
    pieces = []
    while piece := reader.read(most):
        pieces.append(piece)
    return b"".join(pieces)


async def written(upload, pieces):
    for piece in pieces:
        await upload.add(piece)
    upload.end()


@given(st.lists(st.binary(max_size=50), max_size=20), st.integers(1, 60), st.integers(1, 70))
def test_readers_get_what_was_written(pieces, in_memory, most):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "IN_MEMORY_BYTES", in_memory)
        upload = Upload()
        asyncio.run(written(upload, pieces))
        assert read_all(upload.reader(), most) == b"".join(pieces)
        assert read_all(upload.reader(), most) == b"".join(pieces)
        upload.close()


def test_a_reader_waits_for_what_comes(monkeypatch):
    monkeypatch.setattr(module, "IN_MEMORY_BYTES", 10_000)
    pieces = [bytes([number % 251]) * 3_000 for number in range(300)]
    upload, got = Upload(), []
    readers = [
        threading.Thread(target=lambda: got.append(read_all(upload.reader()))) for _ in range(3)
    ]
    for reader in readers:
        reader.start()
    asyncio.run(written(upload, pieces))
    for reader in readers:
        reader.join()
    assert got == [b"".join(pieces)] * 3
    upload.close()


def test_little_is_in_memory():
    upload = Upload()
    asyncio.run(written(upload, [bytes(1 << 16)] * 64))
    assert len(upload._memory) <= module.IN_MEMORY_BYTES
    upload.close()


def test_closing_ends_the_waiting():
    upload, raised = Upload(), []

    def read():
        try:
            upload.reader().read(1)
        except ConnectionError as error:
            raised.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    upload.close()
    reader.join()
    assert raised
    assert upload.is_closed
    upload.close()


def test_closing_ends_the_reading_of_the_disk(monkeypatch):
    monkeypatch.setattr(module, "IN_MEMORY_BYTES", 10)
    upload = Upload()
    asyncio.run(written(upload, [b"x" * 100]))
    reader = upload.reader()
    assert reader.read(10) == b"x" * 10
    upload.close()
    with pytest.raises(ConnectionError):
        reader.read(10)


def test_a_full_disk_is_told(monkeypatch):
    monkeypatch.setattr(module, "IN_MEMORY_BYTES", 10)
    monkeypatch.setattr(module, "LEAST_FREE_BYTES", 1 << 80)
    upload = Upload()
    with pytest.raises(CapacityError, match="disk"):
        asyncio.run(written(upload, [b"x" * 100]))
    upload.close()


def test_a_folder_that_is_not_there_is_told(monkeypatch):
    monkeypatch.setattr(module, "IN_MEMORY_BYTES", 10)
    monkeypatch.setattr(module.tempfile, "tempdir", "/nowhere")
    upload = Upload()
    with pytest.raises(CapacityError, match="disk"):
        asyncio.run(written(upload, [b"x" * 100]))
    upload.close()
