"""A handshake that was refused, or a connection that was closed, in; the error that it is, out."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

from parakeet_streaming.client.messages import Failed
from parakeet_streaming.errors import (
    AccessError,
    AudioInputError,
    CapacityError,
    OptionError,
    ParakeetError,
    ServerError,
    UnavailableError,
)

_BY_CODE: Final[dict[str, Callable[[str], ParakeetError]]] = {
    "invalid_api_key": AccessError,
    "origin_not_allowed": AccessError,
    "no_capacity": CapacityError,
    "rate_limit_exceeded": CapacityError,
    "invalid_value": OptionError,
    "invalid_audio": AudioInputError,
    "too_large": AudioInputError,
}
_BY_STATUS: Final[dict[int, Callable[[str], ParakeetError]]] = {
    400: OptionError,
    401: AccessError,
    403: AccessError,
    407: AccessError,
    429: CapacityError,
}
_BY_CLOSE: Final = {
    1001: "it went away",
    1002: "it did not understand the connection",
    1003: "it does not take such data",
    1006: "the connection broke",
    1007: "it could not use the data",
    1008: "it refused to go on",
    1009: "a message was too large",
    1011: "it failed",
    1012: "it was stopped",
    1013: "it has no room",
    1014: "a proxy got no answer",
    3000: "it wants a key",
    3008: "time was up",
}


class NothingThereError(OptionError):
    """The address leads to no such server: a mistake, or a balancer that has none just now."""


def of_refusal(status: int, body: bytes, retry_after: str | None, path: str) -> ParakeetError:
    """The error of a handshake that was answered by that reply.

    Args:
        status: of HTTP.
        body: of the reply; ours is an object of JSON.
        retry_after: the header, if there is one.
        path: that was asked for.
    """
    code, message = _said(body)
    if not message:
        message = f"the server refused the connection with status {status}"
    if status == 404:
        message = f"nothing is at {path} there; is it the address of a `parakeet serve`?"
        return NothingThereError(message)
    kind = _BY_CODE.get(code) or _BY_STATUS.get(status, ServerError)
    return _with_retry(kind(message), retry_after)


def of_close(code: int, reason: str, failed: Failed | None) -> ParakeetError:
    """The error of a connection that was closed before all was told.

    Args:
        code: of the close frame; 1006 where there was none.
        reason: its words.
        failed: what the server said before.
    """
    if failed is not None:
        kind = _BY_CODE.get(failed.code, ServerError)
        retry = None if failed.retry_after_s is None else str(failed.retry_after_s)
        return _with_retry(kind(f"the server ended the stream: {failed.message}"), retry)
    why = _BY_CLOSE.get(code, f"close code {code}")
    said = f" ({reason})" if reason else ""
    return ServerError(f"the server ended the stream: {why}{said}")


def _said(body: bytes) -> tuple[str, str]:
    try:
        error = json.loads(body)["error"]
        return str(error["code"]), str(error["message"])
    except (ValueError, TypeError, LookupError, RecursionError):
        return "", ""


def _with_retry(error: ParakeetError, retry_after: str | None) -> ParakeetError:
    if isinstance(error, UnavailableError) and retry_after is not None:
        try:
            error.retry_after_s = max(0.0, float(retry_after))
        except ValueError:  # a date, as proxies may send
            error.retry_after_s = None
    return error
