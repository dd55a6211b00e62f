import asyncio
from dataclasses import dataclass

from aiortc.rtcrtpreceiver import RTCRtpReceiver

from parakeet_streaming.server.received_packets import hear_in_order


@dataclass
class Packet:
    sequence_number: int
    timestamp: int = 0
    _data: bytes = b""


class Receiver:
    def __init__(self):
        self.handled = []

    async def _handle_rtp_packet(self, packet, arrival_time_ms):
        self.handled.append((packet.sequence_number, arrival_time_ms))


def test_packets_are_handled_in_order():
    receiver = Receiver()
    hear_in_order(receiver)

    async def send():
        for number in (7, 9, 8, 10):
            await receiver._handle_rtp_packet(Packet(number), arrival_time_ms=number)

    asyncio.run(send())
    assert receiver.handled == [(7, 7), (8, 8), (9, 8), (10, 10)]
    wants_picture, frame = receiver._RTCRtpReceiver__jitter_buffer.add(Packet(11, 960, b"opus"))
    assert (wants_picture, frame.data, frame.timestamp) == (False, b"opus", 960)


def test_the_insides_of_aiortc_have_these_names():
    assert hasattr(RTCRtpReceiver, "_handle_rtp_packet")
    names = RTCRtpReceiver.__init__.__code__.co_names
    assert "_RTCRtpReceiver__jitter_buffer" in names
