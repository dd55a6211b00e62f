"""Ends that are elsewhere; here they are those of this process, joined by hand."""

from parakeet_streaming import LiveEngine
from parakeet_streaming.live.audio_queue import AudioQueueWriter
from parakeet_streaming.live.event_queue import EventQueue
from parakeet_streaming.live.ingest import AudioIngest
from parakeet_streaming.results import Final, SnapshotTaken
from tests.server.doors.test_native import PCM, SAID
from tests.server.served import FIXED, models


class Here:
    """A crossing that goes nowhere."""

    def ends(self, start, most_samples, wake):
        import time

        self.queue = AudioQueueWriter(160_000, most_samples, time.monotonic, wake, start=start)
        self.ingest, self.events = AudioIngest(self.queue, 16_000), EventQueue()
        return self.queue, self.ingest, self.events


def read(events):
    found = []
    while (event := events.get(120.0)) is not None:
        found.append(event)
    return found


def test_a_stream_for_another_process_is_any_stream():
    with LiveEngine(*models(), most_streams=2) as engine:
        here = Here()
        stream = engine.host(FIXED, here, id="hosted")
        assert stream.id == "hosted"
        here.ingest.push(PCM / 32_768)
        stream.commit(here.queue.received)
        stream.ask_snapshot(past=False)
        stream.use_phrases(["seven"])
        stream.wake()
        stream.finish()
        events = read(here.events)
        finals = [event for event in events if isinstance(event, Final)]
        assert finals[0].transcript.text == SAID
        assert "commit" in [final.reason for final in finals]
        assert len([event for event in events if isinstance(event, SnapshotTaken)]) <= 1
        assert stream.transcript().text == SAID
        assert stream.stats().outcome == "finished"
        assert stream.is_over


def test_it_is_cancelled():
    with LiveEngine(*models(), most_streams=2) as engine:
        here = Here()
        stream = engine.host(FIXED, here)
        stream.cancel()
        read(here.events)
        assert stream.stats().outcome == "cancelled"


def test_it_gives_its_place():
    with LiveEngine(*models(), most_streams=1) as engine:
        first, second = Here(), Here()
        one = engine.host(FIXED, first)
        other = engine.host(FIXED, second, instead_of=one.id)
        for each in (one, other):
            each.cancel()
        read(first.events)
        read(second.events)
