"""What the worker does to ends that are in another process, message by message."""

import pytest

from parakeet_streaming.errors import ComputeError
from parakeet_streaming.processes import audio_memory as at
from parakeet_streaming.processes.frames import Frame, Kind
from parakeet_streaming.processes.hosted_ends import HostedEnds
from parakeet_streaming.results import Gap, SnapshotTaken
from tests.processes.across import memories


class Told:
    """A link that keeps what it is told."""

    def __init__(self):
        self.frames = []

    def tell(self, frame):
        self.frames.append(frame if isinstance(frame, Frame) else frame())

    def taken(self):
        frames, self.frames = self.frames, []
        return frames


@pytest.fixture
def ends():
    here, there = memories()
    link = Told()
    crossing = HostedEnds(link, here, 1)
    queue, inlet, outlet = crossing.ends(160, 32_000, lambda: None)
    assert (crossing.start, crossing.most_samples) == (160, 32_000)
    assert queue.reader.position == 160
    return link, there.slot(1).counters, inlet, outlet


def test_events_go_in_their_order_and_the_end_after_them(ends):
    link, _, _, outlet = ends
    outlet.put(Gap(1.0, 2.0))
    outlet.put(SnapshotTaken(5, lambda: b"state"))
    outlet.close(ComputeError("broken"))
    outlet.close()
    gap, snapshot, over = link.taken()
    assert (gap.kind, gap.number, gap.value) == (Kind.EVENT, 1, ["gap", {"start": 1.0, "end": 2.0}])
    assert (snapshot.value, snapshot.blob) == (["snapshot", 5], b"state")
    assert (over.kind, over.value) == (Kind.OVER, ["ComputeError", "broken"])


def test_a_snapshot_that_cannot_be_written_is_none(ends):
    def fail():
        raise MemoryError

    link, _, _, outlet = ends
    outlet.put(SnapshotTaken(5, fail))
    (frame,) = link.taken()
    assert (frame.kind, frame.value) == (Kind.EVENT, None)


def test_what_is_told_counts_the_events_before_it(ends):
    _, counters, _, outlet = ends
    outlet.put(Gap(1.0, 2.0))
    outlet.told_samples = 16_000
    assert (counters[at.EVENTS_PUT], counters[at.TOLD]) == (1, 16_000)
    assert outlet.told_samples == 16_000
    outlet.close()
    outlet.told_samples = 32_000
    assert counters[at.TOLD] == 16_000


def test_room_is_told_to_who_asked_once_for_each_question(ends):
    link, counters, inlet, _ = ends
    inlet.woken()
    assert link.taken() == []
    counters[at.ASKED_FOR_ROOM] = 1
    inlet.woken()
    inlet.woken()
    assert [frame.kind for frame in link.taken()] == [Kind.ROOM]


def test_a_commit_of_the_worker_is_answered_by_the_producer(ends):
    link, _, inlet, _ = ends
    positions = []
    inlet.commit(positions.append)
    inlet.commit(positions.append)
    first, second = link.taken()
    assert (first.kind, second.kind) == (Kind.COMMIT_ASKED, Kind.COMMIT_ASKED)
    inlet.committed(first.value, 100)
    inlet.committed(first.value, 150)
    inlet.committed(second.value, 200)
    assert positions == [100, 200]


def test_a_producer_that_has_ended_is_not_asked_to(ends):
    link, counters, inlet, _ = ends
    assert not inlet.finished
    inlet.finish()
    assert [frame.kind for frame in link.taken()] == [Kind.FINISH_ASKED]
    counters[at.CLOSED] = 1
    inlet.finish()
    assert link.taken() == []
    assert inlet.finished
    assert inlet.rate_hz == 16_000
    assert inlet.filters == ()
