import math

import numpy as np
import pytest

from parakeet_streaming.errors import OptionError
from parakeet_streaming.model.confidence import ENTROPY_ALPHA, entropy, measure, probability

SIZES = [2, 3, 257, 1025, 8193]
MEASURES = [probability, entropy]


def logits_of(*probabilities):
    return np.log(np.array(probabilities)).astype(np.float32)


def test_probability_is_the_softmax_of_the_best():
    assert probability(logits_of(0.2, 0.7, 0.1)) == pytest.approx(0.7, abs=1e-6)
    assert probability(logits_of(0.2, 0.7, 0.1) + 100) == pytest.approx(0.7, abs=1e-5)


@pytest.mark.parametrize(
    "probabilities", [(0.5, 0.5), (0.9, 0.1), (0.2, 0.7, 0.1), (0.97, 0.01, 0.01, 0.01)]
)
@pytest.mark.parametrize("alpha", [0.33, 0.5])
def test_entropy_is_the_reference_s_formula(probabilities, alpha):
    power_sum = sum(share**alpha for share in probabilities)
    sure = math.exp((1 - power_sum) / (1 - alpha))
    worst = math.exp((1 - len(probabilities) ** (1 - alpha)) / (1 - alpha))
    expected = (sure - worst) / (1 - worst)
    assert entropy(logits_of(*probabilities), alpha=alpha) == pytest.approx(expected, abs=1e-6)


def test_entropy_has_the_reference_s_exponent():
    # What NVIDIA NeMo gives with its defaults: Tsallis, exponential norm, alpha 0.33.
    assert ENTROPY_ALPHA == 0.33
    assert entropy(logits_of(0.9, 0.1)) == pytest.approx(0.187134, abs=1e-6)
    assert entropy(logits_of(0.7, 0.2, 0.1)) == pytest.approx(0.0584808, abs=1e-6)


@pytest.mark.parametrize("sure", MEASURES)
@pytest.mark.parametrize("size", SIZES)
def test_one_sure_token_is_1(sure, size):
    logits = np.zeros(size, dtype=np.float32)
    logits[size // 2] = 1e4
    assert sure(logits) == 1.0
    assert sure(-logits[::-1]) <= 1.0


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("level", [0.0, 1e4, -1e4])
def test_a_guess_among_all_alike(size, level):
    logits = np.full(size, level, dtype=np.float32)
    assert probability(logits) == pytest.approx(1 / size)
    assert entropy(logits) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("sure", MEASURES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("spread", [0.0, 1e-3, 1.0, 30.0, 1e4])
def test_always_from_0_to_1(sure, size, spread):
    generator = np.random.default_rng(size)
    for _ in range(20):
        value = sure((spread * generator.standard_normal(size)).astype(np.float32))
        assert isinstance(value, float)
        assert 0.0 <= value <= 1.0


@pytest.mark.parametrize("sure", MEASURES)
def test_a_clearer_choice_is_surer(sure):
    values = [sure(np.array([height, 0, 0, 0], dtype=np.float32)) for height in range(12)]
    assert values == sorted(set(values))


def test_measures_have_names():
    assert measure("probability") is probability
    assert measure("entropy") is entropy
    with pytest.raises(
        OptionError, match="'certainty' does not exist; use one of probability, ent"
    ):
        measure("certainty")
