"""The first bytes of a stream go in; the name of the container they begin comes out, or None.

Rules of this file:

1. Content decides, never a file's name.
2. MPEG audio frames begin with only eleven fixed bits, which raw samples near zero begin with too.
   So a frame counts only when a second one stands where the first one ends.
"""

from __future__ import annotations

from typing import Final

NEEDS_AV: Final = frozenset({"MP4", "Matroska", "AAC", "ASF", "FLV", "AVI"})
"""Containers that libsndfile cannot read, and PyAV can."""

HEAD_BYTES: Final = 12

_MAGIC: Final = (
    (0, b"fLaC", "FLAC"),
    (0, b"OggS", "Ogg"),
    (0, b"ID3", "MPEG"),
    (4, b"ftyp", "MP4"),
    (0, b"\x1aE\xdf\xa3", "Matroska"),
    (0, b"RIFX", "WAV, big-endian"),
    (0, b".snd", "AU"),
    (0, b"caff", "CAF"),
    (0, b"riff\x2e\x91\xcf\x11", "W64"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "ASF"),
    (0, b"FLV\x01", "FLV"),
)
_MAGIC_OF_FORM: Final = {
    (b"RIFF", b"WAVE"): "WAV",
    (b"RF64", b"WAVE"): "WAV",
    (b"BW64", b"WAVE"): "WAV",
    (b"RIFF", b"AVI "): "AVI",
    (b"FORM", b"AIFF"): "AIFF",
    (b"FORM", b"AIFC"): "AIFF",
}

_KBITS_MPEG_1: Final = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBITS_MPEG_2: Final = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES_HZ: Final = (44_100, 48_000, 32_000)


def sniff(head: bytes) -> str | None:
    """The container that begins with `head`, at least `bytes_to_sniff(head)` bytes; else None."""
    form = _MAGIC_OF_FORM.get((head[:4], head[8:12]))
    if form is not None:
        return form
    for offset, magic, name in _MAGIC:
        if head.startswith(magic, offset):
            return name
    for name, length in (("MPEG", _mpeg_frame_bytes(head)), ("AAC", _aac_frame_bytes(head))):
        # The first 15 bits are the same in every frame of a file.
        if length and head[length : length + 1] == b"\xff":
            second = head[length + 1 : length + 2]
            if second and second[0] >> 1 == head[1] >> 1:
                return name
    return None


def bytes_to_sniff(head: bytes) -> int:
    """How many bytes decide, given the first `HEAD_BYTES` of them."""
    frame_bytes = _mpeg_frame_bytes(head) or _aac_frame_bytes(head)
    return max(HEAD_BYTES, frame_bytes + 2) if frame_bytes else HEAD_BYTES


def _mpeg_frame_bytes(head: bytes) -> int:
    """Length of the MPEG 1, 2 or 2.5 layer III frame that `head` begins, or 0 (ISO 11172-3)."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return 0
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    kbits, rate, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if version == 1 or layer != 1 or not 1 <= kbits <= 14 or rate == 3:
        return 0
    if version == 3:
        return 144_000 * _KBITS_MPEG_1[kbits - 1] // _RATES_HZ[rate] + padding
    rate_hz = _RATES_HZ[rate] // (2 if version == 2 else 4)
    return 72_000 * _KBITS_MPEG_2[kbits - 1] // rate_hz + padding


def _aac_frame_bytes(head: bytes) -> int:
    """Length of the ADTS frame that `head` begins, or 0 (ISO 13818-7)."""
    if len(head) < 6 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
        return 0
    return (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
