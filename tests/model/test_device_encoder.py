"""Windows encoded to frames that stay on a device, against those in numpy's arrays."""

import numpy as np
import pytest

from parakeet_streaming.catalog.model_folder import find_parts
from parakeet_streaming.catalog.spec import read_spec
from parakeet_streaming.errors import AudioInputError, ComputeError, ModelFormatError
from parakeet_streaming.model.device_encoder import DeviceEncoder
from parakeet_streaming.model.device_graphs import frames_graph
from parakeet_streaming.model.device_rows import DeviceFrames
from parakeet_streaming.model.encoder import OnnxEncoder
from parakeet_streaming.ports import EncoderInput
from parakeet_streaming.runtime.onnx_runtime import HOST, DeviceArray
from parakeet_streaming.runtime.session import open_session
from tests.catalog.graphs import GOLDEN

PARTS = find_parts(GOLDEN)
SPEC = read_spec(PARTS)


@pytest.fixture(scope="module")
def session():
    return open_session(PARTS.encoder.path, provider="cpu", threads=1)


@pytest.fixture(scope="module")
def encoder(session):
    return device_encoder(session)


def device_encoder(session):
    picking = open_session(frames_graph(SPEC.encoder_width, False), provider="cpu", threads=1)
    return DeviceEncoder(session, DeviceFrames(picking, HOST, "e.onnx"), SPEC, "e.onnx")


def windows(*seconds):
    random = np.random.default_rng(0)
    return [
        EncoderInput(random.normal(0, 0.1, int(each * 16_000)).astype("f4")) for each in seconds
    ]


def test_frames_are_those_of_the_encoder_in_numpy(session, encoder):
    inputs = windows(1.3, 0.001, 0.4, 2.0)
    expected, found = OnnxEncoder(session, SPEC).encode(inputs), encoder.encode(inputs)
    assert found.lengths == expected.lengths
    assert found.frames[1].shape == (0, SPEC.encoder_width)
    for row in (0, 2, 3):
        lies = found.frames[row]
        assert lies.array is found.frames[0].array
        np.testing.assert_array_equal(
            lies.array.numpy()[lies.start : lies.start + lies.count], expected.frames[row]
        )


def test_a_window_beyond_the_table_never_reaches_the_device(encoder):
    with pytest.raises(AudioInputError, match="position table"):
        encoder.encode([EncoderInput(np.zeros(encoder.max_samples + 1, np.float32))])


class Changed:
    def __init__(self, session, change):
        self._session, self._change = session, change

    def run_bound(self, feeds, *, kept, device):
        _, there = self._session.run_bound(feeds, kept=kept, device=device)
        return {}, {
            name: DeviceArray.of(self._change(each.numpy()), device) for name, each in there.items()
        }


def test_what_is_not_finite_or_of_another_shape_is_an_error(session):
    with pytest.raises(ComputeError, match=r"e\.onnx gave numbers that are not finite"):
        device_encoder(Changed(session, lambda values: values * np.nan)).encode(windows(1))
    with pytest.raises(ModelFormatError, match=r"e\.onnx gave outputs as"):
        device_encoder(Changed(session, lambda values: values[..., :-1])).encode(windows(1))
