"""An .onnx file in; an error, if weights are no numbers, out.

Rules of this file:

1. NaN is broken wherever it stands. Infinity is, too, but for -inf beside nothing but zeros: such a
   table masks attention.
2. All weights are read, one after the other, so it takes as long as reading the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

from parakeet_streaming.catalog.file_reading import (
    reading,
)
from parakeet_streaming.catalog.weight_files import load_graph, with_values
from parakeet_streaming.errors import ModelFormatError
from parakeet_streaming.plain_text import shown

_FLOATS: Final = frozenset(
    {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE}
)


def refuse_broken_weights(path: Path) -> None:
    """Refuses a graph with weights that are not finite.

    Raises:
        ModelFormatError: there is such a weight; or see `load_whole`.
        ModelPartMissingError: see `load_whole`.
    """
    with reading(path):
        _refuse_broken_weights(path)


def _refuse_broken_weights(path: Path) -> None:
    for tensor in with_values(load_graph(path), path):
        if tensor.data_type not in _FLOATS:
            continue
        try:
            values = onnx.numpy_helper.to_array(tensor)
        except (TypeError, ValueError) as error:
            raise ModelFormatError(
                f"{path}: the values of {shown(tensor.name)} do not fit its shape ({error}); "
                "fetch the model again"
            ) from error
        broken = _not_finite(values)
        if broken:
            raise ModelFormatError(
                f"{path}: {broken} of {values.size} weights in {shown(tensor.name)} are not "
                "finite; fetch or export the model again"
            )
        tensor.ClearField("raw_data")  # memory never holds all that lie beside the graph


def _not_finite(values: NDArray[Any]) -> int:
    """How many weights are broken; rule 1."""
    finite = np.isfinite(values)
    if finite.all():
        return 0
    masks = np.isneginf(values.astype(np.float64))
    if (masks | (values == 0)).all():
        return 0
    return int(values.size - np.count_nonzero(finite))
