"""Choices in; a snapshot with some of its values forged, out.

A snapshot has a digest, is compressed, and says how long its header is, so that any changed byte
would only show that. Here single values of its header are changed, and all of that is right again.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator
from typing import Any, Final

from fuzz.choices import ODD_REALS, Choices
from parakeet_streaming.engine.snapshot import MAGIC, VERSION

_DIGEST_BYTES: Final = 16
_HEAD_BYTES: Final = len(MAGIC) + 2 + _DIGEST_BYTES
_MOST_FORGED: Final = 5
_ODD: Final[tuple[object, ...]] = (
    *(None, True, False, "", "float32", "pcm16", [], {}, [1], {"array": 0}, {"array": 99}),
    *(-1, 0, 1, 2, 3, 80, 1280, 16_000, 2**31, 2**53, -(2**53), 2**63, 10**30),
    *ODD_REALS,
)


def forged(snapshots: tuple[bytes, ...], choices: Choices) -> bytes:
    """One of some snapshots, changed in a few places."""
    header, arrays = _opened(choices.one_of(snapshots))
    places = list(_places(header))
    for _ in choices.times(_MOST_FORGED):
        within, key = choices.one_of(places)
        within[key] = _value(choices, within[key])
    if choices.left:
        arrays = _changed(arrays, choices)
    return _sealed(json.dumps(header).encode(), arrays)


def _value(choices: Choices, before: object) -> object:
    """Mostly of the type that was there: another is refused at once."""
    kind = choices.number(0, 7)
    if kind == 0:
        return choices.one_of(_ODD)
    if type(before) is bool:
        return not before
    if type(before) is int:
        near = before + choices.number(-40, 40)
        return (near, near * 1280, choices.number(-(2**40), 2**40), choices.one_of(_ODD))[kind % 4]
    if type(before) is float:
        return choices.real()
    return choices.one_of(_ODD) if before is None else before


def _changed(arrays: bytes, choices: Choices) -> bytes:
    at = choices.number(0, 2**24) % (len(arrays) + 1)
    new = choices.block(16)
    return arrays[:at] + new + arrays[at + len(new) :]


def _places(value: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401  JSON is anything
    """Every member, but of whole sections only those that may be left out."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(inner, (dict, list)):
            yield from _places(inner)
        if not isinstance(inner, dict) and key != "model":
            yield value, key


def _opened(snapshot: bytes) -> tuple[Any, bytes]:
    """Its header and its arrays."""
    body = zlib.decompress(snapshot[_HEAD_BYTES:])
    end = 4 + int.from_bytes(body[:4], "little")
    return json.loads(body[4:end]), body[end:]


def _sealed(header: bytes, arrays: bytes) -> bytes:
    packed = zlib.compress(len(header).to_bytes(4, "little") + header + arrays, 1)
    digest = hashlib.blake2b(packed, digest_size=_DIGEST_BYTES).digest()
    return MAGIC + VERSION.to_bytes(2, "little") + digest + packed
