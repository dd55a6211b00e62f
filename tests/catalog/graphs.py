"""Tiny ONNX graphs and model folders faces without a body, and the golden model in halves."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

import onnx
from onnx import TensorProto, helper
from onnxruntime.quantization import QuantType, quantize_dynamic

REPOSITORY = Path(__file__).resolve().parents[2]
GOLDEN = REPOSITORY / "tests/parity/golden/tdt-tiny-onnx"
TINY_EN = REPOSITORY / "src/parakeet_streaming/builtin/tiny-en"


@cache
def int8_folder() -> Path:
    """The golden model in int8 as the community's int8 folders have it: scaled by the call."""
    folder = Path(tempfile.mkdtemp(prefix="parakeet-int8-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name in ("vocab.txt", "config.json"):
        shutil.copyfile(GOLDEN / name, folder / name)
    for part in ("encoder-model", "decoder_joint-model"):
        # The quantiser writes beside what it reads, and removes what another process wrote there.
        own = folder / f"{part}.onnx"
        shutil.copyfile(GOLDEN / own.name, own)
        quantize_dynamic(
            own,
            folder / f"{part}.int8.onnx",
            op_types_to_quantize=["MatMul", "LSTM"],
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
        )
        own.unlink()
    return folder


def weights_beside(target: Path) -> Path:
    """The golden model in a new folder, with the weights of both graphs beside them."""
    target.mkdir(parents=True)
    for path in GOLDEN.iterdir():
        if path.suffix == ".onnx":
            onnx.save_model(
                onnx.load(path),
                target / path.name,
                save_as_external_data=True,
                location=f"{path.name}.data",
                size_threshold=256,
            )
        else:
            shutil.copyfile(path, target / path.name)
    return target


def in_cache_of_links(folder: Path, cache: Path) -> Path:
    """The files of a folder as the hub's client keeps them: links to blobs without names."""
    repository = cache / "models--somebody--model"
    blobs, snapshot = repository / "blobs", repository / "snapshots" / ("5" * 40)
    blobs.mkdir(parents=True)
    snapshot.mkdir(parents=True)
    for number, path in enumerate(sorted(folder.iterdir())):
        blob = blobs / f"{number:064x}"
        shutil.copyfile(path, blob)
        (snapshot / path.name).symlink_to(Path("../../blobs") / blob.name)
    return snapshot


FLOAT, HALF, INT32, INT64 = (
    TensorProto.FLOAT,
    TensorProto.FLOAT16,
    TensorProto.INT32,
    TensorProto.INT64,
)
Value = tuple[str, int, Sequence[int | str]]


def face(
    inputs: Iterable[Value],
    outputs: Iterable[Value],
    *,
    operators: Iterable[str] = ("Identity",),
    nodes: Iterable[onnx.NodeProto] = (),
    weights: Iterable[onnx.TensorProto] = (),
    metadata: Mapping[str, str] | None = None,
) -> onnx.ModelProto:
    """A model that declares inputs, outputs and operators, but cannot run."""
    taken = [helper.make_tensor_value_info(*value) for value in inputs]
    given = [helper.make_tensor_value_info(*value) for value in outputs]
    stubs = [helper.make_node(operator, [taken[0].name], [operator]) for operator in operators]
    graph = helper.make_graph([*nodes, *stubs], "face", taken, given, initializer=list(weights))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    if metadata:
        helper.set_model_props(model, dict(metadata))
    return model


def encoder(
    mels: int | str = 128,
    width: int = 8,
    *,
    features: int = FLOAT,
    positions: tuple[int, ...] | None = None,
    operators: Iterable[str] = ("Identity",),
    metadata: Mapping[str, str] | None = None,
) -> onnx.ModelProto:
    nodes, weights = [], []
    if positions is not None:
        weights = [floats("table", positions)]
        nodes = [helper.make_node("Slice", ["table", "from", "to"], ["positions"])]
    return face(
        [("audio_signal", features, ["B", mels, "T"]), ("length", INT64, ["B"])],
        [("outputs", features, ["B", width, "U"]), ("encoded_lengths", INT64, ["B"])],
        operators=operators,
        nodes=nodes,
        weights=weights,
        metadata=metadata,
    )


def decoder_joint(
    scores: int | str = 10,
    width: int | str = 8,
    *,
    layers: int | str = 2,
    hidden: int | str = 6,
    batch: int | str = "B",
    targets: int = INT32,
    embedding: int | None = None,
    operators: Iterable[str] = ("LSTM",),
) -> onnx.ModelProto:
    state = [layers, batch, hidden]
    nodes, weights = [], []
    if embedding is not None:
        weights = [floats("embedding", (embedding, 4))]
        nodes = [
            helper.make_node("Cast", ["targets"], ["ids"], to=INT64),
            helper.make_node("Gather", ["embedding", "ids"], ["embedded"]),
        ]
    return face(
        [
            ("encoder_outputs", FLOAT, ["B", width, "K"]),
            ("targets", targets, ["B", "N"]),
            ("target_length", targets, ["B"]),
            ("input_states_1", FLOAT, state),
            ("input_states_2", FLOAT, state),
        ],
        [
            ("outputs", FLOAT, ["B", "K", "N", scores]),
            ("prednet_lengths", INT32, ["B"]),
            ("output_states_1", FLOAT, state),
            ("output_states_2", FLOAT, state),
        ],
        operators=operators,
        nodes=nodes,
        weights=weights,
    )


def decoder() -> onnx.ModelProto:
    return face(
        [
            ("targets", INT32, ["B", "N"]),
            ("target_length", INT32, ["B"]),
            ("states.1", FLOAT, [2, "B", 6]),
            ("onnx::Slice_3", FLOAT, [2, 1, 6]),
        ],
        [
            ("outputs", FLOAT, ["B", 6, "N"]),
            ("prednet_lengths", INT32, ["B"]),
            ("states", FLOAT, [2, "B", 6]),
            ("162", FLOAT, [2, "B", 6]),
        ],
    )


def joiner(scores: int = 10) -> onnx.ModelProto:
    return face(
        [
            ("encoder_outputs", FLOAT, ["B", 8, "K"]),
            ("decoder_outputs", FLOAT, ["B", 6, "N"]),
        ],
        [("outputs", FLOAT, ["B", "K", "N", scores])],
    )


def ctc() -> onnx.ModelProto:
    return face(
        [("audio_signal", FLOAT, ["B", 80, "T"]), ("length", INT64, ["B"])],
        [("logprobs", FLOAT, ["B", "T", 1025])],
    )


def floats(name: str, shape: Sequence[int]) -> onnx.TensorProto:
    count = 1
    for size in shape:
        count *= size
    return helper.make_tensor(name, FLOAT, shape, bytes(4 * count), raw=True)


def external(name: str, location: str, length: int) -> onnx.TensorProto:
    """A tensor whose values lie in another file."""
    tensor = TensorProto(name=name, data_type=FLOAT, dims=[length // 4])
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", str(length))):
        tensor.external_data.add(key=key, value=value)
    return tensor


def folder(
    path: Path, *, pieces: int = 5, config: object = None, **graphs: onnx.ModelProto
) -> Path:
    """A folder with a vocabulary and graphs; `encoder_int8=` is saved as `encoder.int8.onnx`."""
    path.mkdir(parents=True, exist_ok=True)
    names = [*(f"\u2581p{each}" for each in range(pieces - 1)), "<blk>"]
    lines = "".join(f"{name} {each}\n" for each, name in enumerate(names))
    (path / "vocab.txt").write_text(lines, encoding="utf-8")
    if config is not None:
        (path / "config.json").write_text(json.dumps(config))
    for name, model in graphs.items():
        stem, _, precision = name.rpartition("_")
        known = precision in ("int8", "fp16", "fp32", "int4")
        file = f"{stem}.{precision}.onnx" if known else f"{name}.onnx"
        onnx.save_model(model, path / file)
    return path


def two_file_folder(path: Path, **options: object) -> Path:
    """A folder of faces in the two-file layout: 5 pieces, 5 durations."""
    return folder(path, encoder=encoder(), decoder_joint=decoder_joint(), **options)


def three_file_folder(path: Path) -> Path:
    """The golden model in sherpa-onnx's layout, ready to run: its decoder_joint cut in two.

    As there, the second state declares a batch of one, names are leftovers of the exporter, and
    the encoder carries metadata.
    """
    path.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(GOLDEN / "vocab.txt", path / "tokens.txt")
    encoder_model = onnx.load(GOLDEN / "encoder-model.onnx")
    known = {"vocab_size": "256", "normalize_type": "per_feature", "pred_rnn_layers": "2"}
    known |= {"pred_hidden": "64", "subsampling_factor": "8", "feat_dim": "128"}
    helper.set_model_props(encoder_model, known | {"model_type": "EncDecRNNTBPEModel"})
    onnx.save_model(encoder_model, path / "encoder.onnx")
    fused = onnx.load(GOLDEN / "decoder_joint-model.onnx")
    onnx.save_model(_decoder_half(fused), path / "decoder.onnx")
    onnx.save_model(_joiner_half(fused), path / "joiner.onnx")
    return path


_LSTM_OUTPUT = "/decoder/dec_rnn/lstm/Squeeze_1_output_0"
_JOINT_INPUT = "/joint/Transpose_1_output_0"


def _decoder_half(fused: onnx.ModelProto) -> onnx.ModelProto:
    nodes = [node for node in fused.graph.node if not node.name.startswith("/joint")]
    nodes.append(helper.make_node("Transpose", [_LSTM_OUTPUT], ["outputs"], perm=[1, 2, 0]))
    half = _half(
        fused,
        nodes,
        [
            ("targets", INT32, ["B", "N"]),
            ("target_length", INT32, ["B"]),
            ("states.1", FLOAT, [2, "B", 64]),
            ("onnx::Slice_3", FLOAT, [2, 1, 64]),
        ],
        [
            ("outputs", FLOAT, ["B", 64, "N"]),
            ("prednet_lengths", INT32, ["B"]),
            ("states", FLOAT, [2, "B", 64]),
            ("162", FLOAT, [2, "B", 64]),
        ],
    )
    renamed = {"input_states_1": "states.1", "input_states_2": "onnx::Slice_3"}
    renamed |= {"output_states_1": "states", "output_states_2": "162"}
    for node in half.graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
        node.output[:] = [renamed.get(name, name) for name in node.output]
    return half


def _joiner_half(fused: onnx.ModelProto) -> onnx.ModelProto:
    turned = helper.make_node("Transpose", ["decoder_outputs"], [_JOINT_INPUT], perm=[0, 2, 1])
    nodes = [
        turned if node.output[0] == _JOINT_INPUT else node
        for node in fused.graph.node
        if node.name.startswith("/joint")
    ]
    return _half(
        fused,
        nodes,
        [("encoder_outputs", FLOAT, ["B", 96, "K"]), ("decoder_outputs", FLOAT, ["B", 64, "N"])],
        [("outputs", FLOAT, ["B", "K", "N", 262])],
    )


def _half(
    fused: onnx.ModelProto,
    nodes: Sequence[onnx.NodeProto],
    inputs: Iterable[Value],
    outputs: Iterable[Value],
) -> onnx.ModelProto:
    used = {name for node in nodes for name in node.input}
    graph = helper.make_graph(
        nodes,
        "half",
        [helper.make_tensor_value_info(*value) for value in inputs],
        [helper.make_tensor_value_info(*value) for value in outputs],
        initializer=[each for each in fused.graph.initializer if each.name in used],
    )
    return helper.make_model(graph, opset_imports=fused.opset_import, ir_version=8)
