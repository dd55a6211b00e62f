"""A receiver of aiortc in; the same receiver, which takes packets by our order, out.

Its own order holds 80 ms back at all times; for a packet that is lost it drops four more, and is
0.2 s late from then on. An aiortc whose insides have other names goes on by its own order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from parakeet_streaming.server.packet_order import PacketOrder


def hear_in_order(receiver: Any) -> None:  # noqa: ANN401 - aiortc is not imported here
    """Puts our order before the receiver's own.

    Args:
        receiver: an `RTCRtpReceiver` of Opus, each packet of which is a frame.
    """
    order: PacketOrder[Any] = PacketOrder()
    handle = receiver._handle_rtp_packet

    async def in_order(packet: Any, arrival_time_ms: int) -> None:  # noqa: ANN401
        for each in order.take(packet.sequence_number, packet):
            await handle(each, arrival_time_ms)

    receiver._handle_rtp_packet = in_order
    receiver._RTCRtpReceiver__jitter_buffer = _AsTheyCome()


@dataclass(slots=True)
class _Frame:
    """As aiortc's decoder takes it."""

    data: bytes
    timestamp: int


class _AsTheyCome:
    """In place of a `JitterBuffer`, for packets in order."""

    def add(self, packet: Any) -> tuple[bool, _Frame]:  # noqa: ANN401
        """The packet's frame, at once; no picture is asked for."""
        return False, _Frame(packet._data, packet.timestamp)
