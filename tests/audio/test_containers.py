import io

import numpy as np
import pytest
import soundfile

from parakeet_streaming.audio.containers import HEAD_BYTES, bytes_to_sniff, sniff

TONE = 0.3 * np.sin(np.arange(48_000) * 0.05)


def encoded(rate_hz=48_000, channels=1, **options):
    file = io.BytesIO()
    file.name = ""
    soundfile.write(file, np.stack([TONE] * channels, axis=1), rate_hz, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"format": "WAV"}, "WAV"),
        ({"format": "RF64"}, "WAV"),
        ({"format": "WAV", "endian": "BIG"}, "WAV, big-endian"),
        ({"format": "FLAC"}, "FLAC"),
        ({"format": "OGG"}, "Ogg"),
        ({"format": "AIFF"}, "AIFF"),
        ({"format": "AU"}, "AU"),
        ({"format": "CAF"}, "CAF"),
        ({"format": "W64"}, "W64"),
    ],
)
def test_a_container_is_known_by_its_first_bytes(options, name):
    head = encoded(**options)[:HEAD_BYTES]
    assert sniff(head) == name
    assert bytes_to_sniff(head) == HEAD_BYTES


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_mp3_is_known_by_two_frames(rate_hz, channels):
    file = encoded(rate_hz, channels, format="MP3")
    enough = bytes_to_sniff(file[:HEAD_BYTES])
    assert HEAD_BYTES < enough < 2_000
    assert sniff(file[:enough]) == "MPEG"
    assert sniff(file[: enough - 1]) is None


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"ID3\4\0\0\0\0\0\0\0\0", "MPEG"),
        (b"\0\0\0\x20ftypM4A ", "MP4"),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81\1B\xf7\x81", "Matroska"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\0\xaa", "ASF"),
        (b"FLV\1\5\0\0\0\x09\0\0\0", "FLV"),
        (b"RIFF\0\0\0\0AVI ", "AVI"),
    ],
)
def test_containers_of_others_are_known(head, name):
    assert sniff(head) == name


def test_aac_is_known_by_two_frames():
    frame = bytes.fromhex("fff15080013ffc") + bytes(2)
    assert bytes_to_sniff((frame * 2)[:HEAD_BYTES]) == HEAD_BYTES
    assert sniff(frame * 2) == "AAC"
    assert sniff(frame + bytes(9)) is None


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"R",
        b"RIFF\0\0\0\0WEBP",
        bytes(4_000),
        np.full(4_000, -1, "<i2").tobytes(),
        np.full(4_000, -1_025, "<i2").tobytes(),
        np.arange(-32_768, 32_767, dtype="<i2").tobytes(),
        (TONE * 32_767).astype("<i2").tobytes(),
        TONE.astype("<f4").tobytes(),
        b"\xff\xfb\x90\x00" + bytes(4_000),
        b"\xff\xfb\x90\x00" + bytes(413) + b"\xff\xf3" + bytes(4_000),
    ],
)
def test_raw_samples_are_no_container(raw):
    assert sniff(raw[: bytes_to_sniff(raw[:HEAD_BYTES])]) is None
