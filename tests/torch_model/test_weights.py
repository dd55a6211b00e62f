import pytest

torch = pytest.importorskip("torch", reason="the training group")

from parakeet_streaming.errors import ModelFormatError
from parakeet_streaming.torch_model.fastconformer import EncoderConfig
from parakeet_streaming.torch_model.transducer import TransducerConfig
from parakeet_streaming.torch_model.weights import Names, assembled, renamed, scaled_input

NAMES = Names({"in": "encoder.first"}, {"a.q": "attention.queries"}, ignored=("mel.",))


def test_names_are_ours_in_every_layer():
    theirs = {"in.weight": 0, "encoder.layers.0.a.q.bias": 1, "encoder.layers.1.a.q": 2}
    tensors = {name: torch.tensor(value) for name, value in theirs.items()}
    ours = renamed({**tensors, "mel.bank": torch.zeros(1)}, NAMES, 2, "file")
    assert {name: int(values) for name, values in ours.items()} == {
        "encoder.first.weight": 0,
        "encoder.layers.0.attention.queries.bias": 1,
        "encoder.layers.1.attention.queries": 2,
    }


@pytest.mark.parametrize("name", ["encoder.layers.2.a.q.bias", "adapter.weight", "in"])
def test_a_weight_without_a_place_is_refused(name):
    names = Names({"in.weight": "encoder.first"}, {"a.q": "attention.queries"})
    with pytest.raises(ModelFormatError, match=f"file: .*{name} has no place .* of 2 layers"):
        renamed({name: torch.zeros(1)}, names, 2, "file")


@pytest.mark.parametrize("weights", [{"in.weight": "code"}, {3: torch.zeros(1)}])
def test_only_tensors_are_weights(weights):
    with pytest.raises(ModelFormatError, match="no tensor"):
        renamed(weights, NAMES, 1, "file")


def test_tensors_are_taken_over(small_model):
    weights = dict(small_model.state_dict())
    halved = "joint.out.weight"
    weights[halved] = weights[halved].half()
    del weights["ctc.weight"]
    taken = weights["predictor.embedding.weight"]
    model = assembled(small_model.config, weights, "file")
    assert not weights
    assert not model.training
    assert model.predictor.embedding.weight.data_ptr() == taken.data_ptr()
    assert model.joint.out.weight.dtype == torch.float32
    assert not model.ctc.weight.any()
    features = torch.randn(1, 128, 40)
    with torch.no_grad():
        ours = model.encoder(features, torch.tensor([40]))[0]
        expected = small_model.encoder(features, torch.tensor([40]))[0]
    torch.testing.assert_close(ours, expected)


def test_weights_that_do_not_fit_are_refused(small_model):
    def refused(match, **changes):
        weights = {**small_model.state_dict(), **changes}
        weights = {name: values for name, values in weights.items() if values is not None}
        with pytest.raises(ModelFormatError, match=match):
            assembled(small_model.config, weights, "file")

    refused(r"joint\.out\.bias is missing", **{"joint.out.bias": None})
    refused("2 more are|1 more are", **{"joint.out.bias": None, "joint.out.weight": None})
    refused("encoder.extra is not part", **{"encoder.extra": torch.zeros(1)})
    refused(r"joint\.out\.bias is \(3,\), not \(14,\)", **{"joint.out.bias": torch.zeros(3)})


def test_scaled_input_multiplies_weight_and_bias():
    name = "encoder.subsampling.out"
    weights = {
        f"{name}.weight": torch.ones(2, 2),
        f"{name}.bias": torch.ones(2),
        "x": torch.ones(1),
    }
    scaled_input(weights, 16)
    assert [values.max().item() for values in weights.values()] == [4, 4, 1]


NO_PLAIN = {
    "a number, repeated": torch.zeros(1).expand(2**40),
    "a view that repeats": torch.zeros(4).as_strided((2**20, 4), (0, 1)),
    "nothing": torch.empty(2**40, device="meta"),
    "sparse": torch.zeros(3).to_sparse(),
    "complex": torch.zeros(3, dtype=torch.complex64),
    "bytes": torch.zeros(3, dtype=torch.int8),
    "truth": torch.zeros(3, dtype=torch.bool),
    "eight bits": torch.zeros(3, dtype=torch.float8_e4m3fn),
}


@pytest.mark.parametrize("values", NO_PLAIN.values(), ids=NO_PLAIN)
def test_a_weight_is_plain_numbers_of_its_file(small_model, values):
    with pytest.raises(ModelFormatError, match=r"file: 'in\.weight' is no tensor of plain numbers"):
        renamed({"in.weight": values}, NAMES, 1, "file")
    weights = {**small_model.state_dict(), "ctc.weight": values}
    with pytest.raises(ModelFormatError, match="no tensor of plain numbers"):
        assembled(small_model.config, weights, "file")


@pytest.mark.parametrize("name", ["x" * 10**6, "\x1b]0;T\x07", "a\nb", "\u202e"])
def test_a_name_of_any_length_is_few_words(small_model, name):
    for call in (
        lambda: renamed({name: torch.zeros(1)}, NAMES, 1, "file"),
        lambda: renamed({name: 1}, NAMES, 1, "file"),
        lambda: assembled(small_model.config, {name: torch.zeros(1)}, "file"),
    ):
        with pytest.raises(ModelFormatError) as raised:
            call()
        assert len(str(raised.value)) < 600
        assert str(raised.value).isprintable()


def test_a_model_of_absurd_size_is_refused_before_it_is_made():
    encoder = EncoderConfig(width=16_384, layers=128, heads=8, feed_forward=32)
    with pytest.raises(ModelFormatError, match=r"weights, and at most 10000000000 are possible"):
        assembled(TransducerConfig(encoder), {}, "file")
