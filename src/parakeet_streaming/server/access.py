"""What a caller shows in; whose it is, or why it is refused, out. No clock: the time is handed in.

Rules of this file:

1. Keys are compared in a time that does not depend on how much of them is right, and all of them
   are compared whichever fits. Only their digests are kept.
2. A page of another site cannot read what it did not ask for, but its sockets are opened with the
   user's address. So a socket with an `Origin` must come from this server or an allowed site.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from urllib.parse import urlsplit

from parakeet_streaming.server.caller import Caller
from parakeet_streaming.server.replies import AccessError, OriginError

KEY_PROTOCOL: Final = "openai-insecure-api-key."
"""Begins the subprotocol in which a browser shows its key, as OpenAI's own clients do."""
BASE64URL_PROTOCOL: Final = "base64url-api-key."
"""The same for keys with characters that may not stand in a subprotocol: base64url, unpadded."""
ANONYMOUS: Final = "anonymous"
"""Whose a call is that needs no key."""
MOST_SECRETS: Final = 10_000
"""Short-lived keys that are valid at once."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A key that is valid for a short time."""

    value: str
    owner: str
    expires_s: float
    session: object = None
    """What is to hold for those who show it; whoever asked for the key knows what it is."""


class Access:
    """Who may use the server."""

    def __init__(self, keys: Mapping[str, str], origins: Iterable[str] = ()) -> None:
        """Lets callers in.

        Args:
            keys: keys by the name of their owner; none for a server that is open to all.
            origins: sites whose pages may open sockets, such as "https://example.org"; "*" for all.
        """
        self._digests = {name: _digest(key) for name, key in keys.items()}
        self._origins = frozenset(origins)
        self._secrets: dict[bytes, Secret] = {}

    @property
    def is_open(self) -> bool:
        """Whether no key is needed."""
        return not self._digests

    def owner(self, caller: Caller, now_s: float) -> str:
        """The name of the key that the caller shows; "anonymous" where none is needed.

        Raises:
            AccessError: it shows none, or one that nobody has.
        """
        if self.is_open:
            return ANONYMOUS
        shown = shown_key(caller)
        if shown is None:
            raise AccessError("an API key is needed: send it as `Authorization: Bearer KEY`")
        digest, found = _digest(shown), None
        for name, known in self._digests.items():
            if hmac.compare_digest(digest, known):
                found = name
        secret = self._secrets.get(digest)
        if found is None and secret is not None and now_s < secret.expires_s:
            found = secret.owner
        if found is None:
            raise AccessError("this API key is not known, or has expired")
        return found

    def digest(self, owner: str) -> bytes:
        """Stands for the key of an owner; empty where none is needed."""
        return self._digests.get(owner, b"")

    def allows(self, caller: Caller) -> bool:
        """Whether it is no page, or one of this server or of a site that is allowed."""
        origin = caller.headers.get("origin")
        if origin is None or "*" in self._origins or origin in self._origins:
            return True
        try:
            return urlsplit(origin).netloc == caller.headers.get("host")
        except ValueError:
            return False

    def check_origin(self, caller: Caller) -> None:
        """Refuses pages of other sites.

        Raises:
            OriginError: the socket comes from a page of a site that is not allowed.
        """
        if not self.allows(caller):
            origin = caller.headers.get("origin")
            raise OriginError(
                f"pages of {origin!r} may not use this server; allow them with --allow-origin"
            )

    def secret(self, caller: Caller, now_s: float) -> Secret | None:
        """The short-lived key that the caller shows; None if it shows another one, or none."""
        shown = shown_key(caller)
        secret = None if shown is None else self._secrets.get(_digest(shown))
        return secret if secret is not None and now_s < secret.expires_s else None

    def new_secret(
        self, owner: str, lasts_s: float, now_s: float, session: object = None
    ) -> Secret:
        """A key for a browser, valid for `lasts_s` seconds.

        Raises:
            AccessError: too many are valid.
        """
        self._secrets = {
            digest: each for digest, each in self._secrets.items() if now_s < each.expires_s
        }
        if len(self._secrets) >= MOST_SECRETS:
            raise AccessError(f"{MOST_SECRETS} short-lived keys are valid; wait until some expire")
        secret = Secret(f"ek_{secrets.token_urlsafe(32)}", owner, now_s + lasts_s, session)
        self.know(secret)
        return secret

    def secrets(self, now_s: float) -> list[Secret]:
        """Short-lived keys that are valid, for a replica that begins."""
        return [each for each in self._secrets.values() if now_s < each.expires_s]

    def know(self, secret: Secret) -> None:
        """Lets in who shows this short-lived key, which another replica may have made."""
        self._secrets[_digest(secret.value)] = secret


def shown_key(caller: Caller) -> str | None:
    """The key that a caller shows, in any of the places where clients put it."""
    kind, _, key = caller.headers.get("authorization", "").partition(" ")
    if kind.lower() in ("bearer", "token") and key.strip():
        return key.strip()
    if "x-api-key" in caller.headers:
        return caller.headers["x-api-key"]
    for protocol in caller.protocols:
        if protocol.startswith(KEY_PROTOCOL):
            return protocol.removeprefix(KEY_PROTOCOL)
        if protocol.startswith(BASE64URL_PROTOCOL):
            return _from_base64url(protocol.removeprefix(BASE64URL_PROTOCOL))
    # Deepgram's clients in a browser offer the protocols "token" and the key.
    if len(caller.protocols) == 2 and caller.protocols[0] == "token":
        return caller.protocols[1]
    return None


def _from_base64url(text: str) -> str | None:
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except ValueError:
        return None


def _digest(key: str) -> bytes:
    return sha256(key.encode()).digest()
