import errno
import os
import struct

import pytest

from parakeet_streaming.audio.recording_errors import as_recording_errors, reason_of
from parakeet_streaming.errors import AudioFormatError, AudioNotFoundError, OptionError


def provoked(error, name="talk.wav"):
    with pytest.raises((AudioFormatError, AudioNotFoundError)) as caught, as_recording_errors(name):
        raise error
    assert caught.value.__cause__ is error
    return caught.value


def of_system(number):
    return OSError(number, os.strerror(number))


@pytest.mark.parametrize(
    ("number", "kind", "message"),
    [
        (errno.ENOENT, AudioNotFoundError, "there is no file talk.wav; check the path"),
        (errno.ENOTDIR, AudioNotFoundError, "there is no file talk.wav; check the path"),
        (errno.ENAMETOOLONG, AudioNotFoundError, "name is too long"),
        (errno.ELOOP, AudioNotFoundError, "link that leads back to itself"),
        (errno.EACCES, AudioFormatError, "check its permissions"),
        (errno.EPERM, AudioFormatError, "check its permissions"),
        (errno.EIO, AudioFormatError, "cannot be read (Input/output error); check the disk"),
        (errno.ESTALE, AudioFormatError, "cannot be read"),
        (errno.ENXIO, AudioFormatError, "cannot be read"),
    ],
)
def test_the_system_says_what_the_caller_can_do(number, kind, message):
    error = provoked(of_system(number))
    assert isinstance(error, kind)
    assert message in str(error)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (MemoryError(), "asks for more memory than there is"),
        (OverflowError("too large"), r"is broken \(too large\)"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), "is broken"),
        (struct.error("unpack"), "is broken"),
        (IndexError(), r"is broken \(IndexError\)"),
        (EOFError("ends."), r"is broken \(ends\)"),
    ],
)
def test_what_bytes_provoke_is_an_error_of_ours(error, message):
    with pytest.raises(AudioFormatError, match=message):
        raise provoked(error)


@pytest.mark.parametrize("error", [OptionError("no"), TypeError("ours"), KeyboardInterrupt()])
def test_errors_of_ours_and_faults_are_handed_on(error):
    with pytest.raises(type(error)) as caught, as_recording_errors("talk.wav"):
        raise error
    assert caught.value is error


def test_a_link_that_leads_nowhere_is_named(tmp_path):
    (tmp_path / "talk.wav").symlink_to("gone.wav")
    error = provoked(of_system(errno.ENOENT), str(tmp_path / "talk.wav"))
    assert str(error).endswith("talk.wav is a link to gone.wav, which is not there; mend the link")


def test_a_reason_is_what_a_library_said():
    assert reason_of(OSError(5, "is broken")) == "is broken"
    assert reason_of(ValueError(" no. ")) == "no"
    assert reason_of(MemoryError()) == "it asks for more memory than there is"
