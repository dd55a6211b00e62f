"""The seam between graphs and plain calls; and that what goes through it could be captured."""

import logging

import pytest

torch = pytest.importorskip("torch", reason="the torch extra")

from parakeet_streaming.timeline import ContextConfig
from parakeet_streaming.torch_model.fastconformer import EncoderConfig
from parakeet_streaming.torch_model.transducer import Transducer, TransducerConfig
from parakeet_streaming.torch_runtime.cached_encoder import CachedEncoder
from parakeet_streaming.torch_runtime.captured import Graphs
from parakeet_streaming.torch_runtime.device_confidence import measure_on_device
from parakeet_streaming.torch_runtime.device_decoder import DeviceDecoder
from parakeet_streaming.torch_runtime.device_past import PastStore
from parakeet_streaming.torch_runtime.devices import computing
from parakeet_streaming.torch_runtime.halving import halve
from parakeet_streaming.torch_runtime.loop_state import Rules
from parakeet_streaming.torch_runtime.mel import LogMel
from parakeet_streaming.torch_runtime.window_encoder import WindowEncoder
from tests.torch_runtime.forbidden_calls import Forbidden, assert_can_be_captured
from tests.torch_runtime.recorded_graph import RecordedGraph

CONTEXT = ContextConfig.parse("2-0.4-0.4").frames
PARTS = ("windows", "cached", "decoder", "decoder with biases")


def pieces(device, *, bfloat16=False, eight_bits=False, confidence="probability"):
    """What is captured, as on that device, whether or not anything can be computed there."""
    encoder = EncoderConfig(subsampling_channels=8, width=32, layers=2, heads=2)
    config = TransducerConfig(
        encoder, vocabulary=9, predictor_width=16, predictor_layers=2, joint_width=24
    )
    device = torch.device(device)
    with torch.no_grad():
        model = Transducer(config).eval()
        if bfloat16:
            halve(model.encoder)
        model = model.to(device)
        dtype = torch.bfloat16 if bfloat16 else torch.float32
        mel, graphs = LogMel(encoder.mel_bins, device), Graphs(device)
        store = PastStore(encoder, device, dtype, eight_bits=eight_bits)
        durations = torch.tensor(config.durations).to(device)
        rules = Rules(config.blank_id, durations, 3, measure_on_device(confidence))
        windows = WindowEncoder(model.encoder, mel, device, graphs, dtype)
        cached = CachedEncoder(model.encoder, mel, store, device, graphs)
        decoder = DeviceDecoder(model, rules, device, graphs)
        for _ in windows.prepare(CONTEXT.window * 1280, 8):
            pass
        for _ in cached.prepare(CONTEXT, 8):
            pass
        for _ in decoder.prepare(8, CONTEXT.chunk + CONTEXT.right):
            pass
    return {
        "windows": [step.work for step in windows.ready],
        "cached": [step.work for step in cached.ready],
        "decoder": works_of(decoder.loops.plain),
        "decoder with biases": works_of(decoder.loops.biased),
    }


def works_of(loops):
    return [work for loop in loops.values() for work in (loop.begin, loop.turns)]


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize(
    "kind",
    [{}, {"bfloat16": True}, {"eight_bits": True}, {"confidence": "entropy"}],
    ids=lambda kind: next(iter(kind), "plain"),
)
def test_all_that_is_captured_could_be(device, kind):
    if device == "meta" and "bfloat16" in kind:
        pytest.skip("torch cannot say whether there is autocast there")
    there = pieces(device, **kind)
    assert set(there) == set(PARTS)
    for part, works in there.items():
        assert works, part
        for work in works:
            assert assert_can_be_captured(work.run, device) > 10, part


@pytest.mark.parametrize(
    "wrong",
    [
        lambda values: values.sum().item(),
        lambda values: values.tolist(),
        lambda values: bool(values.any()),
        lambda values: values[values > 0],
        lambda values: values.nonzero(),
        torch.fft.rfft,
        lambda values: values + torch.zeros(1).to(values.device),
        lambda values: values.repeat_interleave(torch.ones(3).long()),
    ],
)
def test_what_cannot_be_captured_is_noticed(wrong):
    values = torch.ones(3, device="meta")
    with pytest.raises((Forbidden, NotImplementedError)):
        assert_can_be_captured(lambda: wrong(values), "meta")


def test_constants_of_the_host_are_noticed():
    with pytest.raises(Forbidden, match="a constant on the host"):
        assert_can_be_captured(lambda: torch.tensor([1.0, 2.0]), "cpu")


def test_copies_between_devices_are_noticed():
    for values, other in ((torch.ones(3), "meta"), (torch.ones(3, device="meta"), "cpu")):
        with pytest.raises((Forbidden, NotImplementedError)):
            assert_can_be_captured(lambda v=values, o=other: v.to(o), "meta")


def test_without_a_gpu_work_is_called():
    calls = []
    work = Graphs(torch.device("cpu")).of(lambda: calls.append(1))
    assert not work.ready
    work.capture()
    assert work.ready
    assert calls == [1]  # so that what is wrong with it shows at start
    assert not work.is_graph
    work.run()
    assert calls == [1, 1]


class Replays:
    """A graph that counts."""

    count = 0

    def replay(self):
        self.count += 1


def test_a_graph_is_replayed_until_its_tensors_have_moved(monkeypatch):
    """As with a GPU, but for the graph itself."""
    calls, version, graph = [], [1], Replays()
    graphs = Graphs(torch.device("cpu"))
    monkeypatch.setattr(graphs, "on", True)
    monkeypatch.setattr(graphs, "_captured", lambda work: graph)
    work = graphs.of(lambda: calls.append(1), lambda: tuple(version))
    work.run()
    assert (len(calls), graph.count) == (1, 0)
    work.capture()
    work.run()
    work.run()
    assert work.is_graph
    assert (len(calls), graph.count) == (1, 2)
    version[0] = 2
    assert not work.is_graph
    assert not work.ready
    work.run()
    assert (len(calls), graph.count) == (2, 2)
    work.capture()
    work.run()
    assert (len(calls), graph.count) == (2, 3)


def test_a_capture_that_fails_ends_graphs_and_nothing_else(monkeypatch, caplog):
    def fail(_):
        raise RuntimeError("operation not permitted when stream is capturing\nand more")

    calls = []
    graphs = Graphs(torch.device("cpu"))
    monkeypatch.setattr(graphs, "on", True)
    monkeypatch.setattr(graphs, "_captured", lambda work: earlier)
    known, earlier = graphs.of(lambda: calls.append(0)), Replays()
    known.capture()
    known.run()
    assert earlier.count == 1
    monkeypatch.setattr(graphs, "_captured", fail)
    work = graphs.of(lambda: calls.append(1))
    with caplog.at_level(logging.WARNING):
        work.capture()
    assert "could not capture" in caplog.text
    assert "not permitted" in caplog.text
    assert not graphs.on
    work.run()
    known.run()
    assert calls == [1, 0]
    assert earlier.count == 1


def test_steps_are_replayed_and_nothing_else(replaying_transducer):
    """What stands for graphs in other tests is used, by every part."""
    works = [
        *(step.work for step in replaying_transducer._windows.ready),
        *(step.work for step in replaying_transducer._cached.ready),
        *works_of(replaying_transducer._decoder.loops.plain),
        *works_of(replaying_transducer._decoder.loops.biased),
    ]
    assert all(isinstance(work._graph, RecordedGraph) for work in works)
    work = works[0]
    before = work._graph.replays
    with computing():
        work.run()
    assert work._graph.replays == before + 1
    assert torch.isfinite(replaying_transducer._windows.ready[0].buffers.frames).all()


def test_what_is_kept_in_between_is_lost(cpu):
    """A stand-in that would not notice such work would say nothing about graphs."""
    given, result, kept = torch.ones(3), torch.zeros(3), []

    def work():
        if not kept:
            kept.append(given * 2)
        result.copy_(kept[0])

    graph = RecordedGraph(work)
    graph.replay()
    assert result.tolist() == [2, 2, 2]
    given.fill_(4)
    graph.replay()
    assert result.tolist() == [8, 8, 8]
    again = RecordedGraph(work)  # reads what the first graph left in between
    graph.replay()
    for place in graph._calls[0][3]:
        place.fill_(float("nan"))
    again.replay()
    assert torch.isnan(result).all()
