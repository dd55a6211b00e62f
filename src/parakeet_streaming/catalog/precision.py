"""A file's name or graph in; the precision of its weights out."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Final

from parakeet_streaming.catalog.graph import Graph
from parakeet_streaming.errors import OptionError

PRECISIONS: Final = ("fp32", "int8", "fp16", "int4")
"""Precisions a part may have, the one that `auto` prefers first."""

BFLOAT16: Final = "bf16"
"""A precision to compute in; no file is stored in it."""

_PRECISION_WORDS: Final = {
    "fp32": "fp32", "float32": "fp32", "full": "fp32",
    "int8": "int8", "uint8": "int8", "q8": "int8", "quantized": "int8", "quant": "int8",
    "fp16": "fp16", "float16": "fp16", "half": "fp16",
    "int4": "int4", "q4": "int4", "q4f16": "int4",
}  # fmt: skip
_INT8_OPERATORS: Final = frozenset(
    {"DynamicQuantizeLinear", "DynamicQuantizeLSTM", "DynamicQuantizeMatMul", "MatMulInteger"}
    | {"ConvInteger", "QLinearConv", "QLinearMatMul", "DequantizeLinear"}
)


def check_precision(precision: str) -> None:
    """Refuses a precision that does not exist.

    Raises:
        OptionError: neither `auto` nor one of `PRECISIONS`.
    """
    if precision not in ("auto", *PRECISIONS):
        there = ", ".join((*PRECISIONS, BFLOAT16))
        raise OptionError(f"{precision!r} is no precision; use auto, {there}")


def stored_precision(precision: str) -> str:
    """The precision of the files that `precision` computes from: bf16 is computed from fp32.

    Raises:
        OptionError: no such precision.
    """
    if precision == BFLOAT16:
        return "fp32"
    check_precision(precision)
    return precision


def named_precision(path: PurePath) -> str | None:
    """The precision that the name of a file or of its folder says; None where neither does.

    Args:
        path: relative to the model's folder.
    """
    for name in (path.stem, path.parent.name):
        for word in re.split(r"[^a-z0-9]+", name.lower()):
            if word in _PRECISION_WORDS:
                return _PRECISION_WORDS[word]
    return None


def precision_of(graph: Graph) -> str:
    """The precision of a graph, by its operators and weights."""
    if any(bits < 8 for bits in graph.block_bits):
        return "int4"
    if graph.block_bits or graph.operators & _INT8_OPERATORS:
        return "int8"
    return "fp16" if graph.float16_weights else "fp32"
