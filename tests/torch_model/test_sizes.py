import pytest

pytest.importorskip("torch", reason="the training group")

from parakeet_streaming.errors import OptionError
from parakeet_streaming.torch_model.fastconformer import EncoderConfig
from parakeet_streaming.torch_model.sizes import MOST, check_part, check_size
from parakeet_streaming.torch_model.transducer import TransducerConfig

ENCODER = ("mel_bins", "subsampling_channels", "width", "layers", "heads", "feed_forward", "kernel")


@pytest.mark.parametrize("name", MOST)
def test_every_size_has_bounds(name):
    check_size(name, 1)
    check_size(name, MOST[name])
    for wrong in (0, -1, MOST[name] + 1, 10**15, 10**5000, 1.0, "1", None, True, [1], float("nan")):
        with pytest.raises(OptionError, match=f"{name} is .*; 1 to {MOST[name]} is possible"):
            check_size(name, wrong)


@pytest.mark.parametrize("name", MOST)
def test_no_network_has_a_size_out_of_them(name):
    with pytest.raises(OptionError, match=name):
        (EncoderConfig if name in ENCODER else TransducerConfig)(**{name: 10**9})


@pytest.mark.parametrize("value", [1, -0.1, float("nan"), float("inf"), "0.1", None, True])
def test_a_part_is_below_one(value):
    check_part("dropout", 0)
    check_part("dropout", 0.5)
    with pytest.raises(OptionError, match="dropout is"):
        check_part("dropout", value)
    for config in (EncoderConfig, TransducerConfig):
        with pytest.raises(OptionError, match="dropout is"):
            config(dropout=value)


@pytest.mark.parametrize("value", [1, None, "yes"])
def test_a_bias_is_there_or_not(value):
    with pytest.raises(OptionError, match="bias is"):
        EncoderConfig(bias=value)


@pytest.mark.parametrize("value", [[0, 1], (1, 0), tuple(range(17)), None, 5, (0, "1"), (0, 2**70)])
def test_durations_are_counted_up(value):
    TransducerConfig(durations=(0, 1))
    with pytest.raises(OptionError, match=r"durations are .*; 0, 1, 2, \.\.\. are possible, 16"):
        TransducerConfig(durations=value)
