"""Live streams, voice activity and snapshots over a model on torch: nothing there knows of it."""

import pytest

torch = pytest.importorskip("torch", reason="the torch extra")

from parakeet_streaming import ContextConfig, DelayRange, LiveEngine, LiveOptions, load, load_vad
from parakeet_streaming.engine.recognizer import Recognizer
from parakeet_streaming.errors import CapacityError
from parakeet_streaming.live.batch_limits import BatchLimits
from parakeet_streaming.results import Final, Partial
from parakeet_streaming.torch_runtime.bias_arena import ArenaRoom
from parakeet_streaming.torch_runtime.cached_encoder import ring_size
from parakeet_streaming.torch_runtime.transducer import TorchTransducer
from tests.torch_runtime.small_device import played
from tests.torch_runtime.test_cached_encoder import sound
from tests.torch_runtime.test_opening import TORCH, digits
from tests.torch_runtime.test_transducer import PIECES

__all__ = ["digits"]

WAIT_S = 120
WORDS = ["three", "one", "four", "one", "five", "nine", "two", "six"]


@pytest.fixture(scope="module")
def recognizer():
    return load(**TORCH)


def words_of(events):
    told = [event.transcript.text for event in events if isinstance(event, Final)]
    return " ".join(told).split()


@pytest.mark.parametrize("cached", [False, True])
def test_streams_whose_steps_were_made_ready(recognizer, digits, cached):
    """As with the others; and they do take those steps."""
    torch_model = recognizer._transducer
    made = Recognizer(
        TorchTransducer(torch_model._model, torch_model._device, fixed_shapes=True),
        recognizer._formatter._pieces,
    )
    options = LiveOptions(DelayRange.fixed(ContextConfig.parse("2-0.5-0.5")), cached=cached)
    with LiveEngine(made, load_vad(), most_streams=2, ready_for=[options]) as engine:
        streams = [engine.open(options) for _ in range(2)]
        ready = made._transducer._cached.ready if cached else made._transducer._windows.ready
        assert [len(step.buffers.samples) for step in ready] == [32, 16, 8]
        assert set(made._transducer._decoder.loops.plain) == {8, 16, 32}
        for stream in streams:
            for at in range(0, len(digits), 8000):
                stream.push_waiting(digits[at : at + 8000], WAIT_S)
            stream.finish()
        for stream in streams:
            assert words_of(iter(lambda s=stream: s.get(WAIT_S), None)) == WORDS


@pytest.mark.parametrize("cached", [False, True])
def test_several_streams_at_once(recognizer, digits, cached):
    delay = DelayRange.fixed(ContextConfig.parse("2-0.5-0.5"))
    options = LiveOptions(delay, cached=cached)
    with LiveEngine(recognizer, load_vad(), most_streams=3) as engine:
        streams = [engine.open(options) for _ in range(3)]
        for stream in streams:
            for at in range(0, len(digits), 8000):
                stream.push_waiting(digits[at : at + 8000], WAIT_S)
            stream.finish()
        for stream in streams:
            assert words_of(iter(lambda s=stream: s.get(WAIT_S), None)) == WORDS


class Room:
    """An engine over a small model on a device of so many bytes."""

    def __init__(self, patch, model, cpu, total, *, reserved=None, cached=True):
        self.device = played(patch, total)
        self.model = TorchTransducer(model, cpu, fixed_shapes=True)
        self.model._decoder.loops.room = ArenaRoom(states=1000, arcs=1000)
        self.options = LiveOptions(
            DelayRange.fixed(ContextConfig.parse("1-0.4-0.4")),
            vad=None,
            endpoint=None,
            cached=cached,
        )
        ready = [] if reserved is None else [self.options]
        recognizer = Recognizer(self.model, PIECES, name="small")
        limits = BatchLimits(max_streams=16)
        self.engine = LiveEngine(recognizer, limits=limits, ready_for=ready)
        # So that only memory bounds it.
        streams = self.engine._loop.streams
        streams._admission.most_load = 10**9

    def opened(self):
        """Streams until there is no room for one more."""
        opened = []
        while True:
            try:
                opened.append(self.engine.open(self.options))
            except CapacityError as error:
                reason = str(error)
                break
        assert "the memory of the model's device has no room" in reason
        return opened

    @property
    def rejected(self):
        return self.engine.metrics.rejected_total["memory"].total


def tokens_of(stream):
    events = list(iter(lambda: stream.get(WAIT_S), None))
    finals = [event for event in events if isinstance(event, Final)]
    return [token.id for event in finals for token in event.transcript.tokens]


@pytest.mark.parametrize("reserved", [None, True])
def test_no_more_streams_are_let_in_than_memory_has_room_for(
    small_model, cpu, monkeypatch, reserved
):
    """All that were let in before any of them had a step get to their end."""
    samples = sound(2.0, 1)
    with monkeypatch.context() as patch:
        room = Room(patch, small_model, cpu, 24_000_000, reserved=reserved)
        with room.engine as engine:
            streams = room.opened()
            assert len(streams) > 20
            assert room.rejected == 1
            for stream in streams:
                stream.push(samples)
            for stream in streams:
                stream.finish()
            told = {tuple(tokens_of(stream)) for stream in streams}
            assert len(told) == 1
            assert {stream.stats().outcome for stream in streams} == {"finished"}
            assert room.device.refused == 0
            # They are over, and their places free, though their readers still hold them.
            assert len(room.opened()) > 0.8 * len(streams)
            engine.close(drain=False)


def test_a_stream_on_a_full_device_can_be_resumed_in_its_own_place(small_model, cpu, monkeypatch):
    samples = sound(4.0, 2)
    with monkeypatch.context() as patch:
        room = Room(patch, small_model, cpu, 24_000_000, reserved=True)
        with room.engine as engine:
            streams = room.opened()
            for stream in streams:
                stream.push(samples[:32_000])
            first = streams[3]
            data = first.snapshot(past=True)
            with pytest.raises(CapacityError):
                engine.open(room.options, resume=data)
            second = engine.open(room.options, resume=data, instead_of=first)
            first.cancel()
            position = second.stats().received_samples
            for stream in (second, streams[4]):
                stream.push(samples[position if stream is second else 32_000 :])
                stream.finish()
            assert tokens_of(second) == tokens_of(streams[4])
            assert room.device.refused == 0
            engine.close(drain=False)


def test_a_step_without_memory_ends_only_streams_that_have_no_room(
    small_model, cpu, monkeypatch, caplog
):
    """Where others have used up the memory since they were let in."""
    samples = sound(3.0, 3)
    with monkeypatch.context() as patch:
        room = Room(patch, small_model, cpu, 24_000_000)
        with room.engine as engine:
            old = [engine.open(room.options) for _ in range(10)]
            for stream in old:
                stream.push(samples[:16_000])
                assert stream.get(WAIT_S) is not None
            new = [engine.open(room.options) for _ in range(8)]
            size = ring_size(room.options.context.frames)
            rings = room.model._pasts.pool(size)
            held = [rings.take() for _ in range(len(rings._free) - 3)]
            version = rings.version
            with monkeypatch.context() as full:
                full.setattr(torch, "zeros", refusing(torch.zeros, size))
                for stream in (*old, *new):
                    stream.push(samples[16_000:])
                begun = [isinstance(stream.get(WAIT_S), Partial) for stream in new]
                for stream in (*old, *new):
                    stream.finish()
                outcomes = [outcome_of(stream) for stream in old]
            assert begun.count(True) == 3
            assert len(set(outcomes)) == 1
            assert "no memory left" in caplog.text
            # What was captured is good as before: nothing has moved.
            assert rings.version == version
            assert held
            engine.close(drain=False)


def outcome_of(stream):
    """Its tokens, and how it ended."""
    return tuple(tokens_of(stream)), stream.stats().outcome


def refusing(real, size):
    """As on a device where there is no memory for more rings."""

    def zeros(*given, **more):
        if len(given[0]) == 4 and given[0][2] in (size.frames, size.log_mels):
            raise torch.OutOfMemoryError("Tried to allocate 20 GiB")
        return real(*given, **more)

    return zeros


def test_a_snapshot_of_graphs_goes_on_here(digits):
    """The samples, states and tokens of a stream that ONNX Runtime began."""
    recognizer, graphs = load(**TORCH), load(runtime="onnxruntime", threads=1)
    context = ContextConfig.parse("2-0.5-0.5")
    first = graphs.stream(context)
    first.feed(digits[: len(digits) // 2])
    second = recognizer.restore(first.snapshot())
    second.feed(digits[len(digits) // 2 :])
    second.finish()
    assert second.transcript().text.split() == WORDS
