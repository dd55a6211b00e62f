"""An address and the options of a stream in; the URL of its socket out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from parakeet_streaming.errors import OptionError

PATH: Final = "/v1/stream"
_SCHEMES: Final = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """What a client asks of a stream; None leaves it to the server."""

    sample_rate: int = 16_000
    encoding: str = "s16le"
    channels: int = 1
    separate: bool = False
    context: str | None = None
    language: str | None = None
    fixed: bool | None = None
    endpointing: str | None = None
    max_utterance_s: float | None = None
    vad: bool | None = None
    tentative: bool | None = None
    words: bool | None = None
    tokens: bool | None = None
    checkpoints: float | None = None

    def query(self) -> Mapping[str, str]:
        """As fields of a query."""
        fields: dict[str, str] = {}
        for name in self.__slots__:
            value = getattr(self, name)
            if isinstance(value, bool):
                fields[name] = "1" if value else "0"
            elif value is not None:
                fields[name] = str(value)
        return fields


def socket_url(address: str, options: StreamOptions) -> str:
    """The URL of a stream's socket.

    Args:
        address: of the server, such as `http://127.0.0.1:8000`; ws and wss are as good, a path
            stays in front of ours, and without a scheme it is http.
        options: of the stream.

    Raises:
        OptionError: no address.
    """
    whole = address if "://" in address else f"http://{address}"
    try:
        parts = urlsplit(whole)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        parts, usable = urlsplit(""), False
    if not usable or parts.scheme not in _SCHEMES:
        raise OptionError(f"{address!r} is no address of a server; use http://HOST:PORT")
    path = parts.path.rstrip("/")
    if not path.endswith(PATH):
        path += PATH
    return urlunsplit((_SCHEMES[parts.scheme], parts.netloc, path, urlencode(options.query()), ""))


def headers(key: str | None) -> dict[str, str]:
    """The headers that show a key.

    Raises:
        OptionError: it cannot be written in a header.
    """
    if key is None:
        return {}
    if not key.isascii() or not key.isprintable() or not key.strip():
        raise OptionError("an API key has visible ASCII characters; there is something else in it")
    return {"Authorization": f"Bearer {key.strip()}"}
