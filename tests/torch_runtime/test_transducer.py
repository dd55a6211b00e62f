"""The model behind the port: streams, snapshots and failures, beside the same one in numpy."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the torch extra")

from parakeet_streaming import ContextConfig, load
from parakeet_streaming.catalog.vocabulary import Vocabulary
from parakeet_streaming.engine.recognizer import Recognizer
from parakeet_streaming.errors import ComputeError, SnapshotError
from parakeet_streaming.ports import DecoderInput, EncoderInput
from parakeet_streaming.torch_runtime.cached_encoder import ring_size
from parakeet_streaming.torch_runtime.captured import Captured
from parakeet_streaming.torch_runtime.device_past import SPARE
from parakeet_streaming.torch_runtime.transducer import TorchTransducer
from tests.parity.crowds import check_a_crowd
from tests.torch_runtime.small_device import played
from tests.torch_runtime.test_cached_encoder import sound

PIECES = Vocabulary(("<unk>", "▁", *"abcdef", "<blk>"), 8)
CONTEXT = ContextConfig.parse("1-0.4-0.4")


@pytest.fixture(scope="module", params=["own", "ready", "replaying"])
def recognizer(request, transducer, ready_transducer, replaying_transducer):
    """With steps of their own size, and with those that were made ready."""
    chosen = {"own": transducer, "ready": ready_transducer, "replaying": replaying_transducer}
    return Recognizer(chosen[request.param], PIECES, name="small")


@pytest.fixture(scope="module")
def graphs(cached_folder):
    return load(cached_folder, runtime="onnxruntime", threads=1)


def tokens(stream):
    return [(each.id, each.start_frame, each.duration_frames) for each in stream.tokens]


def test_what_it_says_of_itself(transducer):
    assert transducer.runs_on == "torch (cpu), 1 thread"
    assert transducer.keeps_past
    assert transducer.max_samples is None
    assert transducer.durations == (0, 1, 2, 3, 4)


@pytest.mark.parametrize("cached", [False, True])
def test_the_same_tokens_as_graphs(recognizer, graphs, cached):
    for seed in range(3):
        samples = sound(6.3, seed)
        pair = [each.stream(CONTEXT, cached=cached) for each in (recognizer, graphs)]
        for stream in pair:
            stream.feed(samples)
            stream.finish()
        assert tokens(pair[0]) == tokens(pair[1])
        assert len(pair[0].tokens) > 3
        for one, other in zip(pair[0].tokens, pair[1].tokens, strict=True):
            assert one.confidence == pytest.approx(other.confidence, abs=1e-3)


@pytest.mark.parametrize("cached", [False, True])
def test_a_crowd(recognizer, cached):
    """Streams of any context and age that come and go: each gives what it gives alone."""
    speech = [sound(5.0, seed) for seed in range(4)]
    assert check_a_crowd(recognizer, speech, count=30, seed=1, cached=cached) > 50


@pytest.mark.parametrize("cached", [False, True])
def test_a_stream_is_a_value(recognizer, cached):
    samples = sound(6.0, 5)
    whole, first = (recognizer.stream(CONTEXT, cached=cached) for _ in range(2))
    whole.feed(samples)
    whole.finish()
    first.feed(samples[:48_000])
    second = recognizer.restore(first.snapshot())
    second.feed(samples[48_000:])
    second.finish()
    assert tokens(second) == tokens(whole)


def test_a_step_that_fails_changes_nothing(recognizer, monkeypatch):
    samples = sound(6.0, 6)
    whole, stream = (recognizer.stream(CONTEXT, cached=True) for _ in range(2))
    whole.feed(samples)
    whole.finish()
    model = recognizer._transducer._model
    if recognizer._transducer._graphs.on:
        pytest.skip("no network is called again; see the next test")

    def fail(*_):
        raise RuntimeError("CUDA out of memory")

    for at in range(0, len(samples), 8000):
        for part in (model.predictor, model.encoder.layers[1].convolution.pointwise):
            with monkeypatch.context() as patch:
                patch.setattr(part, "forward", fail)
                stream.push(samples[at : at + 8000] if part is model.predictor else samples[:0])
                ready = stream.ready
                if ready:
                    with pytest.raises(ComputeError, match="out of memory"):
                        recognizer.step([stream])
        recognizer.step([stream])
    stream.finish()
    assert tokens(stream) == tokens(whole)


@pytest.mark.parametrize("cached", [False, True])
def test_work_that_fails_changes_nothing(recognizer, monkeypatch, cached):
    """Encoder, the loop's beginning and its turns: each fails once before it succeeds."""
    samples = sound(4.0, 7)
    whole, stream = (recognizer.stream(CONTEXT, cached=cached) for _ in range(2))
    whole.feed(samples)
    whole.finish()
    run, runs = Captured.run, []

    def fails_at(last):
        def failing(work):
            runs.append(work)
            if len(runs) > last:
                raise RuntimeError("CUDA error: an illegal memory access was encountered")
            run(work)

        return failing

    for at in range(0, len(samples), 16_000):
        stream.push(samples[at : at + 16_000])
        for last in range(3):
            if stream.ready:
                with monkeypatch.context() as patch:
                    runs.clear()
                    patch.setattr(Captured, "run", fails_at(last))
                    with pytest.raises(ComputeError, match="illegal memory access"):
                        recognizer.step([stream])
        recognizer.step([stream])
    stream.finish()
    assert tokens(stream) == tokens(whole)


def test_steps_are_made_ready_where_they_are_asked_for(small_model, cpu):
    """On a processor they are not, unless it is said; and without a context there are none."""
    contexts = [CONTEXT]
    assert list(TorchTransducer(small_model, cpu).prepare_steps(contexts, most_rows=8)) == []
    made = TorchTransducer(small_model, cpu, fixed_shapes=True)
    assert list(made.prepare_steps([], most_rows=8)) == []
    # A loop and a step of windows, and the end of each.
    assert len(list(made.prepare_steps(contexts, most_rows=8))) == 4
    assert len(made._windows.ready) == len(made._decoder.loops.plain) == 1
    # All are there: nothing is made again.
    assert len(list(made.prepare_steps(contexts, most_rows=8))) == 2
    assert len(list(made.prepare_steps(contexts, most_rows=8, cached=True))) == 3
    assert len(list(made.prepare_steps(contexts, most_rows=8, cached=True))) == 2
    # Slots for more streams lie elsewhere.
    more = {"most_rows": 8, "most_streams": 200, "cached": True}
    assert len(list(made.prepare_steps(contexts, **more))) == 3
    assert made._pasts.convolved.slots >= 3 * 4 * 8


def test_what_a_device_has_no_room_for_is_our_error(small_model, cpu, monkeypatch):
    made = TorchTransducer(small_model, cpu, fixed_shapes=True)

    def fail(*_):
        raise RuntimeError("CUDA out of memory")

    monkeypatch.setattr(made._pasts.convolved, "reserve", fail)
    with pytest.raises(ComputeError, match="out of memory"):
        list(made.prepare_steps([CONTEXT], most_rows=8, cached=True))


@pytest.mark.parametrize("asked", [None, 5000, 20])
def test_slots_are_reserved_for_as_many_streams_as_fit(
    small_model, cpu, monkeypatch, caplog, asked
):
    """Where it is not said how many will come, and where more are wanted than there is room for."""
    with monkeypatch.context() as patch:
        device = played(patch, 60_000_000)
        made = TorchTransducer(small_model, cpu, fixed_shapes=True)
        more = {"most_rows": 16, "most_streams": asked, "cached": True}
        with caplog.at_level("INFO"):
            for _ in made.prepare_steps([CONTEXT], **more):
                pass
        assert device.refused == 0
        assert len(made._cached.ready) == 2
        kind = (CONTEXT, True)
        reserved = made._pasts.pool(ring_size(CONTEXT.frames)).slots - 2 - SPARE
        assert reserved == min(asked or 4 * 16, reserved)
        assert f"kept for {reserved} cached streams ({asked or 64} were asked for)" in caplog.text
        assert made.places(kind, {}) >= reserved


def test_a_processor_has_places_for_all(transducer):
    for cached in (False, True):
        assert transducer.places((CONTEXT, cached), {(CONTEXT, False): 10**6}) is None


def test_memory_from_elsewhere(transducer):
    arrays = transducer.memory_to_arrays(transducer.start().memory)
    again = transducer.memory_from_arrays(arrays)
    for name, values in transducer.memory_to_arrays(again).items():
        np.testing.assert_array_equal(values, arrays[name])
    # Of a snapshot that the graphs' decoder made: its output is its hidden state.
    transducer.memory_from_arrays({**arrays, "output": arrays["hidden"]})
    for forged in ({}, {"hidden": arrays["hidden"]}, {**arrays, "cell": arrays["cell"][:, :, :1]}):
        with pytest.raises(SnapshotError):
            transducer.memory_from_arrays(forged)


def test_slots_are_given_back(transducer):
    recognizer = Recognizer(transducer, PIECES, name="small")
    before = transducer._decoder.memories.slots
    for seed in range(20):
        stream = recognizer.stream(CONTEXT, cached=True)
        stream.feed(sound(2.0, seed))
        stream.finish()
    assert transducer._decoder.memories.slots == before


def test_nothing_to_do(transducer):
    empty = transducer.encode([])
    assert (empty.lengths, empty.pasts) == ((), ())
    assert transducer.decode(empty, []) == []


def test_a_window_without_a_frame(transducer):
    encoded = transducer.encode([EncoderInput(np.zeros(100, np.float32))])
    assert encoded.lengths == (0,)
    (decoded,) = transducer.decode(encoded, [DecoderInput(0, 0, 0, 0, transducer.start())])
    assert decoded.emissions == decoded.lookahead == ()
    assert decoded.state.decoded_frames == 0


def test_the_blank_may_be_confident(small_model, cpu):
    """The other measure reaches the loop."""
    sure = TorchTransducer(small_model, cpu, confidence="entropy")
    stream = Recognizer(sure, PIECES).stream(CONTEXT)
    stream.feed(sound(3.0))
    stream.finish()
    assert stream.tokens
    assert all(0 <= each.confidence <= 1 for each in stream.tokens)
