"""The first bytes of a stream go in; the name of the container they begin comes out, or None.

Rules of this file:

1. Content decides, never a file's name.
2. Frames of MPEG audio, AAC and AC-3 begin with only 11 to 16 fixed bits, which raw samples may
   begin with, too. So a frame counts only when a second one stands where the first one ends.
   Packets of a transport stream begin with 8 fixed bits: three of them count.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Final

HEAD_BYTES: Final = 12
MIDDLE_BYTES: Final = 4_096
"""In which three frames of a stream that begins within one are looked for."""
_MOST_MEASURED: Final = 8
_TAGS: Final = (b"ID3", b"TAG", b"APETAGEX", b"LYRICSBEGIN")

_MAGIC: Final = (
    (0, b"RIFX", "WAV, big-endian"),
    (0, b".snd", "AU"),
    (0, b"caff", "CAF"),
    (0, b"riff\x2e\x91\xcf\x11", "W64"),
    (0, b"NIST_1A", "NIST"),
    (0, b"PVF1\n", "PVF"),
    (0, b"Extended Ins", "XI"),
    (0, b"\x64\xa3\x01\x00", "IRCAM"),
    (0, b"\x64\xa3\x02\x00", "IRCAM"),
    (0, b"\x64\xa3\x03\x00", "IRCAM"),
    (0, b"\x64\xa3\x04\x00", "IRCAM"),
    (0, b"\x00\x01\xa3\x64", "IRCAM"),
    (0, b"\x00\x02\xa3\x64", "IRCAM"),
    (0, b"\x00\x03\xa3\x64", "IRCAM"),
)
_MAGIC_OF_COMPRESSED: Final = (
    (0, b"fLaC", "FLAC"),
    (0, b"OggS", "Ogg"),
    (0, b"ID3", "MPEG"),
    (4, b"ftyp", "MP4"),
    (4, b"styp", "MP4"),
    (4, b"moov", "MP4"),
    (4, b"mdat", "MP4"),
    (4, b"wide", "MP4"),
    (0, b"\x1aE\xdf\xa3", "Matroska"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "ASF"),
    (0, b"FLV\x01", "FLV"),
    (0, b"\0\0\1\xba", "MPEG program stream"),
    (0, b"nut/multimed", "NUT"),
    (0, b".RMF\0\0", "RealMedia"),
    (0, b".ra\xfd\0", "RealAudio"),
    (0, b"\x06\x0e\x2b\x34\x02\x05\x01\x01", "MXF"),
    (0, b"\xb7\xd8\x00\x20\x37\x49\xda\x11", "WTV"),
    (0, b"Creative Voi", "VOC"),
    (0, b"\0\nSMJPEG", "SMJPEG"),
    (0, b"#!AMR", "AMR"),
    (0, b"\x7f\xfe\x80\x01", "DTS"),
    (0, b"TTA1", "TTA"),
    (0, b"wvpk", "WavPack"),
    (0, b"MAC \x96\x0f", "Monkey's Audio"),
    (0, b"MPCK", "Musepack"),
    (0, b"MP+", "Musepack"),
    (0, b"tBaK", "TAK"),
    (0, b"ajkg", "Shorten"),
    (0, b"DSD \x1c\0\0\0", "DSF"),
    (0, b".SoX", "SoX"),
    (0, b"XoS.", "SoX"),
    (0, b"ea3\x03", "ATRAC"),
    (0, b"EA3\x01", "ATRAC"),
    (4, b"\xf8\x72\x6f\xba", "TrueHD"),
    (4, b"\xf8\x72\x6f\xbb", "MLP"),
    (0, b"STRM\0", "AST"),
    (0, b"\x72\xf8\x1f\x4e", "S/PDIF"),
    (0, b"\xc0\xde\xc2", "Codec 2"),
)
_MAGIC_OF_FORM: Final = {
    (b"RIFF", b"WAVE"): "WAV",
    (b"RF64", b"WAVE"): "WAV",
    (b"BW64", b"WAVE"): "WAV",
    (b"RIFF", b"AVI "): "AVI",
    (b"FORM", b"AIFF"): "AIFF",
    (b"FORM", b"AIFC"): "AIFF",
    (b"FORM", b"8SVX"): "8SVX",
}

_KBITS_MPEG_1: Final = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBITS_MPEG_1_LAYER_2: Final = (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384)
_KBITS_MPEG_2: Final = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_KBITS_AC3: Final = (
    *(32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640),
)
_RATES_HZ: Final = (44_100, 48_000, 32_000)


COMPRESSED: Final = frozenset(
    {name for *_, name in _MAGIC_OF_COMPRESSED} | {"AVI", "AAC", "AAC (LOAS)", "AC-3", "MPEG-TS"}
)
"""Containers whose sound is compressed, usually."""

_TS_PACKETS: Final = ((0, 188), (4, 192), (0, 204))
"""Where the first packet of a transport stream begins, and how long packets are."""


def sniff(head: bytes) -> str | None:
    """The container that begins with `head`, at least `bytes_to_sniff(head)` bytes; else None."""
    form = _MAGIC_OF_FORM.get((head[:4], head[8:12]))
    if form is not None:
        return form
    for offset, magic, name in (*_MAGIC, *_MAGIC_OF_COMPRESSED):
        if head.startswith(magic, offset):
            return name
    for name, measure, fixed in _FRAMES:
        if _next_frame(head, 0, measure, fixed):
            return name
    if any(
        head[start : start + 2 * length + 1 : length] == b"GGG" for start, length in _TS_PACKETS
    ):
        return "MPEG-TS"
    return None


def first_frame(head: bytes) -> int | None:
    """Where, in a stream that begins within a frame, the first of three whole frames begins.

    Radio stations let their listeners in at any byte.
    """
    for at in range(1, len(head)):
        for _, measure, fixed in _FRAMES:
            second = _next_frame(head, at, measure, fixed)
            if second and _next_frame(head, second, measure, fixed):
                return at
    return None


def bytes_to_sniff(head: bytes) -> int:
    """How many bytes decide, given the first `HEAD_BYTES` of them."""
    needed = [HEAD_BYTES]
    needed += [length + len(fixed) for _, measure, fixed in _FRAMES if (length := measure(head))]
    needed += [
        start + 2 * length + 1 for start, length in _TS_PACKETS if head[start : start + 1] == b"G"
    ]
    return max(needed)


def _next_frame(head: bytes, at: int, measure: Callable[[bytes], int], fixed: bytes) -> int:
    """Where the frame ends that begins at `at`, if another of its kind begins there; else 0."""
    first = head[at : at + _MOST_MEASURED]
    end = at + measure(first)
    second = head[end : end + len(fixed)]
    if end == at or len(second) < len(fixed):
        return 0
    pairs = zip(first, second, fixed, strict=False)
    return 0 if any((one ^ other) & mask for one, other, mask in pairs) else end


def frame_bytes(packet: bytes) -> int:
    """Length of the frame of MPEG audio, AAC or AC-3 that a packet begins with, or 0."""
    return max(measure(packet) for _, measure, _ in _FRAMES)


def is_tag(packet: bytes) -> bool:
    """Whether what stands between packets of sound is a title or padding."""
    return packet.startswith(_TAGS) or not any(packet)


def sniff_file(file: io.BufferedReader) -> str | None:
    """The container of a file that is at its start, and stays there."""
    head = file.read(HEAD_BYTES)
    head += file.read(bytes_to_sniff(head) - len(head))
    file.seek(0)
    return sniff(head)


def _mpeg_frame_bytes(head: bytes) -> int:
    """Length of the frame of MPEG 1, 2 or 2.5, layer II or III, or 0 (ISO 11172-3)."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return 0
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    kbits, rate, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if version == 1 or layer not in (1, 2) or not 1 <= kbits <= 14 or rate == 3:
        return 0
    is_layer_2 = layer == 2
    if version == 3:
        of_layer = _KBITS_MPEG_1_LAYER_2 if is_layer_2 else _KBITS_MPEG_1
        return 144_000 * of_layer[kbits - 1] // _RATES_HZ[rate] + padding
    rate_hz = _RATES_HZ[rate] // (2 if version == 2 else 4)
    return (144_000 if is_layer_2 else 72_000) * _KBITS_MPEG_2[kbits - 1] // rate_hz + padding


def _aac_frame_bytes(head: bytes) -> int:
    """Length of the ADTS frame that `head` begins, or 0 (ISO 13818-7)."""
    if len(head) < 6 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
        return 0
    return (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5


def _loas_frame_bytes(head: bytes) -> int:
    """Length of the LOAS frame that `head` begins, or 0 (ISO 14496-3)."""
    if len(head) < 3 or head[0] != 0x56 or head[1] & 0xE0 != 0xE0:
        return 0
    return ((head[1] & 0x1F) << 8 | head[2]) + 3


def _ac3_frame_bytes(head: bytes) -> int:
    """Length of the AC-3 or E-AC-3 frame that `head` begins, or 0 (ETSI TS 102 366)."""
    if len(head) < 6 or head[:2] != b"\x0b\x77":
        return 0
    if head[5] >> 3 > 10:
        return 2 * (((head[2] & 7) << 8 | head[3]) + 1)
    rate, size = head[4] >> 6, head[4] & 0x3F
    if rate == 3 or size > 37:
        return 0
    kbits = _KBITS_AC3[size >> 1]
    words = (2 * kbits, 320 * kbits // 147 + (size & 1), 3 * kbits)[rate]
    return 2 * words


# What is the same in every frame of a file, as masks of its first bytes.
_FRAMES: Final = (
    ("MPEG", _mpeg_frame_bytes, b"\xff\xfe"),
    ("AAC", _aac_frame_bytes, b"\xff\xfe"),
    ("AAC (LOAS)", _loas_frame_bytes, b"\xff\xe0"),
    ("AC-3", _ac3_frame_bytes, b"\xff\xff"),
)
