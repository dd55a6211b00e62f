import onnx
import pytest
from onnx import helper

from parakeet_streaming.catalog.model_folder import find_parts
from parakeet_streaming.catalog.spec import name_of, read_spec
from parakeet_streaming.errors import ModelFormatError
from tests.catalog.graphs import (
    FLOAT,
    GOLDEN,
    INT64,
    TINY_EN,
    decoder,
    decoder_joint,
    encoder,
    folder,
    int8_folder,
    joiner,
    three_file_folder,
    two_file_folder,
)


def spec_of(path, **options):
    graphs = {"encoder": encoder(), "decoder_joint": decoder_joint()} | options
    return read_spec(find_parts(folder(path, **graphs)))


def test_the_golden_model():
    spec = read_spec(find_parts(GOLDEN))
    assert (spec.name, spec.kind) == ("tdt-tiny-onnx", "tdt")
    assert (spec.mel_bins, spec.encoder_width, spec.subsampling_factor) == (128, 96, 8)
    assert spec.durations == (0, 1, 2, 3, 4)
    assert (spec.vocabulary.size, spec.vocabulary.blank_id) == (257, 256)
    assert (spec.predictor_layers, spec.predictor_width) == (2, 64)
    assert (spec.max_symbols, spec.max_frames) == (10, 5000)
    assert spec.rows_independent
    assert spec.encoder_rows_independent
    assert not spec.predictor_batch_one
    assert spec.names.features == "audio_signal"


def test_the_encoder_of_the_built_in_model_quantises_over_the_whole_call():
    spec = read_spec(find_parts(TINY_EN))
    assert spec.rows_independent
    assert not spec.encoder_rows_independent


def test_an_int8_decoder_joint_quantises_over_the_whole_call():
    spec = read_spec(find_parts(int8_folder()))
    assert (spec.predictor_layers, spec.predictor_width, spec.max_frames) == (2, 64, 5000)
    assert not spec.rows_independent
    assert not spec.encoder_rows_independent


def test_a_three_file_model_is_the_same_model(tmp_path):
    two = read_spec(find_parts(GOLDEN))
    three = read_spec(find_parts(three_file_folder(tmp_path)))
    for field in ("kind", "mel_bins", "encoder_width", "durations", "vocabulary", "max_frames"):
        assert getattr(three, field) == getattr(two, field)
    assert (three.predictor_layers, three.predictor_width) == (2, 64)
    assert three.predictor_batch_one
    assert three.names.cell == "onnx::Slice_3"


def test_no_durations_is_rnnt(tmp_path):
    spec = spec_of(tmp_path, decoder_joint=decoder_joint(5))
    assert (spec.kind, spec.durations) == ("rnnt", ())


@pytest.mark.parametrize("scores", [4, 6, 22, 8198])
def test_a_vocabulary_that_does_not_fit_the_output(tmp_path, scores):
    with pytest.raises(ModelFormatError, match=f"5 pieces, but .* scores {scores} outputs"):
        spec_of(tmp_path, decoder_joint=decoder_joint(scores))


def test_a_vocabulary_without_its_blank_is_noticed_by_the_embedding(tmp_path):
    with pytest.raises(ModelFormatError, match="its last line, <blk>, is missing"):
        spec_of(tmp_path, pieces=4, decoder_joint=decoder_joint(10, embedding=5))


def test_a_vocabulary_of_another_model_is_noticed_by_the_embedding(tmp_path):
    with pytest.raises(ModelFormatError, match=r"5 pieces, but .* knows 9, blank included;"):
        spec_of(tmp_path, decoder_joint=decoder_joint(10, embedding=9))


def test_a_vocabulary_of_another_model_is_noticed_by_the_metadata(tmp_path):
    assert spec_of(tmp_path, encoder=encoder(metadata={"vocab_size": "4"})).durations
    with pytest.raises(ModelFormatError, match="knows 6, blank included"):
        spec_of(tmp_path, encoder=encoder(metadata={"vocab_size": "5"}))


def test_an_open_output_width(tmp_path):
    with pytest.raises(ModelFormatError, match="does not declare the width"):
        spec_of(tmp_path, decoder_joint=decoder_joint("V"))


@pytest.mark.parametrize(
    ("mels", "config", "metadata", "expected"),
    [
        (80, None, None, 80),
        (80, {"features_size": 80}, {"feat_dim": "80"}, 80),
        ("mels", {"features_size": 80}, None, 80),
        ("mels", None, {"feat_dim": "80"}, 80),
        ("mels", None, None, 128),
    ],
)
def test_mel_bins(tmp_path, mels, config, metadata, expected):
    spec = spec_of(tmp_path, encoder=encoder(mels, metadata=metadata), config=config)
    assert spec.mel_bins == expected


def test_sources_that_disagree(tmp_path):
    with pytest.raises(ModelFormatError, match=r"mel bins: 128 by encoder, 80 by config\.json"):
        spec_of(tmp_path, config={"features_size": 80})


def test_an_encoder_and_a_decoder_of_different_models(tmp_path):
    with pytest.raises(ModelFormatError, match="encoder width: 16 by encoder, 8 by"):
        spec_of(tmp_path, encoder=encoder(width=16))


@pytest.mark.parametrize("value", ["8", 0, -1, True, 8.5, [8]])
def test_config_numbers_must_be_numbers(tmp_path, value):
    with pytest.raises(ModelFormatError, match="subsampling_factor must be a whole number"):
        spec_of(tmp_path, config={"subsampling_factor": value})


def test_metadata_numbers_must_be_numbers(tmp_path):
    with pytest.raises(ModelFormatError, match="feat_dim 'many'"):
        spec_of(tmp_path, encoder=encoder(metadata={"feat_dim": "many"}))


def test_subsampling_must_be_eight(tmp_path):
    assert spec_of(tmp_path, config={"subsampling_factor": 8}).subsampling_factor == 8
    with pytest.raises(ModelFormatError, match="one frame per 4"):
        spec_of(tmp_path, config={"subsampling_factor": 4})


def test_max_symbols_from_config(tmp_path):
    assert spec_of(tmp_path, config={"max_tokens_per_step": 3}).max_symbols == 3
    assert spec_of(tmp_path, config={}).max_symbols == 10


@pytest.mark.parametrize(
    ("positions", "max_frames"),
    [((1, 99, 8), 50), ((99, 8), 50), ((1, 98, 8), None), ((1, 99, 7), None), (None, None)],
)
def test_the_position_table_limits_the_frames(tmp_path, positions, max_frames):
    assert spec_of(tmp_path, encoder=encoder(positions=positions)).max_frames == max_frames


@pytest.mark.parametrize(
    "operator", ["DynamicQuantizeLinear", "DynamicQuantizeLSTM", "DynamicQuantizeMatMul"]
)
def test_dynamic_quantisation_ties_rows_together(tmp_path, operator):
    spec = spec_of(tmp_path, encoder=encoder(operators=[operator]))
    assert (spec.encoder_rows_independent, spec.rows_independent) == (False, True)
    spec = spec_of(tmp_path, decoder_joint=decoder_joint(operators=[operator]))
    assert (spec.encoder_rows_independent, spec.rows_independent) == (True, False)


def test_a_quantised_joiner_ties_rows_together(tmp_path):
    tied = joiner()
    tied.graph.node[0].op_type = "DynamicQuantizeLinear"
    path = folder(tmp_path, encoder=encoder(), decoder=decoder(), joiner=tied)
    assert not read_spec(find_parts(path)).rows_independent


def test_a_declared_batch_of_one(tmp_path):
    assert spec_of(tmp_path, decoder_joint=decoder_joint(batch=1)).predictor_batch_one


def test_open_state_dimensions_come_from_metadata_or_are_refused(tmp_path):
    known = {"pred_rnn_layers": "2", "pred_hidden": "6"}
    opened = decoder_joint(layers="L", hidden="H")
    spec = spec_of(tmp_path, encoder=encoder(metadata=known), decoder_joint=opened)
    assert (spec.predictor_layers, spec.predictor_width) == (2, 6)
    with pytest.raises(ModelFormatError, match="no graph declares the LSTM layers"):
        spec_of(tmp_path, decoder_joint=opened)


def test_features_normalised_in_another_way(tmp_path):
    with pytest.raises(ModelFormatError, match="normalised as 'NA'"):
        spec_of(tmp_path, encoder=encoder(metadata={"normalize_type": "NA"}))


@pytest.mark.parametrize("family", ["gigaam-v2-rnnt", "kaldi-rnnt", "whisper"])
def test_foreign_families(tmp_path, family):
    with pytest.raises(ModelFormatError, match=family):
        spec_of(tmp_path, config={"model_type": family})


def test_names(tmp_path):
    assert name_of(tmp_path / "parakeet") == "parakeet"
    cached = tmp_path / "models--istupakov--parakeet-tdt-0.6b-v3-onnx/snapshots/9f0a"
    assert name_of(cached) == "istupakov/parakeet-tdt-0.6b-v3-onnx"


def test_names_do_not_depend_on_the_place_one_stands_in(tmp_path, monkeypatch):
    two_file_folder(tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    assert read_spec(find_parts(".")).name == "here"


def test_int8_beside_fp32(tmp_path):
    two_file_folder(tmp_path)
    onnx.save_model(
        decoder_joint(operators=["DynamicQuantizeLinear"]), tmp_path / "decoder_joint.int8.onnx"
    )
    assert read_spec(find_parts(tmp_path)).rows_independent


LARGE = [513, 4 * 10**7, 10**15, 2**62, 10**4_000]


@pytest.mark.parametrize("value", LARGE)
@pytest.mark.parametrize("key", ["features_size", "subsampling_factor", "max_tokens_per_step"])
def test_a_number_of_the_config_has_a_bound(tmp_path, key, value):
    with pytest.raises(ModelFormatError, match=r"by config\.json, is .*; 1 to \d+ is possible"):
        spec_of(tmp_path, encoder=encoder("mels"), config={key: value})


@pytest.mark.parametrize("value", [0, 16_385, 10**9, 10**30])
@pytest.mark.parametrize(
    "key", ["feat_dim", "subsampling_factor", "pred_rnn_layers", "pred_hidden"]
)
def test_a_number_of_the_metadata_has_a_bound(tmp_path, key, value):
    known = {"pred_rnn_layers": "2", "pred_hidden": "6"} | {key: str(value)}
    with pytest.raises(ModelFormatError, match=r"by metadata, is .* is possible"):
        spec_of(
            tmp_path,
            encoder=encoder("mels", metadata=known),
            decoder_joint=decoder_joint(layers="L", hidden="H"),
        )


@pytest.mark.parametrize("key", ["feat_dim", "vocab_size", "pred_hidden"])
def test_a_number_of_thousands_of_digits_is_not_read(tmp_path, key):
    with pytest.raises(ModelFormatError, match=r"many digits|disagree|knows \d+, blank"):
        spec_of(tmp_path, encoder=encoder("mels", metadata={key: "9" * 5_000}))


@pytest.mark.parametrize("size", [-1, 0, 16_385, 2**40, 2**62])
@pytest.mark.parametrize("what", ["mels", "width", "layers", "hidden"])
def test_a_size_that_a_graph_declares_has_a_bound(tmp_path, what, size):
    graphs = {
        "mels": lambda: {"encoder": encoder(size)},
        "width": lambda: {
            "encoder": encoder(width=size),
            "decoder_joint": decoder_joint(width=size),
        },
        "layers": lambda: {"decoder_joint": decoder_joint(layers=size)},
        "hidden": lambda: {"decoder_joint": decoder_joint(hidden=size)},
    }[what]()
    with pytest.raises(ModelFormatError, match=f"is {size}; 1 to .* is possible"):
        spec_of(tmp_path, **graphs)


@pytest.mark.parametrize("sizes", [(512, 16_384, 16, 16_384), (1, 1, 1, 1)])
def test_sizes_up_to_the_bounds(tmp_path, sizes):
    mels, width, layers, hidden = sizes
    spec = spec_of(
        tmp_path,
        encoder=encoder(mels, width),
        decoder_joint=decoder_joint(10, width, layers=layers, hidden=hidden),
        config={"max_tokens_per_step": 100},
    )
    assert (spec.mel_bins, spec.encoder_width, spec.predictor_layers, spec.predictor_width) == sizes


@pytest.mark.parametrize("key", ["model_type", "normalize_type", "max_tokens_per_step", "feat_dim"])
def test_a_message_quotes_the_beginning_only(tmp_path, key):
    much = "whisper" * 100_000
    with pytest.raises(ModelFormatError) as raised:
        spec_of(tmp_path, encoder=encoder(metadata={key: much}), config={key: much})
    assert len(str(raised.value)) < 600


def test_an_encoder_whose_frames_have_another_rank_is_none(tmp_path):
    model = encoder()
    model.graph.output[0].CopyFrom(helper.make_tensor_value_info("outputs", FLOAT, [1, 2, 3, 4]))
    with pytest.raises(ModelFormatError, match="is no part of a Parakeet that we know"):
        spec_of(tmp_path, encoder=model)


@pytest.mark.parametrize("shape", [[], ["B", 1, 1]])
def test_an_encoder_whose_lengths_have_another_rank_is_none(tmp_path, shape):
    model = encoder()
    lengths = helper.make_tensor_value_info("length", INT64, shape)
    model.graph.input[1].CopyFrom(lengths)
    with pytest.raises(ModelFormatError, match="is no part of a Parakeet that we know"):
        spec_of(tmp_path, encoder=model)
