"""A client of a `parakeet serve` elsewhere (extra `client`): audio goes there, events come back.

```python
from parakeet_streaming.client import Client, Final

with Client("http://speech.example:8000", key="…") as client:
    with client.stream(sample_rate=16_000, context="balanced") as stream:
        stream.send(samples)               # float32 or int16 (n,), or bytes; as often as you like
        stream.finish()
        for event in stream:
            if isinstance(event, Final):
                print(event.text)
```

`AsyncClient` is the same for `asyncio`: `await` what takes time, `async with`, `async for`.
`docs/protocol.md` has the protocol that they speak.
"""

from parakeet_streaming.client.async_client import AsyncClient
from parakeet_streaming.client.async_stream import AsyncStream
from parakeet_streaming.client.client import Client, Stream
from parakeet_streaming.client.events import (
    ChannelStats,
    Cleared,
    ContextChanged,
    Event,
    Final,
    Gap,
    GoingAway,
    Hint,
    Marker,
    Mistake,
    Partial,
    Ready,
    Reconnecting,
    Resumed,
    SpeechEnded,
    SpeechStarted,
)
from parakeet_streaming.client.resuming import Resuming

__all__ = [
    "AsyncClient",
    "AsyncStream",
    "ChannelStats",
    "Cleared",
    "Client",
    "ContextChanged",
    "Event",
    "Final",
    "Gap",
    "GoingAway",
    "Hint",
    "Marker",
    "Mistake",
    "Partial",
    "Ready",
    "Reconnecting",
    "Resumed",
    "Resuming",
    "SpeechEnded",
    "SpeechStarted",
    "Stream",
]
