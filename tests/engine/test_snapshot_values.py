"""Values written as JSON's own types and arrays, and read back as what they were."""

import json
from dataclasses import dataclass
from typing import Literal, get_args, get_origin

import numpy as np
import pytest
from numpy.typing import NDArray

from parakeet_streaming.engine import snapshot_values
from parakeet_streaming.engine.snapshot_values import PlainReader, PlainWriter
from parakeet_streaming.engine.stream_state import Activity
from parakeet_streaming.errors import SnapshotError


@dataclass(frozen=True)
class Inner:
    at: float
    name: str | None = None


@dataclass(frozen=True)
class Outer:
    inner: tuple[Inner, ...]
    pair: tuple[int, bool]
    activity: Activity
    kind: Literal["a", "b"]
    samples: NDArray[np.float32]


def there_and_back(value):
    writer = PlainWriter()
    plain = json.loads(json.dumps(writer.plain(value)))
    reader = PlainReader(b"".join(writer.bytes), writer.kinds)
    return reader.value(type(value), plain), writer.kinds


def test_values_come_back():
    samples = np.array([0.5, -1.0, 3.7], np.float32)
    told = Outer((Inner(1.5, "x"), Inner(2)), (3, True), Activity.SPEAKING, "b", samples)
    back, kinds = there_and_back(told)
    assert back.inner == (Inner(1.5, "x"), Inner(2.0))
    assert (back.pair, back.activity, back.kind) == ((3, True), Activity.SPEAKING, "b")
    np.testing.assert_array_equal(back.samples, samples)
    assert kinds == [("float32", [3])]


@pytest.mark.parametrize("odd", [None, 0, 31, 32, 1_999])
@pytest.mark.parametrize("value", [1e-9, 5.0, 1e30, np.inf, np.nan])
def test_only_samples_of_16_bits_are_written_as_such(odd, value):
    samples = (np.arange(-1_000, 1_000) * 2.0**-15).astype(np.float32)
    if odd is not None:
        samples[odd] = value
    writer = PlainWriter()
    assert writer.plain({"a": samples[:, None]}) == {"a": {"array": 0}}
    assert writer.kinds == [("pcm16" if odd is None else "float32", [2_000, 1])]
    assert len(writer.bytes[0]) == (4_000 if odd is None else 8_000)


def test_arrays_of_every_order_and_type():
    arrays = {
        "whole": np.arange(6).reshape(2, 3).T,
        "double": np.array([1.5, 2.5]),
        "none": np.zeros((0, 4), np.float32),
        "byte": np.array([1, -1], np.int8),
    }
    writer = PlainWriter()
    plain = writer.plain(arrays)
    back = PlainReader(b"".join(writer.bytes), writer.kinds).arrays(plain)
    for name, array in arrays.items():
        assert back[name].dtype == array.dtype
        np.testing.assert_array_equal(back[name], array)


@pytest.mark.parametrize(
    ("kind", "plain"),
    [(int, "1"), (int, True), (float, "x"), (int, 2**60), (Literal["a"], "b"), (Activity, 7)],
)
def test_what_is_no_value_of_its_type_is_refused(kind, plain):
    with pytest.raises((SnapshotError, ValueError)):
        PlainReader(b"", []).value(kind, plain)


def test_arrays_are_known_by_either_name_that_numpy_has_for_them():
    here = NDArray[np.int16]
    assert snapshot_values._dtype_of(get_origin(here), get_args(here)) == np.int16
    assert snapshot_values._dtype_of(NDArray, (np.float32,)) == np.float32
    assert snapshot_values._dtype_of(tuple, (int, ...)) is None
