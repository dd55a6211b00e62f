"""What the doors do in; counts of it, to be shown beside the engine's, out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from parakeet_streaming.metrics.registry import Counter, Gauge, LabelledCounter, MetricSet
from parakeet_streaming.server.replies import CODES

DOORS: Final = ("rest", "realtime", "webrtc", "native", "deepgram", "wyoming")
"""The ways in, as they are counted."""


class ServerMetrics(MetricSet):
    """Everything that is counted at the doors."""

    def __init__(self, owners: Iterable[str] = ()) -> None:
        """`owners`: names of keys; their number is that of the label's values."""
        self.load = Gauge(help="Part of the time that steps take; full at 0.9")
        self.draining = Gauge(help="1 while the server lets nobody in, because it is to stop")
        self.open_sockets = Gauge(help="Sockets and calls that are open")
        self.connections_total = LabelledCounter(
            "door", *DOORS, help="Connections that were let in, by the way they came"
        )
        self.connections_by_key_total = LabelledCounter(
            "key", "anonymous", *owners, help="Connections that were let in, by the name of the key"
        )
        self.refusals_total = LabelledCounter(
            "reason", *CODES, help="Requests and connections that were refused or ended, by why"
        )
        self.received_bytes_total = LabelledCounter(
            "door", *DOORS, help="Bytes of audio and messages that came"
        )
        self.sent_bytes_total = LabelledCounter(
            "door", *DOORS, help="Bytes of messages and replies that went"
        )
        self.uploads_total = Counter(help="Files that were transcribed")

    @contextmanager
    def connection(self, door: str, owner: str) -> Iterator[None]:
        """Counts a connection while it is open."""
        self.connections_total[door].add()
        self.connections_by_key_total[owner].add()
        self.open_sockets.set(self.open_sockets.value + 1)
        try:
            yield
        finally:
            self.open_sockets.set(self.open_sockets.value - 1)
