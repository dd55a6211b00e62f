import io

import numpy as np
import pytest
import soundfile

from parakeet_streaming.audio.containers import (
    COMPRESSED,
    HEAD_BYTES,
    MIDDLE_BYTES,
    bytes_to_sniff,
    first_frame,
    is_tag,
    sniff,
    sniff_file,
)

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
    ("frame", "fixed", "length", "name"),
    [
        (b"\xff\xfd\x84\x00", 2, 384, "MPEG"),  # layer II, 128 kbit/s at 48 kHz
        (b"\xff\xf5\x84\x00", 2, 384, "MPEG"),  # MPEG 2, 64 kbit/s at 24 kHz
        (b"\x56\xe0\x20", 2, 35, "AAC (LOAS)"),
        (b"\x0b\x77\0\0\x14\x40", 2, 768, "AC-3"),  # 192 kbit/s at 48 kHz
        (b"\x0b\x77\0\0\x55\x40", 2, 836, "AC-3"),  # 192 kbit/s at 44.1 kHz
        (b"\x0b\x77\x01\x7f\x3f\x80", 2, 768, "AC-3"),  # E-AC-3
    ],
)
def test_frames_are_known_by_two_of_them(frame, fixed, length, name):
    file = frame.ljust(length, b"\0") * 2
    enough = bytes_to_sniff(file[:HEAD_BYTES])
    assert enough == max(HEAD_BYTES, length + fixed)
    assert sniff(file[:enough]) == name
    assert name in COMPRESSED
    broken = file[:length] + bytes(length)
    assert sniff(broken[:enough]) is None


@pytest.mark.parametrize(("start", "length"), [(0, 188), (4, 192), (0, 204)])
def test_a_transport_stream_is_known_by_three_packets(start, length):
    file = bytes(start) + b"G".ljust(length, b"\1") * 3
    enough = bytes_to_sniff(file[:HEAD_BYTES])
    assert sniff(file[:enough]) == "MPEG-TS"
    cut = start + 2 * length
    assert sniff(file[:cut].ljust(enough, b"\0")) is None


def test_a_file_stays_at_its_start():
    file = io.BufferedReader(io.BytesIO(encoded(format="MP3")))
    assert sniff_file(file) == "MPEG"
    assert file.tell() == 0
    assert sniff_file(io.BufferedReader(io.BytesIO(b"R"))) is None


@pytest.mark.parametrize(
    "packet", [b"ID3\4", b"TAG...", b"APETAGEX", b"LYRICSBEGIN", bytes(9), b""]
)
def test_titles_and_padding_are_no_sound(packet):
    assert is_tag(packet)
    assert not is_tag(b"\xff\xfb" + packet)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"ID3\4\0\0\0\0\0\0\0\0", "MPEG"),
        (b"\0\0\0\x20ftypM4A ", "MP4"),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81\1B\xf7\x81", "Matroska"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\0\xaa", "ASF"),
        (b"FLV\1\5\0\0\0\x09\0\0\0", "FLV"),
        (b"RIFF\0\0\0\0AVI ", "AVI"),
        (b"#!AMR\n", "AMR"),
        (b"wvpk", "WavPack"),
        (b"\0\0\1\xba", "MPEG program stream"),
        (b"\0\0\0\x08wide", "MP4"),
        (b"nut/multimedia container\0", "NUT"),
        (b"Creative Voice File\x1a", "VOC"),
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


def test_frames_are_found_where_a_stream_begins_within_one():
    frame = b"\xff\xfb\x90\x00" + bytes(413)
    assert first_frame(b"\x01" * 100 + frame * 3) == 100
    assert first_frame(b"\xff\xfb" * 50 + frame * 3) == 100
    assert first_frame(b"\x01" * 100 + frame * 2) is None
    assert first_frame(b"\x01" * 100 + frame + b"\x00" + frame * 2) is None
    assert first_frame(b"") is None


def test_raw_samples_have_no_frames():
    noise = np.random.default_rng(0).integers(0, 256, 400_000, np.uint8).tobytes()
    assert all(
        first_frame(noise[at : at + MIDDLE_BYTES]) is None for at in range(0, len(noise), 4_096)
    )
