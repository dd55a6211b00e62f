import io
import shutil
import tempfile
from types import SimpleNamespace

import pytest

from parakeet_streaming.errors import AudioFormatError, OptionError
from parakeet_streaming.sources import spooling
from parakeet_streaming.sources.one_way import OneWayStream
from parakeet_streaming.sources.spooling import spooled


def endless():
    class Endless:
        sent_bytes = 0

        def read(self, most_bytes):
            self.sent_bytes += most_bytes
            return bytes(most_bytes)

    return Endless()


def test_all_of_a_stream_is_in_the_file():
    content = bytes(range(256)) * 1_000
    with spooled(OneWayStream(io.BytesIO(content)), "talk", "MP4") as file:
        assert file.readall() == content


def test_an_endless_stream_is_refused(monkeypatch):
    monkeypatch.setattr(spooling, "MOST_SPOOLED_BYTES", 1 << 20)
    stream = endless()
    with pytest.raises(AudioFormatError, match=r"talk is MP4, .* longer than 1048576 bytes"):
        spooled(OneWayStream(stream), "talk", "MP4")
    assert stream.sent_bytes <= (1 << 20) + (1 << 16)


@pytest.mark.parametrize("free_bytes", [[0], [1 << 40, 1 << 20]])
def test_room_is_left_on_the_disk(monkeypatch, free_bytes):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free_bytes.pop(0)))
    with pytest.raises(OptionError, match=r"no room for it in the temporary folder .*TMPDIR"):
        spooled(OneWayStream(endless()), "talk", "MP4")
    assert not free_bytes


def test_a_disk_that_is_full_is_told(monkeypatch):
    class Full(io.RawIOBase):
        def writable(self):
            return True

        def write(self, data):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", lambda buffering: Full())
    for stream in (endless(), io.BytesIO(b"little")):
        with pytest.raises(OptionError, match="No space left on device"):
            spooled(OneWayStream(stream), "talk", "MP4")


def test_a_machine_without_a_temporary_folder_is_told(monkeypatch):
    def refuse(buffering):
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with pytest.raises(OptionError, match="No usable temporary directory"):
        spooled(OneWayStream(endless()), "talk", "MP4")
