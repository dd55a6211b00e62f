"""An address and the options of a stream in; the URL of its socket out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from parakeet_streaming.boosting.phrases import Phrase, checked_phrases
from parakeet_streaming.errors import OptionError

PATH: Final = "/v1/stream"
_MOST_OF_LISTS: Final = 6_000
"""Characters of an address; servers take 8,192 for its whole line."""
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
    numbers: str | None = None
    """`digits`: English numbers, dates, money and times in digits."""
    profanity: str | None = None
    """`mask`: the first letter of English words that offend."""
    replace: str | None = None
    """Spelling of one's own: lines `SPOKEN => WRITTEN`."""
    phrases: Sequence[str | Phrase] | None = None
    """Names and words to boost."""
    boost: float | None = None
    """How strongly."""
    checkpoints: float | None = None

    @property
    def phrases_fit(self) -> bool:
        """Whether an address can hold the phrases.

        Raises:
            OptionError: phrases beyond their limits.
        """
        return len(quote(_lines(self.phrases))) + self._length_of_spelling <= _MOST_OF_LISTS

    @property
    def _length_of_spelling(self) -> int:
        return len(quote(self.replace or ""))

    def query(self) -> Mapping[str, str]:
        """As fields of a query, without phrases that do not fit.

        Raises:
            OptionError: phrases beyond their limits, or more spelling than an address holds.
        """
        if self._length_of_spelling > _MOST_OF_LISTS:
            raise OptionError(
                f"replace needs {self._length_of_spelling} characters of an address, which has "
                f"room for {_MOST_OF_LISTS}; give it to the server (--replace), or write the text "
                "yourself, with WrittenStream"
            )
        fields: dict[str, str] = {}
        for name in self.__slots__:
            value = getattr(self, name)
            if isinstance(value, bool):
                fields[name] = "1" if value else "0"
            elif name == "phrases":
                fields |= {} if value is None or not self.phrases_fit else {name: _lines(value)}
            elif value is not None:
                fields[name] = str(value)
        return fields


def phrase_fields(phrases: Sequence[str | Phrase] | None, boost: float | None) -> dict[str, object]:
    """Phrases as fields of `configure`.

    Raises:
        OptionError: phrases beyond their limits.
    """
    listed = [{"text": each.text, "weight": each.weight} for each in checked_phrases(phrases or ())]
    return {"phrases": listed} if boost is None else {"phrases": listed, "boost": boost}


def _lines(phrases: Sequence[str | Phrase] | None) -> str:
    """Phrases as the server's query takes them: one a line, with its weight."""
    checked = checked_phrases(phrases or ())
    return "\n".join(f"{each.text}\t{each.weight:g}" for each in checked)


def socket_url(address: str, options: StreamOptions) -> str:
    """The URL of a stream's socket.

    Args:
        address: of the server, such as `http://127.0.0.1:8000`; ws and wss are as good, a path
            stays in front of ours, and without a scheme it is http.
        options: of the stream.

    Raises:
        OptionError: no address, or options that it cannot hold.
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
