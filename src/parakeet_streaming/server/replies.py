"""An error in; what each protocol says of it, out: the one table of the server.

Rules of this file:

1. The most special row of an error's classes counts.
2. A client is told what it can do about it. Errors of ours that it can do nothing about are told
   without their message, which may name files of this machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from parakeet_streaming.errors import (
    AccessError as AccessError,  # noqa: PLC0414  doors have it from here
)
from parakeet_streaming.errors import (
    AudioFormatError,
    AudioInputError,
    CapacityError,
    EngineFailedError,
    ExtraMissingError,
    InputError,
    ParakeetError,
    SnapshotError,
    StreamClosedError,
    UnavailableError,
    UsageError,
)

RETRY_AFTER_S: Final = 5
"""When a client that was refused for want of room should ask again."""
AGAIN_AFTER_S: Final = 1
"""The same, where its stream goes on: it has somebody's words that nobody has seen."""


class RefusedError(ParakeetError):
    """A request that the server does not take as it is; rows of the table name why."""


class OriginError(RefusedError):
    """A page of another site."""


class UnknownPathError(RefusedError):
    """No door there."""


class WrongMethodError(RefusedError):
    """A door that takes other methods."""


class UpgradeNeededError(RefusedError):
    """A request without a socket where only sockets are talked to."""


class WrongRequestError(RefusedError, ValueError):
    """A request, a message or a field that cannot be understood."""

    def __init__(self, message: str, field: str | None = None) -> None:
        """`field`: the name of what is wrong, as the client calls it."""
        super().__init__(message)
        self.field = field


class EmptyCommitError(WrongRequestError):
    """A commit without audio to commit."""


class TooLargeError(RefusedError):
    """A file, message or text above a limit."""


class TooManyError(RefusedError):
    """More requests, messages or sockets than one key or address may have."""


class DrainingError(UnavailableError, RuntimeError):
    """The server is about to stop."""


class CheckpointRefusedError(RefusedError):
    """A checkpoint that this server does not go on from; `reason` is a word for programs."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.field = reason, "checkpoint"


class SlowReaderError(UnavailableError, RuntimeError):
    """The client does not read what it is told."""


class SessionTimeError(UnavailableError, RuntimeError):
    """A session that said nothing for too long, or that lasted too long."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said of an error."""

    status: int
    """Of HTTP."""
    close_code: int
    """Of a WebSocket (RFC 6455; 1011 to 1013 and 3000 to 3008 of IANA's registry)."""
    kind: str
    """OpenAI's `type`."""
    code: str
    """A word for programs."""
    message: str
    """For people."""
    field: str | None = None
    retry_after_s: int | None = None
    reason: str | None = None
    """Another word for programs, where one code has several."""

    @property
    def headers(self) -> dict[str, str]:
        """Headers of HTTP that go with it."""
        headers = {} if self.retry_after_s is None else {"Retry-After": str(self.retry_after_s)}
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        if self.status == 426:
            headers |= {"Upgrade": "websocket", "Connection": "Upgrade"}
        return headers

    def as_openai(self) -> dict[str, object]:
        """The body that OpenAI's clients read."""
        error = {"message": self.message, "type": self.kind, "param": self.field, "code": self.code}
        return {"error": error}


_TABLE: Final[dict[type[BaseException], tuple[int, int, str, str]]] = {
    AccessError: (401, 3000, "invalid_request_error", "invalid_api_key"),
    OriginError: (403, 3003, "invalid_request_error", "origin_not_allowed"),
    UnknownPathError: (404, 1008, "invalid_request_error", "not_found"),
    WrongMethodError: (405, 1008, "invalid_request_error", "method_not_allowed"),
    UpgradeNeededError: (426, 1008, "invalid_request_error", "upgrade_required"),
    TooLargeError: (413, 1009, "invalid_request_error", "too_large"),
    TooManyError: (429, 1008, "rate_limit_error", "rate_limit_exceeded"),
    WrongRequestError: (400, 1008, "invalid_request_error", "invalid_value"),
    CheckpointRefusedError: (400, 1008, "invalid_request_error", "checkpoint_refused"),
    EmptyCommitError: (
        400,
        1008,
        "invalid_request_error",
        "input_audio_buffer_commit_empty",
    ),
    AudioFormatError: (400, 1007, "invalid_request_error", "invalid_audio"),
    AudioInputError: (400, 1007, "invalid_request_error", "invalid_audio"),
    SnapshotError: (400, 1007, "invalid_request_error", "invalid_snapshot"),
    InputError: (400, 1007, "invalid_request_error", "invalid_value"),
    StreamClosedError: (503, 1012, "server_error", "unavailable"),
    UsageError: (400, 1008, "invalid_request_error", "invalid_value"),
    CapacityError: (503, 1013, "server_error", "no_capacity"),
    DrainingError: (503, 1012, "server_error", "draining"),
    SlowReaderError: (503, 1008, "server_error", "slow_reader"),
    SessionTimeError: (408, 3008, "invalid_request_error", "timeout"),
    EngineFailedError: (503, 1011, "server_error", "unavailable"),
    ExtraMissingError: (501, 1011, "server_error", "not_installed"),
    UnavailableError: (503, 1013, "server_error", "unavailable"),
}
_HIDDEN: Final = (500, 1011, "server_error", "internal_error")
_RETRIED: Final = (CapacityError, DrainingError, TooManyError)


def answer_to(error: BaseException) -> Answer:
    """What is said of that error."""
    for kind in type(error).__mro__:
        if kind in _TABLE:
            retry = RETRY_AFTER_S if isinstance(error, _RETRIED) else None
            field, reason = (getattr(error, name, None) for name in ("field", "reason"))
            return Answer(*_TABLE[kind], str(error), field, retry, reason)
    return Answer(*_HIDDEN, "the server failed at this request; its log says why")


_ROWS: Final = (*_TABLE.values(), _HIDDEN)
CODES: Final = {
    code: frozenset((row[0], row[1]) for row in _ROWS if row[3] == code)
    for code in sorted(row[3] for row in _ROWS)
}
"""All words for programs, and with which statuses and close codes they are told."""
