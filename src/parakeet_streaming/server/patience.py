"""Pieces of a body as they come in; the same pieces out, unless they come too slowly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final

from parakeet_streaming.server.replies import SessionTimeError

_LEAST_BYTES_A_SECOND: Final = 500
"""On average: an upload holds a place in the engine; speech takes more in any codec."""


async def patient(
    pieces: AsyncIterator[bytes], idle_s: float, clock: Callable[[], float]
) -> AsyncIterator[bytes]:
    """The pieces, unless none comes for `idle_s`, or they come more slowly than any sound.

    Raises:
        SessionTimeError: they do.
    """
    begun_s, received = clock(), 0
    while True:
        left_s = begun_s + idle_s + received / _LEAST_BYTES_A_SECOND - clock()
        try:
            async with asyncio.timeout(max(0.0, min(idle_s, left_s))):
                # A piece that is there already is not waited for, and so meets no timeout.
                await asyncio.sleep(0)
                piece = await anext(pieces, None)
        except TimeoutError:
            raise SessionTimeError(
                f"too little of the file came: {received} bytes, and none for {idle_s:g} s, or "
                f"fewer than {_LEAST_BYTES_A_SECOND} a second; send it faster"
            ) from None
        if piece is None:
            return
        received += len(piece)
        yield piece
