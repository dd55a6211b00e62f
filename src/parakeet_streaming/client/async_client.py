"""Audio in, events out, for `asyncio`.

```python
async with AsyncClient("http://127.0.0.1:8000") as client:
    async with client.stream(sample_rate=16_000) as stream:
        await stream.send(samples)
        await stream.finish()
        async for event in stream: ...
```
"""

from __future__ import annotations

import ssl
from dataclasses import replace
from importlib.util import find_spec
from typing import Any, Final, Self

from parakeet_streaming.client.async_stream import AsyncStream
from parakeet_streaming.client.request import StreamOptions, headers, socket_url
from parakeet_streaming.client.resuming import Resuming, resuming_of
from parakeet_streaming.errors import ExtraMissingError

TIMEOUT_S: Final = 30.0


class AsyncClient:
    """A server, and how it is reached. It holds nothing open; its streams do."""

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
        proxy: str | bool = True,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Nothing is sent before the first stream.

        Args:
            url: of the server, such as `http://127.0.0.1:8000`; https, ws and wss are as good.
            key: where the server wants one.
            timeout_s: for everything that the server has to do at once: open a stream, take a
                piece of audio, answer `stats`. Events may take as long as nobody speaks.
            proxy: True for the one that the environment names (`HTTPS_PROXY`, `NO_PROXY`, ...),
                False for none, or its address.
            tls: for a server whose certificate the system does not know.

        Raises:
            ExtraMissingError: the extra `client` is not installed.
            OptionError: no address of a server, or a key that cannot be one.
        """
        if find_spec("websockets") is None:
            raise ExtraMissingError(
                "the client needs websockets; pip install 'parakeet-streaming[client]'"
            )
        from parakeet_streaming.client.sockets import Way

        socket_url(url, StreamOptions())
        self._url = url
        self._headers = headers(key)
        self._way = Way(timeout_s, proxy, tls)

    def stream(self, *, resume: bool | Resuming = True, **options: Any) -> AsyncStream:  # noqa: ANN401
        """A stream: `async with` opens it, and so does `await`.

        Args:
            resume: whether, and how, the stream goes on over another connection when this one is
                lost or the server stops.
            options: fields of `StreamOptions`: `sample_rate`, `encoding`, `channels`, `separate`,
                `context`, `fixed`, `endpointing`, `max_utterance_s`, `vad`, `tentative`, `words`,
                `tokens`, `numbers`, `profanity`, `replace`, `phrases`, `boost`. What
                is left out the server decides.
        """
        from parakeet_streaming.client.address import Address

        asked, resuming = StreamOptions(**options), resuming_of(resume)
        wanted = asked
        if resuming is not None:
            # Text that is told again is compared by its tokens.
            wanted = replace(asked, tokens=True, checkpoints=resuming.checkpoints_s)
        address = Address(socket_url(self._url, wanted), self._headers, self._way)
        return AsyncStream(address, asked, resuming)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass
