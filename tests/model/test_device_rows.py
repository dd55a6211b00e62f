"""Rows of arrays on a device, put together in any order, against numpy."""

import numpy as np
import pytest

from parakeet_streaming.errors import ComputeError
from parakeet_streaming.model.device_graphs import ARITIES, frames_graph, rows_graph
from parakeet_streaming.model.device_rows import DeviceFrames, DeviceRows, Stretch
from parakeet_streaming.runtime.onnx_runtime import HOST, DeviceArray
from parakeet_streaming.runtime.session import open_session


@pytest.fixture(scope="module")
def rows():
    sessions = {
        count: open_session(rows_graph(count), provider="cpu", threads=1) for count in ARITIES
    }
    return DeviceRows(sessions, HOST)


def arrays_of(random, count, before, behind):
    """Arrays (before, some rows, behind) on both sides."""
    host = [
        random.normal(size=(before, int(random.integers(1, 6)), behind)).astype("f4")
        for _ in range(count)
    ]
    return host, [DeviceArray.of(each, HOST) for each in host]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 8, 9, 15, 16, 40])
@pytest.mark.parametrize("layout", [(1, 4), (3, 2)])
def test_any_rows_of_any_number_of_arrays(rows, count, layout):
    random = np.random.default_rng(count)
    host, device = arrays_of(random, count, *layout)
    chosen = random.permutation(np.repeat(np.arange(count), 2))
    index = [random.integers(0, host[at].shape[1], 3) for at in chosen]
    found = rows.gather(
        [(device[at], each) for at, each in zip(chosen, index, strict=True)],
        layout,
        (layout[0], 3 * len(chosen), layout[1]),
    )
    expected = [host[at][:, each] for at, each in zip(chosen, index, strict=True)]
    np.testing.assert_array_equal(found.numpy(), np.concatenate(expected, axis=1))


def test_arrays_of_more_axes_and_results_of_other_shapes(rows):
    keys = np.arange(2 * 3 * 4 * 5, dtype="f4").reshape(2, 3, 4, 5)
    taken = Stretch(DeviceArray.of(keys, HOST), 4 * 2 + 1, 2)
    found = rows.gather([taken.part] * 2, (2, 5), (2, 2, 2, 5)).numpy()
    np.testing.assert_array_equal(found[:, 0], keys[:, 2, 1:3])
    np.testing.assert_array_equal(found[:, 1], keys[:, 2, 1:3])


@pytest.mark.parametrize("float16", [False, True])
def test_frames_are_taken_apart_without_their_padding(float16):
    session = open_session(frames_graph(3, float16), provider="cpu", threads=1)
    frames = DeviceFrames(session, HOST, "e.onnx")
    given = np.arange(2 * 3 * 5).reshape(2, 3, 5).astype("f2" if float16 else "f4")
    given[0, :, 2:] = np.nan  # padding may be anything
    first, second = frames.rows(DeviceArray.of(given, HOST), [2, 5])
    assert first.array is second.array
    assert (first.start, first.count, second.start, second.count) == (0, 2, 2, 5)
    flat = first.array.numpy()
    assert flat.dtype == np.float32
    np.testing.assert_array_equal(flat, np.concatenate([given[0, :, :2].T, given[1].T]))


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_frames_that_are_not_finite_are_refused(number):
    frames = DeviceFrames(
        open_session(frames_graph(3, False), provider="cpu", threads=1), HOST, "e.onnx"
    )
    given = np.zeros((1, 3, 5), "f4")
    given[0, 1, 4] = number
    with pytest.raises(ComputeError, match=r"e\.onnx gave numbers that are not finite"):
        frames.rows(DeviceArray.of(given, HOST), [5])
