"""A message of an OpenAI Realtime client in; a command, or what is wrong with it, out.

Rules of this file:

1. A message is read whatever is in it; nothing of it raises.
2. The client's `event_id` is kept even where the rest is wrong, so that it can be told which
   message was.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Final

from parakeet_streaming.server.protocols.fields import Fields, object_of, shown
from parakeet_streaming.server.replies import WrongRequestError

_MOST_EVENT_ID: Final = 512


@dataclass(frozen=True, slots=True)
class Update:
    """Change the session."""

    session: Fields
    older: bool
    """Whether it was asked for by the name of before."""


@dataclass(frozen=True, slots=True)
class Append:
    """Audio, cut anywhere."""

    audio: bytes


@dataclass(frozen=True, slots=True)
class Commit:
    """End the utterance."""


@dataclass(frozen=True, slots=True)
class Clear:
    """Forget what has not ended."""


Command = Update | Append | Commit | Clear


@dataclass(frozen=True, slots=True)
class Request:
    """What a message asks for."""

    command: Command | WrongRequestError
    event_id: str | None = None
    """As the client calls the message."""


_TYPES: Final = (
    "session.update",
    "input_audio_buffer.append",
    "input_audio_buffer.commit",
    "input_audio_buffer.clear",
)
_OLDER_UPDATE: Final = "transcription_session.update"


def read(message: str | bytes) -> Request:
    """Reads one message."""
    if isinstance(message, bytes):
        return Request(WrongRequestError("a binary message came; audio comes as base64 in JSON"))
    event_id = None
    try:
        values = object_of(message)
        given = values.get("event_id")
        event_id = given[:_MOST_EVENT_ID] if isinstance(given, str) else None
        return Request(_command(Fields(values)), event_id)
    except WrongRequestError as error:
        return Request(error, event_id)


def _command(fields: Fields) -> Command:
    kind = fields.text("type")
    if kind is None:
        raise fields.mistake("type", f"is missing; use one of {', '.join(_TYPES)}")
    if kind in ("session.update", _OLDER_UPDATE):
        session = fields.inner("session")
        if session is None:
            raise fields.mistake("session", "is missing; give an object")
        return Update(session, older=kind == _OLDER_UPDATE)
    if kind == "input_audio_buffer.append":
        return Append(_audio(fields))
    if kind == "input_audio_buffer.commit":
        return Commit()
    if kind == "input_audio_buffer.clear":
        return Clear()
    raise fields.mistake(
        "type", f"is {shown(kind)}; a transcription session knows {', '.join(_TYPES)}"
    )


def _audio(fields: Fields) -> bytes:
    coded = fields.text("audio")
    if coded is None:
        raise fields.mistake("audio", "is missing; give audio as base64")
    try:
        return base64.b64decode(coded, validate=True)
    except (binascii.Error, ValueError):
        raise fields.mistake("audio", "is no base64; nothing of it was taken") from None
