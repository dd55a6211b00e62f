"""Decoding where frames and states stay on a device, against decoding in numpy's arrays."""

from dataclasses import replace

import numpy as np
import pytest

from parakeet_streaming.catalog.model_folder import find_parts
from parakeet_streaming.catalog.spec import read_spec
from parakeet_streaming.errors import ComputeError, ModelFormatError, SnapshotError
from parakeet_streaming.model import device_graphs as graphs
from parakeet_streaming.model.confidence import entropy
from parakeet_streaming.model.device_decoder import DeviceNetworks
from parakeet_streaming.model.device_model import on_device
from parakeet_streaming.model.device_rows import Stretch
from parakeet_streaming.model.graphs import open_decoder_joint
from parakeet_streaming.model.label_looping import LabelLoopingDecoder
from parakeet_streaming.ports import DecoderInput
from parakeet_streaming.runtime.onnx_runtime import HOST, DeviceArray
from parakeet_streaming.runtime.session import open_session
from tests.catalog.graphs import GOLDEN, TINY_EN
from tests.model.devices import kept_there, open_three_file_folder


@pytest.fixture(scope="module", params=["fp32", "by blocks", "three-file"])
def folder(request, tmp_path_factory):
    if request.param == "fp32":
        return GOLDEN
    if request.param == "by blocks":
        return TINY_EN
    return open_three_file_folder(tmp_path_factory.mktemp("sherpa"))


@pytest.fixture(scope="module")
def both(folder):
    """The same networks in numpy's arrays, and on a device."""
    return open_decoder_joint(find_parts(folder), read_spec(find_parts(folder)), "cpu"), kept(
        folder
    )


def kept(folder):
    parts = find_parts(folder)
    encoder = kept_there(open_session(parts.encoder.path, provider="cpu", threads=1), "encoder")
    _, networks = on_device(encoder, parts, read_spec(parts), "cpu", kept_there)
    return networks


@pytest.fixture(scope="module")
def frames(folder):
    """Of four streams, from recordings' own encoder: (U, D) each."""
    width = read_spec(find_parts(folder)).encoder_width
    random = np.random.default_rng(0)
    return [random.normal(size=(60 + 7 * row, width)).astype("f4") for row in range(4)]


def stretches(frames, arrays=1):
    """The same frames in so many arrays on a device."""
    found = []
    for group in np.array_split(np.arange(len(frames)), arrays):
        flat = DeviceArray.of(np.concatenate([frames[row] for row in group]), HOST)
        ends = np.cumsum([len(frames[row]) for row in group]).tolist()
        found += [
            Stretch(flat, end - len(frames[row]), len(frames[row]))
            for row, end in zip(group, ends, strict=True)
        ]
    return found


def inputs_of(states, frames, first=2):
    return [
        DecoderInput(row, first, len(each) - 6, len(each), state)
        for row, (state, each) in enumerate(zip(states, frames, strict=True))
    ]


def assert_same(ours, theirs):
    for one, other in zip(ours, theirs, strict=True):
        for mine, its in ((one.emissions, other.emissions), (one.lookahead, other.lookahead)):
            named = [
                [(each.token_id, each.frame, each.duration_frames) for each in emitted]
                for emitted in (mine, its)
            ]
            assert named[0] == named[1]
            confidences = [[each.confidence for each in emitted] for emitted in (mine, its)]
            np.testing.assert_allclose(*confidences, rtol=1e-4)
        assert one.state.frames_to_skip == other.state.frames_to_skip


@pytest.mark.parametrize("arrays", [1, 2, 4])
@pytest.mark.parametrize("measure", [None, entropy])
def test_calls_in_a_row_give_what_numpys_give(both, frames, arrays, measure):
    choice = {} if measure is None else {"confidence": measure}
    decoders = [LabelLoopingDecoder(each, **choice) for each in both]
    states = [[each.start()] * 4 for each in decoders]
    for turn in range(4):
        order = np.random.default_rng(turn).permutation(4)
        drawn = [frames[at] for at in order]
        found = [
            decoder.decode(given, inputs_of([old[at] for at in order], drawn))
            for decoder, old, given in zip(
                decoders, states, (drawn, stretches(drawn, arrays)), strict=True
            )
        ]
        assert_same(*found)
        assert sum(len(each.emissions) for each in found[0]) > 4
        for old, new in zip(states, found, strict=True):
            for at, each in zip(order, new, strict=True):
                old[at] = each.state
    for numpys, devices in zip(*states, strict=True):
        theirs = decoders[0].memory_to_arrays(numpys.memory)
        ours = decoders[1].memory_to_arrays(devices.memory)
        assert ours.keys() == theirs.keys()
        for name, expected in theirs.items():
            np.testing.assert_allclose(ours[name], expected, rtol=0, atol=1e-5)


def test_a_memory_goes_from_one_to_the_other(both, frames):
    numpys, device = (LabelLoopingDecoder(each) for each in both)
    (before,) = numpys.decode(frames[:1], inputs_of([numpys.start()], frames[:1]))
    memory = device.memory_from_arrays(numpys.memory_to_arrays(before.state.memory))
    theirs = numpys.decode(frames[1:2], inputs_of([before.state], frames[1:2]))
    moved = type(before.state)(before.state.last_token, before.state.frames_to_skip, 0, memory)
    (ours,) = device.decode(stretches(frames[1:2]), inputs_of([moved], frames[1:2]))
    assert [each.token_id for each in ours.emissions] == [
        each.token_id for each in theirs[0].emissions
    ]
    arrays = device.memory_to_arrays(memory)
    with pytest.raises(SnapshotError, match="a decoder memory of"):
        device.memory_from_arrays(arrays | {"hidden": arrays["hidden"][:, :, :1]})


def test_a_call_can_be_tried_again(both, frames):
    device = LabelLoopingDecoder(both[1])
    given, states = stretches(frames), [device.start()] * 4
    first = device.decode(given, inputs_of(states, frames))
    again = device.decode(given, inputs_of(states, frames))
    for one, other in zip(first, again, strict=True):
        assert (one.emissions, one.lookahead) == (other.emissions, other.lookahead)


def test_rows_without_frames_are_never_looked_at(both, frames):
    device = LabelLoopingDecoder(both[1])
    nothing = np.zeros((0, frames[0].shape[1]), "f4")
    (beside,) = inputs_of([device.start()], frames[:1])
    inputs = [DecoderInput(0, 0, 0, 0, device.start()), replace(beside, row=1)]
    empty, whole = device.decode([nothing, *stretches(frames[:1])], inputs)
    (alone,) = device.decode(stretches(frames[:1]), inputs_of([device.start()], frames[:1]))
    assert empty.emissions == ()
    assert whole.emissions == alone.emissions


def test_streams_in_step_keep_their_arrays():
    """Rows that lie as they are needed are not put together anew."""
    networks = kept(GOLDEN)
    memories = [networks.start() for _ in range(3)]
    together = networks.states_of(memories)
    assert together.rows == 3
    in_step = [type(memories[0])(together, row) for row in range(3)]
    assert networks.states_of(in_step) is together
    assert networks.states_of(in_step[::-1]) is not together


class Spoilt:
    """A session some of whose outputs are changed."""

    def __init__(self, session, changes):
        self.inputs = session.inputs
        self._session, self._changes = session, changes

    def run_bound(self, feeds, *, read=(), kept=(), device):
        found, there = self._session.run_bound(feeds, read=read, kept=kept, device=device)
        for name, change in self._changes.items():
            if name in found:
                found[name] = change(found[name])
            if name in there:
                there[name] = DeviceArray.of(change(there[name].numpy()), device)
        return found, there


def broken_networks(part, changes):
    networks = kept(GOLDEN)
    setattr(networks, part, Spoilt(getattr(networks, part), changes))
    return LabelLoopingDecoder(networks)


@pytest.mark.parametrize(
    ("part", "name"),
    [("_joint", graphs.BEST), ("_joint", graphs.PROBABILITY), ("_predictor", graphs.CHECK)],
)
def test_numbers_that_are_not_finite_are_an_error(part, name):
    width = read_spec(find_parts(GOLDEN)).encoder_width
    frames = [np.random.default_rng(0).normal(size=(40, width)).astype("f4")]
    decoder = broken_networks(part, {name: lambda values: values * np.float32(np.nan)})
    with pytest.raises(ComputeError, match=r"decoder_joint-model\.onnx gave numbers that are not"):
        decoder.decode(stretches(frames), inputs_of([decoder.start()], frames))


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("_joint", graphs.LOGITS),
        ("_joint", graphs.DURATIONS),
        ("_predictor", graphs.NEXT[graphs.HIDDEN]),
        ("_predictor", graphs.NEXT[graphs.OUTPUTS]),
    ],
)
def test_networks_are_held_to_their_shapes(part, name):
    width = read_spec(find_parts(GOLDEN)).encoder_width
    frames = [np.random.default_rng(0).normal(size=(40, width)).astype("f4")]
    decoder = broken_networks(part, {name: lambda values: values[..., :-1]})
    with pytest.raises(ModelFormatError, match="which its files promise"):
        decoder.decode(stretches(frames), inputs_of([decoder.start()], frames))


def test_it_is_asked_as_networks_are():
    assert LabelLoopingDecoder(networks := kept(GOLDEN))._networks is networks
    assert isinstance(networks, DeviceNetworks)
