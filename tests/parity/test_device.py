"""What NVIDIA NeMo answers for all golden cases, where arrays stay on the device of ONNX Runtime.

The processor plays the device; where ONNX Runtime has a GPU, it is that one too.
"""

import pytest

from parakeet_streaming import load
from tests.model.devices import PROVIDERS, kept_there
from tests.parity import test_boosting as boosting
from tests.parity.test_golden import (
    WELL_POSED,
    answer,
    case_id,
    check_in_mixed_batches,
    expected,
    streamed,
)

PARTS = 8


@pytest.fixture(scope="module", params=PROVIDERS)
def on_device(golden_folder, request):
    folder = golden_folder / "tdt-tiny-onnx"
    return load(folder, provider=request.param, threads=1, wrap=kept_there)


@pytest.mark.parametrize("case", WELL_POSED[::16], ids=case_id)
def test_alone(on_device, case):
    assert answer(streamed(on_device, case, [])) == expected(case)


@pytest.mark.parametrize("part", range(PARTS))
def test_in_batches_with_random_joins(on_device, part):
    check_in_mixed_batches(on_device, part, PARTS)


@pytest.mark.parametrize("case", boosting.CASES[::16], ids=boosting.case_id)
def test_a_stream_with_a_list(on_device, case):
    """What NeMo's boosting tree answers."""
    boosting.test_a_stream_with_a_list(on_device, case)


@pytest.mark.parametrize("case", boosting.BATCHES[::4], ids=boosting.case_id)
def test_a_batch_of_streams_with_lists_of_their_own(on_device, case):
    boosting.test_a_batch_of_streams_with_lists_of_their_own(on_device, case)
