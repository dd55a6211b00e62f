"""What an I/O process may ask of the engine's, and what it cannot do to others."""

import pytest

from parakeet_streaming.errors import OptionError, UsageError
from parakeet_streaming.processes.frames import Frame, FrameError, Kind
from parakeet_streaming.processes.values import plain
from tests.processes.across import FIXED, SMALL, joined, read


@pytest.fixture(scope="module")
def both():
    with joined() as found:
        yield found


def asked(slot, **changed):
    usual = {
        "slot": slot,
        "options": plain(FIXED),
        "id": None,
        "resumes": False,
        "filters": [],
        "instead_of": None,
        "until_s": 1e12,
    }
    return usual | changed


def test_it_knows_questions_about_the_engine(both):
    assert both.host.knows("open")
    assert not both.host.knows("hold")
    with pytest.raises(UsageError):
        both.host.answer("hold", None, b"")


@pytest.mark.parametrize("slot", [-1, SMALL.slots, 2**40])
def test_slots_are_within_the_memory(both, slot):
    with pytest.raises(OptionError):
        both.host.answer("open", asked(slot), b"")
    assert both.host.streams == 0


def test_a_slot_has_one_stream(both):
    stream = both.remote.open(FIXED)
    assert both.host.streams == 1
    slot = stream._task.slot
    with pytest.raises(OptionError):
        both.host.answer("open", asked(slot), b"")
    stream.cancel()
    read(stream)


def test_options_that_are_none(both):
    with pytest.raises(FrameError):
        both.host.answer("open", asked(3, options={"delay": 5}), b"")


def test_messages_to_streams_that_are_not_there_do_nothing(both):
    for kind in Kind:
        both.host.take(Frame(kind, 99, 5))
    with pytest.raises(UsageError):
        both.host.answer("stream stats", 99, b"")


def test_a_stream_that_nobody_waits_for_is_cancelled(both):
    both.host.answer("open", asked(3, until_s=0.0, id="late"), b"")
    stream, _ = both.host._streams[3]
    while not stream.is_over:
        pass
    assert stream.stats().outcome == "cancelled"
    both.host.take(Frame(Kind.LEAVE, 3))


def test_streams_of_a_process_that_is_gone_are_cancelled_and_no_others():
    with joined() as both:
        other = both.engine.open(FIXED)
        stream = both.remote.open(FIXED)
        hosted, _ = both.host._streams[stream._task.slot]
        both.part()
        while not hosted.is_over:
            pass
        assert hosted.stats().outcome == "cancelled"
        other.finish()
        assert read(other)
