"""A NeMo archive of the small model whose answers are known, and the golden one where it is."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training group")

from parakeet_streaming import load
from parakeet_streaming.audio.mel import mel_bank
from parakeet_streaming.catalog.limits import MOST_TOKENS_A_FRAME
from parakeet_streaming.catalog.model_folder import find_parts
from parakeet_streaming.catalog.spec import read_spec
from parakeet_streaming.errors import ModelFormatError, ModelPartMissingError
from parakeet_streaming.export.onnx_files import write_model
from parakeet_streaming.model.encoder import OnnxEncoder
from parakeet_streaming.ports import EncoderInput
from parakeet_streaming.runtime.session import open_session
from parakeet_streaming.torch_model.nemo import config_of, read_nemo
from parakeet_streaming.torch_model.settings import Settings
from tests.parity.test_golden import (
    GOLDEN,
    WELL_POSED,
    answer,
    case_id,
    samples_of,
    streamed,
)
from tests.parity.test_golden import expected as golden_answer
from tests.torch_model.foreign import (
    PIECES,
    answers,
    expected,
    nemo_config,
    nemo_members,
    nemo_weights,
    silenced,
    write_tar,
)

GOLDEN_NEMO = GOLDEN / "tdt-tiny.nemo"

needs_golden = pytest.mark.skipif(not GOLDEN_NEMO.is_file(), reason="the golden archive")


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_answers_are_those_of_transformers(tmp_path, mode):
    model, pieces = read_nemo(write_tar(tmp_path / "tiny.nemo", nemo_members(), mode))
    frames, logits = answers(model)
    np.testing.assert_allclose(frames, silenced(expected()["frames"]), atol=1e-5)
    np.testing.assert_allclose(logits, silenced(expected()["logits"]), atol=1e-5)
    assert pieces == PIECES
    assert model.config.durations == (0, 1, 2, 3, 4)


def test_scaled_input(tmp_path):
    for number, xscaling in enumerate((True, None)):  # None leaves it out: NeMo scales then
        members = nemo_members(encoder__xscaling=xscaling)
        model, _ = read_nemo(write_tar(tmp_path / f"{number}.nemo", members))
        np.testing.assert_allclose(
            answers(model)[0], silenced(expected()["scaled_frames"]), atol=1e-5
        )


def test_a_joint_without_dropout_and_a_ctc_head(tmp_path):
    weights = {
        name.replace("joint_net.2", "joint_net.1"): values
        for name, values in nemo_weights().items()
    }
    head = torch.randn(len(PIECES) + 1, 16, 1)
    weights["ctc_decoder.decoder_layers.0.weight"] = head
    weights["ctc_decoder.decoder_layers.0.bias"] = torch.zeros(len(PIECES) + 1)
    model, _ = read_nemo(write_tar(tmp_path / "tiny.nemo", nemo_members(weights)))
    np.testing.assert_allclose(answers(model)[1], silenced(expected()["logits"]), atol=1e-5)
    assert torch.equal(model.ctc.weight, head[:, :, 0])


REFUSED = {
    "other subsampling": ({"encoder__subsampling": "vggnet"}, "encoder.subsampling is 'vggnet'"),
    "default subsampling": ({"encoder__subsampling": None}, "encoder.subsampling is 'striding'"),
    "factor 4": ({"encoder__subsampling_factor": 4}, "subsampling_factor is 4"),
    "local attention": (
        {"encoder__self_attention_model": "rel_pos_local_attn"},
        "rel_pos_local_attn.*full attention",
    ),
    "limited attention": ({"encoder__att_context_size": [70, 13]}, r"\[70, 13\].*full attention"),
    "layer norm": ({"encoder__conv_norm_type": "layer_norm"}, "conv_norm_type is 'layer_norm'"),
    "causal": ({"encoder__conv_context_size": "causal"}, "conv_context_size is 'causal'"),
    "reduction": ({"encoder__reduction": "pooling"}, "reduction is 'pooling'"),
    "other features": ({"preprocessor__normalize": "NA"}, "preprocessor.normalize is 'NA'"),
    "other bins": ({"preprocessor__features": 64}, "preprocessor.features is 64, and only 80"),
    "8 kHz": ({"preprocessor__sample_rate": 8000}, "sample_rate is 8000"),
    "tanh": ({"joint__jointnet__activation": "tanh"}, "joint.jointnet.activation is 'tanh'"),
    "a normed predictor": ({"decoder__normalization_mode": "layer"}, "normalization_mode"),
    "a stateless predictor": (
        {"decoder__prednet": {}, "decoder___target_": "nemo.StatelessTransducerDecoder"},
        "the decoder is a nemo.StatelessTransducerDecoder, not a RNNTDecoder",
    ),
    "CTC": ({"joint": None, "target": "nemo.EncDecCTCModelBPE"}, "no transducer but .*CTCModelBPE"),
    "RNN-T": ({"joint__num_extra_outputs": 0}, "an RNN-T, which has no durations"),
    "durations with gaps": ({"model_defaults__tdt_durations": [0, 2, 4]}, "only durations 0, 1"),
    "too few durations": ({"model_defaults__tdt_durations": [0, 1]}, "2 durations, .* scores 5"),
    "no durations": ({"model_defaults__tdt_durations": None}, "names no durations"),
    "an odd width": ({"encoder__n_heads": 3}, "width 16 with 3 heads"),
    "another width": ({"encoder__d_model": 32}, "do not fit"),
    "fewer layers": ({"encoder__n_layers": 1}, r"encoder\.layers\.1\..* has no place"),
    "more layers": ({"encoder__n_layers": 3}, "do not fit: .* missing"),
    "a giant": ({"encoder__n_layers": 10**9}, "whole number from 1 to 256"),
    "a wider LSTM": (
        {"decoder__prednet__rnn_hidden_size": 24},
        r"decoder\.prednet\.rnn_hidden_size is 24, and only 12",
    ),
    "a wider end": ({"encoder__feat_out": 24}, r"encoder\.feat_out is 24, and only 16"),
    "no bias": ({"encoder__use_bias": False}, "not part of the model"),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "match"), REFUSED.values(), ids=REFUSED)
def test_another_model_is_refused(tmp_path, changes, match):
    path = write_tar(tmp_path / "other.nemo", nemo_members(**changes))
    with pytest.raises(ModelFormatError, match=match):
        read_nemo(path)


FEATURIZER = "preprocessor.featurizer"


def test_a_saved_mel_bank_or_window_must_be_the_usual_one(tmp_path):
    """Of two dtypes; NeMo hears with what is saved, not with what the config says."""
    usual = {
        f"{FEATURIZER}.fb": torch.from_numpy(mel_bank(80))[None],
        f"{FEATURIZER}.window": torch.hann_window(400, periodic=False),
    }

    def read(changes):
        members = nemo_members({**nemo_weights(), **usual, **changes})
        return read_nemo(write_tar(tmp_path / "tiny.nemo", members))

    read({})
    read({name: values.bfloat16() for name, values in usual.items()})
    for name, values in (
        ("fb", usual[f"{FEATURIZER}.fb"].roll(1, dims=2)),
        ("fb", torch.from_numpy(mel_bank(64))[None]),
        ("window", torch.hamming_window(400, periodic=False)),
        ("window", torch.hann_window(320, periodic=False)),
    ):
        with pytest.raises(ModelFormatError, match=rf"featurizer\.{name} is not that of the usual"):
            read({f"{FEATURIZER}.{name}": values})


@pytest.mark.parametrize(
    "changes", [{"tokenizer": None}, {"tokenizer__type": "agg"}, {"tokenizer__model_path": None}]
)
def test_without_a_tokenizer_it_is_refused(tmp_path, changes):
    path = write_tar(tmp_path / "other.nemo", nemo_members(**changes))
    with pytest.raises(ModelPartMissingError, match="no sentencepiece tokenizer"):
        read_nemo(path)


@pytest.mark.parametrize("name", list(nemo_members()))
def test_a_missing_member_is_named(tmp_path, name):
    members = nemo_members()
    del members[name]
    with pytest.raises(ModelPartMissingError, match=f"lacks {name.removeprefix('./')}"):
        read_nemo(write_tar(tmp_path / "cut.nemo", members))


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("./model_config.yaml", b"a: [", "no YAML"),
        ("./model_config.yaml", b"\xff\xfe\xff", "no YAML"),
        ("./model_config.yaml", b"[1]", "no section"),
        ("./model_config.yaml", b"!!python/object/apply:os.getcwd []", "no YAML"),
        ("./model_weights.ckpt", b"PK", "no file of weights"),
        ("./1f_tokenizer.model", b"x", "no sentencepiece model"),
    ],
)
def test_a_broken_member_is_named(tmp_path, name, content, match):
    with pytest.raises(ModelFormatError, match=match):
        read_nemo(write_tar(tmp_path / "broken.nemo", nemo_members() | {name: content}))


@pytest.fixture(scope="module")
def golden_export(tmp_path_factory):
    folder = tmp_path_factory.mktemp("golden") / "model"
    write_model(*read_nemo(GOLDEN_NEMO), folder)
    return folder


@needs_golden
@pytest.mark.parametrize("case", WELL_POSED[::17], ids=case_id)
def test_golden_cases(golden_export, case):
    recognizer = load(golden_export, provider="cpu", threads=1)
    assert answer(streamed(recognizer, case, [])) == golden_answer(case)


@needs_golden
def test_golden_frames_are_those_of_nemos_own_export(golden_export, golden_folder):
    samples = samples_of(next(case for case in WELL_POSED if case["audio"] == "cards.wav"))
    frames = []
    for folder in (golden_export, golden_folder / "tdt-tiny-onnx"):
        parts = find_parts(folder, "fp32")
        session = open_session(parts.encoder.path, provider="cpu", threads=1)
        encoded = OnnxEncoder(session, read_spec(parts)).encode([EncoderInput(samples)])
        frames.append(encoded.frames[0])
    assert frames[0].shape[0] == math.ceil(samples.shape[0] // 160 / 8)
    np.testing.assert_allclose(frames[0], frames[1], atol=1e-4)
    vocabularies = [
        (folder / "vocab.txt").read_bytes()
        for folder in (golden_export, golden_folder / "tdt-tiny-onnx")
    ]
    assert vocabularies[0] == vocabularies[1]


@pytest.mark.parametrize("unbounded", [None, 0])
def test_a_config_without_a_bound_on_tokens_gives_a_model_that_loads(unbounded):
    changes = {"decoding": {"greedy": {"max_symbols": unbounded}}}
    config = config_of(Settings(nemo_config(**changes), "config"))
    assert config.max_symbols == MOST_TOKENS_A_FRAME
