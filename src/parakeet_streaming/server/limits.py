"""What clients do in; whether it is too much, out. No clock: the time is handed in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from parakeet_streaming.server.replies import TooLargeError, TooManyError

MEGABYTE: Final = 1_000_000
MOST_FILES: Final = 32
"""Files that are read at once, each by a thread."""
MOST_IO_PROCESSES: Final = 64
USUAL_UPLOADS: Final = 8
"""Files that are transcribed at once where no number is given: those of two keys."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may do. Each can be set; each answer says which one it met."""

    upload_megabytes: int = 1_000
    """Of one uploaded file."""
    upload_s: float = 6 * 3_600.0
    """Seconds of sound in one uploaded file."""
    message_bytes: int = 16 * 1_048_576
    """Of one message of a socket; OpenAI's clients may send 15 MiB of base64."""
    messages_a_second: int = 400
    """Of one socket, over ten seconds."""
    sockets_of_key: int = 1_000
    sockets_of_address: int = 500
    uploads_of_key: int = 4
    """At once; more of one key wait for none, they are refused."""
    idle_s: float = 60.0
    """Without any message, before a socket is closed."""
    session_s: float = 6 * 3_600.0
    """Of one socket."""
    phrases: int = 1_000
    """That one stream may boost."""
    unread_events: int = 1_000
    """That a client may leave unread."""
    unread_s: float = 30.0
    """For which a client may not read what is sent."""
    checkpoint_s: float = 600.0
    """For which a stream may go on from a checkpoint."""
    checkpoint_bytes: int = 1_048_576
    """Of one checkpoint; larger ones are not made."""


class Places:
    """How many of something each key and each address has at once."""

    def __init__(self, what: str, of_key: int, of_address: int | None = None) -> None:
        """`what`: in the plural, as in the names of the limits."""
        self._what = what
        self._of_key, self._of_address = of_key, of_address
        self._keys: Counter[str] = Counter()
        self._addresses: Counter[str] = Counter()

    @contextmanager
    def hold(self, key: str, address: str) -> Iterator[None]:
        """Holds one.

        Raises:
            TooManyError: the key, or the address, has as many as it may have.
        """
        if self._keys[key] >= self._of_key:
            raise TooManyError(
                f"this key has {self._of_key} {self._what}, and may have no more "
                f"({self._what}_of_key); close some"
            )
        if self._of_address is not None and self._addresses[address] >= self._of_address:
            raise TooManyError(
                f"your address has {self._of_address} {self._what}, and may have no more "
                f"({self._what}_of_address); close some"
            )
        self._keys[key] += 1
        self._addresses[address] += 1
        try:
            yield
        finally:
            for counter, name in ((self._keys, key), (self._addresses, address)):
                counter[name] -= 1
                if counter[name] <= 0:
                    del counter[name]


class MessageRate:
    """How many messages one socket sends: a bucket that holds ten seconds' worth."""

    _HELD_S: Final = 10.0

    def __init__(self, a_second: int, now_s: float) -> None:
        self._a_second = a_second
        self._left = a_second * self._HELD_S
        self._at_s = now_s

    def message(self, now_s: float) -> None:
        """One came.

        Raises:
            TooManyError: there were too many.
        """
        gained = (now_s - self._at_s) * self._a_second
        self._left = min(self._a_second * self._HELD_S, self._left + gained) - 1.0
        self._at_s = now_s
        if self._left < 0:
            raise TooManyError(
                f"more than {self._a_second} messages a second; send larger pieces of audio"
            )


class ByteCount:
    """How many bytes came of a body."""

    def __init__(self, most_megabytes: int) -> None:
        self._most = most_megabytes * MEGABYTE
        self._most_megabytes = most_megabytes
        self.bytes = 0

    def announced(self, content_length: str | None) -> None:
        """Takes the header of the request, if there is one.

        Raises:
            TooLargeError: it announces too much.
        """
        if content_length is not None and content_length.isdecimal():
            self._check(int(content_length[:20]))

    def came(self, count: int) -> None:
        """So many bytes more.

        Raises:
            TooLargeError: they are too many.
        """
        self.bytes += count
        self._check(self.bytes)

    def _check(self, count: int) -> None:
        if count > self._most:
            raise TooLargeError(
                f"a file may have {self._most_megabytes} MB; send it in parts, or ask for more"
            )
