import pytest
from websockets.frames import Frame
from websockets.streams import StreamReader

from benchmarks.server.crowd import frame_of
from benchmarks.server.sleeping_server import Numbers, SleepingModel, _said
from benchmarks.server.sockets import Cost


@pytest.mark.parametrize("size", [0, 125, 126, 640, 2_560])
def test_packets_are_messages(size):
    reader = StreamReader()
    packet = bytes(range(256)) * 10
    reader.feed_data(frame_of(packet[:size]))
    parsing = Frame.parse(reader.read_exact, mask=True)
    with pytest.raises(StopIteration) as parsed:
        next(parsing)
    assert parsed.value.value.data == packet[:size]


def test_what_is_said_depends_on_the_frame_alone():
    whole = _said(0, 100)
    assert _said(0, 33) + _said(33, 100) == whole
    assert len(whole) == 20
    assert Numbers().text_of(whole[3].token_id) == " word3"
    assert SleepingModel().start().decoded_frames == 0


def test_what_a_core_carries():
    assert Cost(1, 20, 100, engine=0.005, io=0.0, read=1.0).carried == 200
    assert Cost(2, 20, 100, engine=0.001, io=0.004, read=1.0).carried == 250
