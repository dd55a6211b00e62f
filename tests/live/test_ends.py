"""The ends of this process are what the worker asks of any."""

from parakeet_streaming.live import ends
from parakeet_streaming.live.audio_queue import AudioQueueReader, AudioQueueWriter
from parakeet_streaming.live.event_queue import EventQueue
from parakeet_streaming.live.ingest import AudioIngest


def asked(protocol):
    return {name for name in vars(protocol) if not name.startswith("_")}


def test_they_have_what_is_asked_of_them():
    queue = AudioQueueWriter(10, 10, lambda: 0.0, lambda: None)
    for protocol, end in (
        (ends.SampleSource, queue.reader),
        (ends.SampleQueue, queue),
        (ends.SampleSink, queue),
        (ends.AudioInlet, AudioIngest(queue, 16_000)),
        (ends.EventOutlet, EventQueue()),
    ):
        assert asked(protocol) <= set(dir(end)), protocol
    assert isinstance(queue, AudioQueueWriter)
    assert isinstance(queue.reader, AudioQueueReader)
