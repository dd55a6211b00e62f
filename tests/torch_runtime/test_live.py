"""Live streams, voice activity and snapshots over a model on torch: nothing there knows of it."""

import pytest

pytest.importorskip("torch", reason="the torch extra")

from parakeet_streaming import ContextConfig, DelayRange, LiveEngine, LiveOptions, load, load_vad
from parakeet_streaming.engine.recognizer import Recognizer
from parakeet_streaming.results import Final
from parakeet_streaming.torch_runtime.transducer import TorchTransducer
from tests.torch_runtime.test_opening import TORCH, digits

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
