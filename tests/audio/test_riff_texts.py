import io
import struct

import numpy as np
import pytest
import soundfile

from parakeet_streaming.audio.files import open_audio
from parakeet_streaming.audio.riff_texts import check_texts
from parakeet_streaming.audio.wav import MOST_CHUNKS
from parakeet_streaming.errors import AudioFormatError


def chunk(name, body=b"", length=None):
    length = len(body) if length is None else length
    return name + struct.pack("<I", length) + body + bytes(len(body) % 2)


def riff(*chunks, form=b"WAVE"):
    return b"RIFF" + struct.pack("<I", 1 << 20) + form + b"".join(chunks)


def judged(content, container="WAV"):
    file = io.BufferedReader(io.BytesIO(content))
    try:
        check_texts(file, container)
    except AudioFormatError as error:
        assert "a text in it claims" in str(error)  # noqa: PT017
        return True
    finally:
        assert file.tell() == 0
    return False


TEXT = chunk(b"INAM", b"a title")
ENDLESS = chunk(b"IART", b"", 0x7FFFFF00)
FORMAT = chunk(b"fmt ", bytes(16))


@pytest.mark.parametrize("container", ["WAV", "AVI"])
@pytest.mark.parametrize(
    "content",
    [
        riff(FORMAT, chunk(b"LIST", b"INFO" + ENDLESS)),
        riff(FORMAT, chunk(b"LIST", b"INFO" + TEXT + ENDLESS, 0xFFFFFFFF)),
        riff(FORMAT, chunk(b"data", b"abc"), chunk(b"LIST", b"INFO" + ENDLESS)),
        riff(chunk(b"LIST", b"INFO" + TEXT), chunk(b"LIST", b"INFO" + ENDLESS)),
        riff(FORMAT, chunk(b"LIST", b"INFO" + TEXT * MOST_CHUNKS)),
    ],
)
def test_a_text_that_is_longer_than_its_file_is_found(content, container):
    assert judged(content, container)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        riff(*[chunk(b"junk")] * MOST_CHUNKS, FORMAT),
        riff(FORMAT, chunk(b"LIST", b"INFO" + TEXT), chunk(b"data", b"abc", 0xFFFFFFFF)),
        riff(FORMAT, chunk(b"LIST", b"adtl" + ENDLESS)),
        riff(FORMAT, chunk(b"LIST", b"INFO" + TEXT, 0xFFFFFFFF)),
        riff(FORMAT, chunk(b"LIST", b"INFO" + TEXT))[:-3],
        riff(FORMAT) + b"LIS",
    ],
)
def test_other_files_have_none(content):
    assert not judged(content)
    assert not judged(riff(FORMAT, chunk(b"LIST", b"INFO" + ENDLESS)), "FLAC")


def test_such_a_file_is_refused(tmp_path):
    (tmp_path / "a.wav").write_bytes(riff(FORMAT, chunk(b"LIST", b"INFO" + ENDLESS)))
    with pytest.raises(AudioFormatError, match="longer than the file"):
        open_audio(tmp_path / "a.wav")


def test_what_libsndfile_reads_is_read_whatever_its_texts_say(tmp_path):
    content = io.BytesIO()
    soundfile.write(content, np.zeros(100), 16_000, format="WAV")
    (tmp_path / "a.wav").write_bytes(content.getvalue() + chunk(b"LIST", b"INFO" + ENDLESS))
    with open_audio(tmp_path / "a.wav") as audio:
        assert sum(map(len, audio.blocks())) == 100
