"""Text messages of a client of `/v1/stream` in; values that say what it asks for, out.

`docs/protocol.md` specifies them. Fields that are not known are ignored; a type that is not known
is an error.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from parakeet_streaming.server.protocols.fields import Fields, object_of
from parakeet_streaming.server.replies import CheckpointRefusedError, WrongRequestError

MOST_MARKER_LENGTH: Final = 256
MOST_GAP_S: Final = 3_600
MOST_CHECKPOINT_CHARACTERS: Final = 12 << 20
"""Of base64: more than any checkpoint has."""


@dataclass(frozen=True, slots=True)
class Finish:
    """No more audio comes."""


@dataclass(frozen=True, slots=True)
class Commit:
    """The utterance ends with all that was sent."""


@dataclass(frozen=True, slots=True)
class Clear:
    """What was sent and has not ended is to be forgotten."""


@dataclass(frozen=True, slots=True)
class Marker:
    """Is sent back once all audio before it is decoded."""

    id: str


@dataclass(frozen=True, slots=True)
class Configure:
    """Other settings, before any audio."""

    fields: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Stats:
    """How does it go?"""


@dataclass(frozen=True, slots=True)
class Missing:
    """The client has lost samples before the next ones; later times are to stay true."""

    samples: int
    """Of each channel."""


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """The client is there and has nothing to say."""


@dataclass(frozen=True, slots=True)
class Resume:
    """The stream goes on from a checkpoint, before any audio."""

    checkpoint: bytes


Command = Finish | Commit | Clear | Marker | Configure | Resume | Stats | Missing | KeepAlive
_PLAIN: Final[dict[str, Command]] = {
    "finish": Finish(),
    "commit": Commit(),
    "clear": Clear(),
    "stats": Stats(),
    "keep_alive": KeepAlive(),
}
TYPES: Final = (*_PLAIN, "marker", "gap", "configure", "resume")
"""Of messages that clients send."""


def command_of(text: str, rate_hz: int) -> Command:
    """What a text message asks for; `rate_hz` is that of the stream's audio.

    Raises:
        WrongRequestError: no JSON object, no type that is known, or a field that makes no sense.
    """
    given = object_of(text)
    fields = Fields(given)
    kind = fields.choice("type", TYPES)
    match kind:
        case "configure":
            return Configure(given)
        case "marker":
            return Marker(_marker(fields))
        case "gap":
            return Missing(_missing(fields, rate_hz))
        case "resume":
            return Resume(_checkpoint(fields))
    if kind is None:
        raise WrongRequestError(f"a message has a type: {', '.join(TYPES)}", "type")
    return _PLAIN[kind]


def _marker(fields: Fields) -> str:
    marker = fields.text("id")
    if marker is None or len(marker) > MOST_MARKER_LENGTH:
        raise WrongRequestError(
            f"a marker has an id, a text of {MOST_MARKER_LENGTH} characters at most", "id"
        )
    return marker


def _missing(fields: Fields, rate_hz: int) -> int:
    samples = fields.whole("samples", 1, MOST_GAP_S * rate_hz)
    if samples is None:
        raise WrongRequestError(
            "a gap has samples, the number of those that are missing", "samples"
        )
    return samples


def _checkpoint(fields: Fields) -> bytes:
    text = fields.text("checkpoint")
    if text is None:
        raise WrongRequestError("resume has a checkpoint", "checkpoint")
    if len(text) > MOST_CHECKPOINT_CHARACTERS:
        raise CheckpointRefusedError(
            "too_large", f"a checkpoint has {MOST_CHECKPOINT_CHARACTERS} characters at most"
        )
    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise CheckpointRefusedError("damaged", "this checkpoint is no base64") from None
