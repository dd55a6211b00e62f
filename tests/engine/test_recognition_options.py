import numpy as np
import pytest

from parakeet_streaming.engine.recognition_options import RecognitionOptions
from parakeet_streaming.errors import OptionError


@pytest.mark.parametrize(
    "choice",
    [
        {"confidence": "certainty"},
        {"word_confidence": "max"},
        *({"max_symbols": each} for each in (0, -1, 1_001, 10**15, 10**4_000)),
        *({"segment_gap_s": each} for each in (0.0, -1, float("nan"), float("inf"), 1e300, 3_601)),
    ],
    ids=lambda choice: next(iter(choice)),
)
def test_choices_that_do_not_exist_are_refused(choice):
    with pytest.raises(OptionError, match="use"):
        RecognitionOptions(**choice)


@pytest.mark.parametrize(
    "choice",
    [
        *({"max_symbols": each} for each in (2.5, "10", True, float("inf"))),
        *({"segment_gap_s": each} for each in ("1", True, [1])),
    ],
    ids=str,
)
def test_what_is_no_number_is_refused(choice):
    with pytest.raises(OptionError, match=f"^{next(iter(choice))} must be a"):
        RecognitionOptions(**choice)


@pytest.mark.parametrize("most", [1, 10, 1_000, np.int64(5), None])
def test_symbols_per_frame(most):
    assert RecognitionOptions(max_symbols=most).max_symbols == most
    assert RecognitionOptions().max_symbols is None


def test_numbers_of_numpy_become_numbers():
    assert type(RecognitionOptions(segment_gap_s=np.float32(0.5)).segment_gap_s) is float
