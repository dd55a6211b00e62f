import io
import struct

import numpy as np
import pytest
import soundfile

from parakeet_streaming.audio import truncation
from parakeet_streaming.audio.truncation import missing_bytes

NOISE = np.random.default_rng(0).standard_normal(20_000) * 0.1


def missing(content, container):
    file = io.BufferedReader(io.BytesIO(content))
    file.seek(3)
    lacking = missing_bytes(file, container)
    assert file.tell() == 3
    return lacking


def encoded(**options):
    file = io.BytesIO()
    soundfile.write(file, NOISE, 16_000, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("container", "options"),
    [
        ("WAV", {"format": "WAV"}),
        ("WAV", {"format": "WAVEX"}),
        ("WAV", {"format": "RF64"}),
        ("WAV, big-endian", {"format": "WAV", "endian": "BIG"}),
        ("AIFF", {"format": "AIFF"}),
        ("AU", {"format": "AU"}),
        ("CAF", {"format": "CAF"}),
        ("MPEG", {"format": "MP3"}),
        ("Ogg", {"format": "OGG"}),
    ],
)
def test_what_is_cut_off_is_missed(container, options):
    content = encoded(**options)
    assert missing(content, container) == 0
    assert missing(content + bytes(1_000), container) == 0
    half = missing(content[: len(content) // 2], container)
    if container == "Ogg":  # only the page that is cut is missed
        assert half > 0
    else:
        assert half == pytest.approx(len(content) / 2, abs=300)
    assert missing(content[:-50], container) == 0


def box(kind, length, content=b""):
    return struct.pack(">I4s", length, kind) + content


def element(code, length, content=b""):
    return code.to_bytes(4) + bytes([0x08]) + length.to_bytes(4) + content


EBML = 0x1A45DFA3
SEGMENT = 0x18538067


@pytest.mark.parametrize(
    ("content", "container", "lacking"),
    [
        (box(b"ftyp", 16, bytes(8)) + box(b"mdat", 1_008, bytes(500)), "MP4", 500),
        (box(b"ftyp", 16, bytes(8)) + box(b"mdat", 0, bytes(500)), "MP4", 0),
        (box(b"mdat", 1, struct.pack(">Q", 1_016) + bytes(500)), "MP4", 500),
        (box(b"mdat", 4, bytes(500)), "MP4", 0),
        (element(EBML, 4, bytes(4)) + element(SEGMENT, 900, bytes(500)), "Matroska", 400),
        (element(EBML, 4, bytes(4)) + element(SEGMENT, 500, bytes(500)), "Matroska", 0),
        (element(EBML, 4, bytes(4)) + SEGMENT.to_bytes(4) + b"\xff" + bytes(90), "Matroska", 0),
        (bytes(400), "Matroska", 0),
        (b"OggS\0" + bytes(10), "Ogg", 65),
        (bytes(400), "Ogg", 0),
        (b".snd" + struct.pack(">II", 24, 0xFFFFFFFF) + bytes(100), "AU", 0),
        (b"caff" + bytes(4) + struct.pack(">4sq", b"data", -1) + bytes(100), "CAF", 0),
        (b"RIFF\0\0\0\0WAVEdata" + struct.pack("<I", 0xFFFFFFFF) + bytes(100), "WAV", 0),
        (b"RIFF\0\0\0\0AVI LIST" + struct.pack("<I", 500) + b"movi" + bytes(100), "AVI", 396),
        (b"ID3\4\0\0\0\0\0\0" + bytes(400), "MPEG", 0),
        (bytes(400), "MPEG", 0),
        (b"RIFF", "WAV", 0),
        (b"", "MP4", 0),
        (bytes(400), "FLAC", 0),
        (bytes(400), None, 0),
    ],
)
def test_a_length_is_believed_where_it_is_one(content, container, lacking):
    assert missing(content + bytes(3) if len(content) < 3 else content, container) == lacking


def test_an_mp4_of_nothing_but_boxes_is_not_walked_for_ever(monkeypatch):
    monkeypatch.setattr(truncation, "_MOST_BOXES", 100)
    boxes = struct.pack(">I4s", 8, b"free")
    for count, length, missing in ((98, 1_000, 992), (100, 1_000, 0), (100_000, 1_000, 0)):
        content = boxes * count + struct.pack(">I4s", length, b"mdat")
        file = io.BufferedReader(io.BytesIO(content))
        assert truncation.missing_bytes(file, "MP4") == missing
