"""Where a stream is in; bytes that its client keeps and shows to another server, and back, out.

Rules of this file:

1. A checkpoint comes from outside. Nothing of it is read before its size, its version and its
   signature are right, and each refusal has its reason.
2. Its signature is an HMAC-SHA256 under a key of the servers; the client can read it and cannot
   change it. There is no sound in it, and nothing in it is ever run.
3. It is of one API key, one model, one way of recognising and a short time.

Layout: 4 bytes of magic, 1 of version, 8 that name the key, 32 of HMAC over all others, then the
length of a JSON header (4 bytes, little endian), the header, and the channels' snapshots.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from typing import Any, Final, Self

from parakeet_streaming.errors import OptionError
from parakeet_streaming.limits import MOST_SEPARATE_CHANNELS
from parakeet_streaming.results import FilterStart
from parakeet_streaming.server.connection_options import ChannelStart
from parakeet_streaming.server.replies import CheckpointRefusedError
from parakeet_streaming.server.session_state import SessionState

MAGIC: Final = b"PKCP"
VERSION: Final = 1
MOST_BYTES: Final = 8 << 20
"""Of one that is read; what a server makes is bounded by its settings, far below."""
MOST_SKEW_S: Final = 60.0
"""By which the clocks of two servers may differ."""

_MOST_HEADER_BYTES: Final = 1 << 16
_LEAST_KEY: Final = 16
"""Characters."""
_NAME_BYTES: Final = 8
_MAC_BYTES: Final = 32
_MAC_AT: Final = len(MAGIC) + 1 + _NAME_BYTES
_HEAD_BYTES: Final = _MAC_AT + _MAC_BYTES
_MOST_POSITION: Final = 2**53
_MOST_TURNS: Final = 4_096
"""Of speech that is told before its text."""
_UNREADABLE: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What reading may raise where a server of ours, or who has its key, signed something else."""


@dataclass(frozen=True, slots=True)
class Bound:
    """What a checkpoint holds for: all of it must be so where the stream goes on."""

    owner: str
    """Stands for the API key."""
    model: str
    """Fingerprint of the model."""
    settings: Mapping[str, str]
    """How the audio comes and is recognised."""

    def check(self, other: Bound) -> None:
        """Refuses what holds for something else.

        Raises:
            CheckpointRefusedError: it does.
        """
        if not hmac.compare_digest(self.owner.encode(), other.owner.encode()):
            raise CheckpointRefusedError("other_api_key", "this checkpoint is of another API key")
        if self.model != other.model:
            raise CheckpointRefusedError("other_model", "this checkpoint is of another model")
        if self.settings != other.settings:
            mine, its = self.settings, other.settings
            differ = sorted(name for name in {*mine, *its} if mine.get(name) != its.get(name))
            raise CheckpointRefusedError(
                "settings", f"this checkpoint is of a stream with another {', '.join(differ)[:200]}"
            )


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One stream, all its channels, between two events."""

    stream: str
    """Its name in logs, where it began."""
    number: int
    """How many checkpoints it had before."""
    issued_s: float
    """Unix time."""
    lasts_s: float
    bound: Bound
    channels: tuple[ChannelStart, ...]

    @property
    def answered(self) -> int:
        """Commits and clears that all channels have answered."""
        return min(each.session.answered for each in self.channels)

    def check_time(self, now_s: float) -> None:
        """Refuses one that is too old, or that was made in the future.

        Raises:
            CheckpointRefusedError: it is.
        """
        if now_s > self.issued_s + self.lasts_s + MOST_SKEW_S:
            raise CheckpointRefusedError("expired", "this checkpoint is too old")
        if now_s < self.issued_s - MOST_SKEW_S:
            raise CheckpointRefusedError(
                "early", "this checkpoint was made later than this server's clock shows"
            )


class CheckpointKeys:
    """Keys of the servers that a stream may move between: the first signs, all are accepted."""

    def __init__(self, keys: Sequence[str]) -> None:
        """`keys`: texts of 16 characters or more; none for one that only this process knows.

        Raises:
            OptionError: a key is too short.
        """
        self.shared: Final = bool(keys)
        """Whether other servers can know it."""
        check_keys(keys)
        made = [_key_of(each) for each in keys or (secrets.token_hex(_MAC_BYTES),)]
        self._keys = {_name_of(key): key for key in made}
        self._signs = made[0]

    def owner(self, digest: bytes, token: bytes = b"") -> str:
        """What stands for an API key in that token, or in one that is made now."""
        key = self._keys.get(token[len(MAGIC) + 1 : _MAC_AT], self._signs)
        return hmac.new(key, b"owner\0" + digest, sha256).hexdigest()[:32]

    def sign(self, checkpoint: Checkpoint) -> bytes:
        """The checkpoint as bytes."""
        header = {
            "stream": checkpoint.stream,
            "number": checkpoint.number,
            "issued_s": checkpoint.issued_s,
            "lasts_s": checkpoint.lasts_s,
            **asdict(checkpoint.bound),
            "channels": [
                {
                    "position": each.position,
                    "session": asdict(each.session),
                    "bytes": len(each.snapshot),
                    "filters": [[start.sample, start.position] for start in each.filters],
                }
                for each in checkpoint.channels
            ],
        }
        text = json.dumps(header, separators=(",", ":")).encode()
        snapshots = (each.snapshot for each in checkpoint.channels)
        return self.sealed(b"".join((len(text).to_bytes(4, "little"), text, *snapshots)))

    def sealed(self, body: bytes) -> bytes:
        """Any bytes with our signature."""
        head = MAGIC + bytes([VERSION]) + _name_of(self._signs)
        return head + _mac(self._signs, head + body) + body

    def read(self, token: bytes) -> Checkpoint:
        """The checkpoint that those bytes are.

        Raises:
            CheckpointRefusedError: they are none of ours.
        """
        if len(token) > MOST_BYTES:
            raise CheckpointRefusedError(
                "too_large", f"a checkpoint has {MOST_BYTES} bytes at most, not {len(token)}"
            )
        if token[: len(MAGIC)] != MAGIC or len(token) < _HEAD_BYTES:
            raise CheckpointRefusedError("damaged", "this is no checkpoint")
        version = token[len(MAGIC)]
        if version != VERSION:
            raise CheckpointRefusedError(
                "version", f"this checkpoint has version {version}; this server reads {VERSION}"
            )
        key = self._keys.get(token[len(MAGIC) + 1 : _MAC_AT])
        if key is None:
            raise CheckpointRefusedError(
                "foreign_key", "this checkpoint was signed with a key that this server has not"
            )
        head, mac, body = token[:_MAC_AT], token[_MAC_AT:_HEAD_BYTES], token[_HEAD_BYTES:]
        if not hmac.compare_digest(mac, _mac(key, head + body)):
            raise CheckpointRefusedError("forged", "the signature of this checkpoint is wrong")
        try:
            return _checkpoint_of(body)
        except _UNREADABLE as error:
            raise CheckpointRefusedError(
                "damaged", f"this checkpoint is signed and unreadable: {error}"
            ) from error

    @classmethod
    def of_this_process(cls) -> Self:
        """A key that nobody else has."""
        return cls(())


def check_keys(keys: Sequence[str]) -> None:
    """Refuses keys that can be guessed.

    Raises:
        OptionError: a key is too short.
    """
    if any(len(each) < _LEAST_KEY for each in keys):
        raise OptionError(
            f"a checkpoint key has {_LEAST_KEY} characters or more; "
            'make one with: python -c "import secrets; print(secrets.token_hex(32))"'
        )


def _key_of(text: str) -> bytes:
    return sha256(b"parakeet checkpoint key\0" + text.encode()).digest()


def _name_of(key: bytes) -> bytes:
    return sha256(b"name\0" + key).digest()[:_NAME_BYTES]


def _mac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, sha256).digest()


def _checkpoint_of(body: bytes) -> Checkpoint:
    length = int.from_bytes(body[:4], "little")
    if length > min(_MOST_HEADER_BYTES, len(body) - 4):
        raise ValueError(f"a header of {length} bytes")
    header, snapshots = json.loads(body[4 : 4 + length]), body[4 + length :]
    channels, at = [], 0
    for each in header["channels"]:
        size = _whole(each["bytes"])
        snapshot = snapshots[at : at + size]
        at += size
        session = _session_of(each["session"])
        filters = tuple(FilterStart(_whole(at), _whole(to)) for at, to in each["filters"])
        start = ChannelStart(snapshot, session, _whole(each["position"]), filters=filters)
        channels.append(start)
    if at != len(snapshots) or not 1 <= len(channels) <= MOST_SEPARATE_CHANNELS:
        raise ValueError(f"{len(channels)} channels of {at} bytes")
    settings = {str(name): str(value) for name, value in header["settings"].items()}
    bound = Bound(str(header["owner"]), str(header["model"]), settings)
    times = (_number(header["issued_s"]), _number(header["lasts_s"]))
    return Checkpoint(
        str(header["stream"]), _whole(header["number"]), *times, bound, tuple(channels)
    )


def _session_of(plain: Mapping[str, Any]) -> SessionState:
    checks = {"bool": _flag, "int": _whole, "float": _number, "tuple[float,": _numbers}
    values: dict[str, Any] = {}
    for each in fields(SessionState):
        value, kind = plain[each.name], str(each.type)
        may_lack = value is None and kind.endswith("| None")
        values[each.name] = None if may_lack else checks[kind.partition(" ")[0]](value)
    return SessionState(**values)


def _whole(value: object) -> int:
    if type(value) is not int or not 0 <= value <= _MOST_POSITION:
        raise ValueError(f"{value!r:.60} where a whole number belongs")
    return value


def _number(value: object) -> float:
    if type(value) not in (int, float) or not 0 <= value <= _MOST_POSITION:  # type: ignore[operator]
        raise ValueError(f"{value!r:.60} where a number belongs")
    return float(value)  # type: ignore[arg-type]


def _numbers(value: object) -> tuple[float, ...]:
    if not isinstance(value, list) or len(value) > _MOST_TURNS:
        raise ValueError(f"{value!r:.60} where numbers belong")
    return tuple(_number(each) for each in value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r:.60} where yes or no belongs")  # noqa: TRY004  data, not a call
    return value
