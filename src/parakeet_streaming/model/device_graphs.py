"""Small graphs, and graphs of a decoder with more around them, out: what a device does by itself.

Arrays on a device can only be put together, cut and looked at by a graph that runs there. These do
what numpy does with the host's.

```
rows       sources of rows, index ─► rows                     what streams keep, for the next call
frames     (B, D, U), index ─► (N, D), check                  an encoder's frames, without padding
joint      frames, positions, outputs, rows ─► [joint] ─► best token, probability, durations, logits
predictor  tokens, rows, merge, states ─► [prediction network] ─► states, check
```

Rules of this file:

1. `check` is 0 where all numbers are finite, else NaN: the one number that the host has to read.
2. Of equal tokens the lowest is the best one, as in numpy: TopK promises that.
3. Nodes of a model are not changed. What is put around them are operators of opset 13 and later,
   which say the same in every later one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import onnx
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from parakeet_streaming.catalog.roles import TensorNames

LEAST_OPSET: Final = 13
ARITIES: Final = (1, 3, 8)
"""Sources of the graphs that put rows together: streams of one batch have one to three."""
LARGEST_ARITY: Final = ARITIES[-1]

INDEX: Final = "device.index"
LAYOUT: Final = "device.layout"
SHAPE: Final = "device.shape"
GATHERED: Final = "device.gathered"
CHECK: Final = "device.check"

FRAMES: Final = "device.frames"
POSITIONS: Final = "device.positions"
OUTPUTS: Final = "device.outputs"
ROWS: Final = "device.rows"
TOKEN: Final = "device.token"
BEST: Final = "device.best"
PROBABILITY: Final = "device.probability"
DURATIONS: Final = "device.durations"
LOGITS: Final = "device.logits"

MERGE: Final = "device.merge"
HIDDEN: Final = "device.hidden"
CELL: Final = "device.cell"
NEXT: Final = {
    OUTPUTS: "device.next.outputs",
    HIDDEN: "device.next.hidden",
    CELL: "device.next.cell",
}

_OPSET: Final = 17
_IR: Final = 8
_FLOAT: Final = TensorProto.FLOAT
_INT64: Final = TensorProto.INT64


def source(number: int) -> str:
    """The name of one source of a graph that puts rows together."""
    return f"device.source.{number}"


def rows_graph(sources: int) -> bytes:
    """Rows of so many arrays, picked in any order.

    In: the sources, each of which `layout` (3,) makes (A, rows, C); `index` (M,) counts through the
    rows of all of them; `shape` is that of the result.
    """
    names = [source(number) for number in range(sources)]
    laid = [f"{name}.laid" for name in names]
    nodes = [
        _node("Reshape", [name, LAYOUT], place) for name, place in zip(names, laid, strict=True)
    ]
    nodes += [
        _node("Concat", laid, "device.all", axis=1),
        _node("Gather", ["device.all", INDEX], "device.picked", axis=1),
        _node("Reshape", ["device.picked", SHAPE], GATHERED),
    ]
    inputs = [*_values(names, _FLOAT), *_values([INDEX, LAYOUT, SHAPE], _INT64)]
    return _whole(nodes, inputs, _values([GATHERED], _FLOAT), [])


def frames_graph(width: int, float16: bool) -> bytes:
    """Frames (B, D, U) to those (N, D) that an index (N,) counts through the rows names."""
    nodes = [
        _node("Transpose", [FRAMES], "device.by_frame", perm=[0, 2, 1]),
        _node("Reshape", ["device.by_frame", "device.flat"], "device.all"),
        _node("Gather", ["device.all", INDEX], "device.picked", axis=0),
        _node("Cast", ["device.picked"], GATHERED, to=_FLOAT),
        *_check([GATHERED]),
    ]
    given = TensorProto.FLOAT16 if float16 else _FLOAT
    inputs = [*_values([FRAMES], given), *_values([INDEX], _INT64)]
    constants = [_ints("device.flat", [-1, width]), *_check_constants()]
    return _whole(nodes, inputs, _values([GATHERED, CHECK], _FLOAT), constants)


def joint_graph(
    joint: ModelProto, names: TensorNames, predictions: str, vocabulary: int, durations: int
) -> bytes:
    """A joint that takes frames where they lie, and says which token is the best.

    In: `frames` (N, D), `positions` (R, K) in them, `outputs` of the prediction network (S, ...),
    `rows` (R,) of these. Out: `token`, `best` (its logit) and `probability` (R, K, 1); logits of
    `durations` (R, K, n); and `logits` (R, K, V).
    """
    before = [
        _node("Gather", [FRAMES, POSITIONS], "device.block", axis=0),
        _node("Transpose", ["device.block"], names.joint_frames, perm=[0, 2, 1]),
        _node("Gather", [OUTPUTS, ROWS], predictions, axis=0),
    ]
    scored = vocabulary + durations
    after = [
        _node("Squeeze", [names.logits, "device.two"], "device.scores"),
        _node("Slice", ["device.scores", "device.zero", "device.tokens", "device.last"], LOGITS),
        helper.make_node("TopK", [LOGITS, "device.one"], [BEST, TOKEN], axis=-1),
        _node("Sub", [LOGITS, BEST], "device.below"),
        _node("Exp", ["device.below"], "device.shares"),
        _node("ReduceSum", ["device.shares", "device.last"], "device.all", keepdims=1),
        _node("Reciprocal", ["device.all"], PROBABILITY),
    ]
    outputs = _values([BEST, PROBABILITY, LOGITS], _FLOAT)
    if durations:
        after.append(
            _node(
                "Slice", ["device.scores", "device.tokens", "device.end", "device.last"], DURATIONS
            )
        )
        outputs += _values([DURATIONS], _FLOAT)
    constants = [
        _ints("device.zero", [0]),
        _ints("device.one", [1]),
        _ints("device.two", [2]),
        _ints("device.last", [-1]),
        _ints("device.tokens", [vocabulary]),
        _ints("device.end", [scored]),
    ]
    inputs = [*_values([FRAMES, OUTPUTS], _FLOAT), *_values([POSITIONS, ROWS], _INT64)]
    hidden = {names.joint_frames, predictions}
    outputs += _values([TOKEN], _INT64)
    return _around(joint, before, after, (inputs, hidden), outputs, constants)


def predictor_graph(predictor: ModelProto, names: TensorNames, predictions: str) -> bytes:
    """A prediction network that moves some of the rows that it remembers on by a token.

    In: a token of each of r rows, `rows` (r,) of the R that `outputs` (R, ...), `hidden` and `cell`
    (L, R, H) hold; and `merge` (R,), which counts through these and then through the r new ones.
    Out: the next `outputs`, `hidden` and `cell`, and a check.
    """
    states = ((HIDDEN, names.hidden, names.next_hidden), (CELL, names.cell, names.next_cell))
    before = [_node("Gather", [kept, ROWS], given, axis=1) for kept, given, _ in states]
    after = []
    for kept, made, axis in (
        (OUTPUTS, predictions, 0),
        *((kept, made, 1) for kept, _, made in states),
    ):
        after += [
            _node("Concat", [kept, made], f"{kept}.both", axis=axis),
            _node("Gather", [f"{kept}.both", MERGE], NEXT[kept], axis=axis),
        ]
    after += _check([predictions, names.next_hidden, names.next_cell])
    inputs = [*_values([OUTPUTS, HIDDEN, CELL], _FLOAT), *_values([ROWS, MERGE], _INT64)]
    outputs = _values([*NEXT.values(), CHECK], _FLOAT)
    hidden = {names.hidden, names.cell}
    return _around(predictor, before, after, (inputs, hidden), outputs, _check_constants())


def opset_of(model: ModelProto) -> int:
    """Of ONNX's own operators; 0 where it has none."""
    return max(
        (each.version for each in model.opset_import if each.domain in ("", "ai.onnx")), default=0
    )


def _check(names: Sequence[str]) -> list[NodeProto]:
    """`check`, from the numbers of these tensors."""
    flat = [f"{name}.flat" for name in names]
    return [
        *(
            _node("Reshape", [name, "device.line"], place)
            for name, place in zip(names, flat, strict=True)
        ),
        _node("Concat", flat, "device.numbers", axis=0),
        _node("Mul", ["device.numbers", "device.nought"], "device.noughts"),
        _node("ReduceSum", ["device.noughts"], CHECK, keepdims=0),
    ]


def _check_constants() -> list[TensorProto]:
    nought = numpy_helper.from_array(np.zeros((), np.float32), "device.nought")
    return [_ints("device.line", [-1]), nought]


def _around(
    model: ModelProto,
    before: Sequence[NodeProto],
    after: Sequence[NodeProto],
    inputs: tuple[Sequence[onnx.ValueInfoProto], set[str]],
    outputs: Sequence[onnx.ValueInfoProto],
    constants: Sequence[TensorProto],
) -> bytes:
    """The model with nodes around its own; `inputs`: the new ones, and those that they replace."""
    new, replaced = inputs
    graph = model.graph
    made = GraphProto(
        name=graph.name,
        node=[*before, *graph.node, *after],
        initializer=[*graph.initializer, *constants],
        input=[*(each for each in graph.input if each.name not in replaced), *new],
        output=outputs,
    )
    whole = ModelProto(
        ir_version=model.ir_version,
        opset_import=model.opset_import,
        functions=model.functions,
        graph=made,
    )
    return bytes(whole.SerializeToString())


def _whole(
    nodes: Sequence[NodeProto],
    inputs: Sequence[onnx.ValueInfoProto],
    outputs: Sequence[onnx.ValueInfoProto],
    constants: Sequence[TensorProto],
) -> bytes:
    graph = helper.make_graph(nodes, "device", inputs, outputs, constants)
    opset = helper.make_opsetid("", _OPSET)
    whole = helper.make_model(graph, ir_version=_IR, opset_imports=[opset])
    return bytes(whole.SerializeToString())


def _node(
    operator: str, inputs: Sequence[str], output: str, **attributes: int | Sequence[int]
) -> NodeProto:
    made: Callable[..., NodeProto] = helper.make_node
    return made(operator, inputs, [output], **attributes)


def _values(names: Sequence[str], element: int) -> list[onnx.ValueInfoProto]:
    return [helper.make_tensor_value_info(name, element, None) for name in names]


def _ints(name: str, values: Sequence[int]) -> TensorProto:
    return numpy_helper.from_array(np.array(values, np.int64), name)
