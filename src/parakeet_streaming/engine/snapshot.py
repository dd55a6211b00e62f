"""A stream's state in, bytes out; and back.

Rules of this file:

1. A snapshot is data from outside: every value is checked for type and range before it is used,
   and nothing in it is ever run.
2. It is of one model: the fingerprint of the model that made it must be that of the reader.
3. It is versioned. A reader refuses a version that it does not know.

Layout: 8 bytes of magic and version, 16 bytes BLAKE2b of what follows, then zlib-compressed: the
length of a JSON header (4 bytes, little endian), the header, and the arrays that it names, one
after the other.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import dataclass, replace
from typing import Any, Final

from parakeet_streaming.engine.snapshot_values import MAX_BYTES, PlainReader, PlainWriter
from parakeet_streaming.engine.state_check import check_state
from parakeet_streaming.engine.stream_state import StreamState
from parakeet_streaming.errors import ParakeetError, SnapshotError
from parakeet_streaming.ports import Transducer, VoiceActivity

MAGIC: Final = b"PKSTRM"
VERSION: Final = 5
_MAX_HEADER_BYTES: Final = 1 << 22
_DIGEST_BYTES: Final = 16


_UNUSABLE: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    ParakeetError,
)
"""What reading may raise where somebody has forged a value."""


@dataclass(frozen=True, slots=True)
class SnapshotCodec:
    """Writes and reads states of streams of one model."""

    transducer: Transducer
    token_count: int
    """Pieces of the vocabulary; ids from here on are refused, but for the blank."""

    def encode(self, state: StreamState, vad: VoiceActivity | None = None) -> bytes:
        """The state as bytes; `vad` is needed for a state with a voice activity's memory."""
        transducer, decoder, activity = self.transducer, state.decoder, state.activity
        memory = transducer.memory_to_arrays(decoder.memory)
        memory_ahead, ahead = None, state.ahead
        if ahead is not None:
            decoder = ahead.decoder
            memory_ahead = transducer.memory_to_arrays(decoder.memory)
        past = None if state.past is None else transducer.past_to_arrays(state.past)
        voice = None
        if vad is not None and activity is not None and activity.voice is not None:
            voice = vad.state_to_arrays(activity.voice)
        writer = PlainWriter()
        header = {
            "model": transducer.fingerprint,
            "state": writer.plain(_without_opaque(state)),
            "memory": writer.plain(memory),
            "ahead": writer.plain(memory_ahead),
            "past": writer.plain(past),
            "voice": writer.plain(voice),
        }
        return _packed(header, writer)

    def decode(self, data: bytes, vad: VoiceActivity | None = None) -> StreamState:
        """The state that `data` was made of.

        Raises:
            SnapshotError: no snapshot, a damaged one, one of another version or model, or one with
                values that no stream can have.
        """
        text, arrays = _unpacked(data)
        try:
            header = self._header(text)
            reader = PlainReader(arrays, header["arrays"])
            state: StreamState = reader.value(StreamState, header["state"])
            memory = self.transducer.memory_from_arrays(reader.arrays(header["memory"]))
            state = replace(state, decoder=replace(state.decoder, memory=memory))
            if (ahead := state.ahead) is not None:
                memory = self.transducer.memory_from_arrays(reader.arrays(header["ahead"]))
                decoder = replace(ahead.decoder, memory=memory)
                state = replace(state, ahead=replace(ahead, decoder=decoder))
            if header["past"] is not None:
                options = state.options
                most_frames = options.kept_frames or 0
                past = self.transducer.past_from_arrays(reader.arrays(header["past"]), most_frames)
                state = replace(state, past=past)
            if header["voice"] is not None and vad is not None and state.activity is not None:
                voice = vad.state_from_arrays(reader.arrays(header["voice"]))
                state = replace(state, activity=replace(state.activity, voice=voice))
            check_state(state, self.token_count, max((0, *self.transducer.durations)))
        except SnapshotError:
            raise
        except _UNUSABLE as error:
            raise SnapshotError(f"this is no usable snapshot: {error}") from error
        return state

    def _header(self, text: bytes) -> dict[str, Any]:
        header: dict[str, Any] = json.loads(text)
        if header["model"] != self.transducer.fingerprint:
            raise SnapshotError("this snapshot is of another model; load the model it is of")
        return header


def _without_opaque(state: StreamState) -> StreamState:
    activity = state.activity
    if activity is not None:
        activity = replace(activity, voice=None)
    ahead = state.ahead
    if ahead is not None:
        ahead = replace(ahead, decoder=replace(ahead.decoder, memory=None))
    decoder = replace(state.decoder, memory=None)
    return replace(state, decoder=decoder, ahead=ahead, past=None, activity=activity)


def _packed(header: dict[str, Any], writer: PlainWriter) -> bytes:
    text = json.dumps({**header, "arrays": writer.kinds}, separators=(",", ":")).encode()
    parts = [len(text).to_bytes(4, "little"), text, *writer.bytes]
    if len(text) > _MAX_HEADER_BYTES or sum(map(len, parts)) > MAX_BYTES:
        raise SnapshotError(
            f"this stream is more than {MAX_BYTES} bytes, or its values more than "
            f"{_MAX_HEADER_BYTES}; write it down without its audio or without its past"
        )
    body = zlib.compress(b"".join(parts), 1)
    digest = hashlib.blake2b(body, digest_size=_DIGEST_BYTES).digest()
    return MAGIC + VERSION.to_bytes(2, "little") + digest + body


def _unpacked(data: bytes) -> tuple[bytes, bytes]:
    """The header's text, and the bytes of the arrays."""
    head = len(MAGIC) + 2
    if data[: len(MAGIC)] != MAGIC or len(data) < head + _DIGEST_BYTES:
        raise SnapshotError("this is no snapshot of a stream")
    version = int.from_bytes(data[len(MAGIC) : head], "little")
    if version != VERSION:
        raise SnapshotError(f"this snapshot has version {version}; this program reads {VERSION}")
    digest, packed = data[head : head + _DIGEST_BYTES], data[head + _DIGEST_BYTES :]
    if hashlib.blake2b(packed, digest_size=_DIGEST_BYTES).digest() != digest:
        raise SnapshotError("this snapshot is damaged")
    unpacker = zlib.decompressobj()
    try:
        body = unpacker.decompress(packed, MAX_BYTES)
    except zlib.error as error:
        raise SnapshotError(f"this snapshot is damaged: {error}") from error
    if unpacker.unconsumed_tail:
        raise SnapshotError(f"this snapshot is larger than {MAX_BYTES} bytes")
    if not unpacker.eof or unpacker.unused_data:
        raise SnapshotError("this snapshot is damaged: it ends too early, or too late")
    length = int.from_bytes(body[:4], "little")
    if length > min(_MAX_HEADER_BYTES, len(body) - 4):
        raise SnapshotError(f"this snapshot is damaged: its header is of {length} bytes")
    return body[4 : 4 + length], body[4 + length :]
