"""Recordings that cannot be read: each is one line of ours, whichever way it is opened."""

import os
import socket
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from parakeet_streaming.audio.files import open_audio, read_audio
from parakeet_streaming.audio.raw import open_raw
from parakeet_streaming.errors import AudioFormatError, AudioNotFoundError, FileAccessError

WAYS = [open_audio, open_raw, read_audio]


@pytest.fixture
def unprivileged(tmp_path):
    if not hasattr(os, "seteuid"):
        pytest.skip("no users here")
    before = os.geteuid()
    if before == 0:
        for parent in list(tmp_path.parents)[:3]:
            parent.chmod(0o755)
        tmp_path.chmod(0o755)
        os.seteuid(65_534)
    yield
    os.seteuid(before)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("where", ["file", "folder"])
def test_a_recording_of_another_user(tmp_path, request, way, where):
    folder = tmp_path / "folder"
    folder.mkdir()
    soundfile.write(folder / "a.wav", np.zeros(100), 16_000)
    private = folder / "a.wav" if where == "file" else folder
    private.chmod(0)
    request.getfixturevalue("unprivileged")
    with pytest.raises(FileAccessError, match=r"Permission denied\); check its permissions"):
        way(folder / "a.wav")
    with pytest.raises(OSError, match="Permission denied"):
        way(folder / "a.wav")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("n" * 300, "too long"),
        ("loop", "leads back to itself"),
        ("dangling", "is a link to nowhere/x, which is not there"),
        ("file/x", "there is no file"),
    ],
)
def test_names_and_links_that_lead_nowhere(tmp_path, way, name, message):
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "dangling").symlink_to("nowhere/x")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(AudioNotFoundError, match=message):
        way(tmp_path / name)


@pytest.mark.parametrize("way", WAYS)
def test_a_name_with_a_nul(way):
    with pytest.raises(AudioFormatError, match=r"null (byte|character)"):
        way("a\0b.wav")


@pytest.mark.parametrize("way", WAYS)
def test_what_is_no_regular_file(tmp_path, monkeypatch, way):
    monkeypatch.chdir(tmp_path)  # names of sockets are short
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket")
        for other in ("socket", "/dev/null", "/dev/zero"):
            with pytest.raises(AudioFormatError, match="no regular file"):
                way(other)


@pytest.mark.skipif(not os.path.exists("/proc/self/mem"), reason="Linux has it")  # noqa: PTH110
@pytest.mark.parametrize("way", [open_audio, read_audio])
def test_a_file_whose_first_read_fails(way):
    with pytest.raises(FileAccessError, match=r"cannot be read \(Input/output error\)"):
        way("/proc/self/mem")


FAILING = """
import io, sys
from parakeet_streaming.audio import files
from parakeet_streaming.errors import FileAccessError

class Dying(io.FileIO):
    def readinto(self, buffer):
        if self.tell() > int(sys.argv[2]):
            raise OSError(5, "Input/output error")
        return super().readinto(memoryview(buffer)[: min(len(buffer), 4_096)])

heard = 0
try:
    with files.open_seekable(Dying(sys.argv[1]), "talk") as audio:
        for block in audio.blocks(0.05):
            heard += len(block)
except FileAccessError as error:
    print(heard, error)
"""


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.aiff", "a.ogg", "a.caf"])
@pytest.mark.parametrize("share", [0, 0.7])
def test_a_disk_that_fails_later_is_told_and_nothing_else_is_printed(tmp_path, name, share):
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 400_000)
    soundfile.write(tmp_path / name, noise, 16_000)
    dies_at = int(share * (tmp_path / name).stat().st_size)
    done = subprocess.run(
        [sys.executable, "-c", FAILING, str(tmp_path / name), str(dies_at)],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    heard, _, said = done.stdout.partition(" ")
    assert "Input/output error" in said
    assert int(heard) > 0 or share == 0 or name == "a.ogg"  # whose end is looked at first
    assert done.stderr == ""
