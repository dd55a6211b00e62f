"""What NVIDIA NeMo answers for all golden cases, where arrays stay on the device of ONNX Runtime.

The processor plays the device; where ONNX Runtime has a GPU, it is that one too.
"""

import numpy as np
import pytest

from parakeet_streaming import load
from tests.model.devices import PROVIDERS, kept_there
from tests.parity import test_boosting as boosting
from tests.parity.test_golden import (
    WELL_POSED,
    _opened,
    answer,
    case_id,
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
    order = np.random.default_rng(2).permutation(len(WELL_POSED))
    cases = [WELL_POSED[at] for at in order[part::PARTS]]
    generator = np.random.default_rng(part)
    waiting = [(case, _opened(on_device, case)) for case in cases]
    inside = []
    while waiting or inside:
        coming = int(generator.integers(1, 5))
        inside += waiting[-coming:]
        del waiting[-coming:]
        on_device.step([stream for _, stream in inside])
        for case, stream in inside:
            if stream.closed:
                assert answer(stream.transcript()) == expected(case), case_id(case)
        inside = [(case, stream) for case, stream in inside if not stream.closed]


@pytest.mark.parametrize("case", boosting.CASES[::16], ids=boosting.case_id)
def test_a_stream_with_a_list(on_device, case):
    """What NeMo's boosting tree answers."""
    chosen = boosting.boosting_of(
        case["list"], case["alpha"], case["context_score"], case["depth_scaling"]
    )
    samples = boosting.samples_of(case)
    context = boosting.context_of(on_device, case, samples)
    stream = on_device.stream(context, phrases=chosen)
    stream.feed(samples)
    stream.finish()
    names = ("tokens", "frames", "durations")
    assert boosting.told(stream.tokens) == {name: case[name] for name in names}


@pytest.mark.parametrize("case", boosting.BATCHES[::4], ids=boosting.case_id)
def test_a_batch_of_streams_with_lists_of_their_own(on_device, case):
    boosting.test_a_batch_of_streams_with_lists_of_their_own(on_device, case)
