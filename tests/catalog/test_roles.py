import onnx
import pytest

from parakeet_streaming.catalog.graph import read_graph
from parakeet_streaming.catalog.roles import REFUSALS, Role, role_of, tensor_names
from tests.catalog.graphs import (
    FLOAT,
    GOLDEN,
    HALF,
    INT32,
    INT64,
    TINY_EN,
    ctc,
    decoder,
    decoder_joint,
    encoder,
    face,
    int8_folder,
    joiner,
)

AUDIO = [("audio_signal", FLOAT, ["B", 128, "T"]), ("length", INT64, ["B"])]
ENCODED = [("outputs", FLOAT, ["B", 512, "U"]), ("encoded_lengths", INT64, ["B"])]

CASES = {
    "encoder": (encoder(), Role.ENCODER),
    "half precision encoder": (encoder(features=HALF), Role.ENCODER),
    "encoder with other names": (
        face(
            [("x", FLOAT, ["B", 80, "T"]), ("n", INT32, ["B"])],
            [("y", FLOAT, ["B", 9, "U"]), ("m", INT32, ["B"])],
        ),
        Role.ENCODER,
    ),
    "decoder_joint": (decoder_joint(), Role.DECODER_JOINT),
    "decoder_joint with int64": (decoder_joint(targets=INT64), Role.DECODER_JOINT),
    "decoder": (decoder(), Role.DECODER),
    "joiner": (joiner(), Role.JOINER),
    "ctc": (ctc(), Role.CTC),
    "ctc without the name": (
        face(AUDIO, [("scores", FLOAT, ["B", "T", 129])]),
        Role.CTC,
    ),
    "cache-aware": (
        face([*AUDIO, ("cache_last_channel", FLOAT, [17, "B", 70, 512])], ENCODED),
        Role.CACHE_AWARE,
    ),
    "canary encoder": (
        face(AUDIO, [ENCODED[0], ("encoder_mask", INT64, ["B", "U"])]),
        Role.AED,
    ),
    "canary decoder": (
        face(
            [("input_ids", INT64, ["B", "N"]), ("encoder_mask", INT64, ["B", "U"])],
            [("logits", FLOAT, ["B", "N", 9])],
        ),
        Role.AED,
    ),
    "whisper encoder": (
        face(
            [("input_features", FLOAT, ["B", 80, 3000])],
            [("last_hidden_state", FLOAT, ["B", 1500, 512])],
        ),
        Role.TRANSFORMERS,
    ),
    "joint that decides": (
        face(
            [("encoder_step", FLOAT, [1, 1024, 1]), ("decoder_step", FLOAT, [1, 640, 1])],
            [("token_id", INT32, [1, 1, 1]), ("duration", INT32, [1, 1, 1])],
        ),
        Role.JOINT_DECISION,
    ),
    "zipformer decoder": (
        face([("y", INT64, ["N", 2])], [("decoder_out", FLOAT, ["N", 512])]),
        Role.STATELESS,
    ),
    "preprocessor": (
        face(
            [("waveforms", FLOAT, ["B", "N"]), ("waveforms_lens", INT64, ["B"])],
            [("features", FLOAT, ["B", 128, "T"]), ("features_lens", INT64, ["B"])],
        ),
        Role.OTHER,
    ),
    "silero": (
        face(
            [
                ("input", FLOAT, ["B", "N"]),
                ("state", FLOAT, [2, "B", 128]),
                ("sr", INT64, []),
            ],
            [("output", FLOAT, ["B", 1]), ("stateN", FLOAT, [2, "B", 128])],
        ),
        Role.OTHER,
    ),
    "encoder with a prompt": (
        face([*AUDIO, ("prompt_index", INT64, ["B"])], ENCODED),
        Role.OTHER,
    ),
}


def graph_of(tmp_path, model, name="m.onnx"):
    onnx.save_model(model, tmp_path / name)
    return read_graph(tmp_path / name)


@pytest.mark.parametrize("case", CASES)
def test_roles(tmp_path, case):
    model, role = CASES[case]
    assert role_of(graph_of(tmp_path, model)) is role


@pytest.mark.parametrize(
    ("path", "role"),
    [
        (GOLDEN / "encoder-model.onnx", Role.ENCODER),
        (TINY_EN / "encoder-cached-model.int8.onnx", Role.CACHED_ENCODER),
    ],
)
def test_real_encoders(path, role):
    assert role_of(read_graph(path)) is role


@pytest.mark.parametrize(
    "path", [GOLDEN / "decoder_joint-model.onnx", int8_folder() / "decoder_joint-model.int8.onnx"]
)
def test_real_decoders(path):
    assert role_of(read_graph(path)) is Role.DECODER_JOINT


def test_every_foreign_role_says_what_to_do():
    ours = {Role.ENCODER, Role.CACHED_ENCODER, Role.DECODER_JOINT, Role.DECODER, Role.JOINER}
    assert set(REFUSALS) == set(Role) - ours - {Role.OTHER}
    assert all("use " in sentence for sentence in REFUSALS.values())


def test_names_of_the_two_file_layout():
    names = tensor_names(
        read_graph(GOLDEN / "encoder-model.onnx"),
        read_graph(GOLDEN / "decoder_joint-model.onnx"),
        None,
    )
    assert (names.features, names.feature_lengths) == ("audio_signal", "length")
    assert (names.frames, names.frame_lengths) == ("outputs", "encoded_lengths")
    assert (names.targets, names.target_lengths) == ("targets", "target_length")
    assert (names.hidden, names.cell) == ("input_states_1", "input_states_2")
    assert (names.next_hidden, names.next_cell) == ("output_states_1", "output_states_2")
    assert (names.joint_frames, names.logits) == ("encoder_outputs", "outputs")
    assert (names.predictions, names.joint_predictions) == (None, None)


def test_names_of_the_three_file_layout_go_by_position(tmp_path):
    names = tensor_names(
        graph_of(tmp_path, encoder(), "e.onnx"),
        graph_of(tmp_path, decoder(), "d.onnx"),
        graph_of(tmp_path, joiner(), "j.onnx"),
    )
    assert (names.hidden, names.cell) == ("states.1", "onnx::Slice_3")
    assert (names.predictions, names.next_hidden, names.next_cell) == ("outputs", "states", "162")
    assert (names.joint_frames, names.joint_predictions) == ("encoder_outputs", "decoder_outputs")


def test_a_decoder_need_not_ask_for_lengths(tmp_path):
    model = decoder_joint()
    del model.graph.input[2]
    graph = graph_of(tmp_path, model)
    assert role_of(graph) is Role.DECODER_JOINT
    names = tensor_names(graph_of(tmp_path, encoder(), "e.onnx"), graph, None)
    assert names.target_lengths is None
