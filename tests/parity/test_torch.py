"""What NVIDIA NeMo answers for all golden cases, against torch on its processor device, in float32.

Most are decoded in mixed batches, where streams of any context and age come and go; some alone.
"""

import numpy as np
import pytest

pytest.importorskip("torch", reason="the torch extra")

from parakeet_streaming import load
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


@pytest.fixture(scope="module")
def torch_recognizer(golden_folder):
    return load(golden_folder / "tdt-tiny.nemo", runtime="torch", device="cpu", threads=1)


@pytest.mark.parametrize("case", WELL_POSED[::16], ids=case_id)
def test_alone(torch_recognizer, case):
    assert answer(streamed(torch_recognizer, case, [])) == expected(case)


@pytest.fixture(scope="module")
def ready_recognizer(torch_recognizer):
    """The same networks, whose steps have fixed shapes and places: what a GPU captures."""
    from parakeet_streaming import ContextConfig, Recognizer
    from parakeet_streaming.torch_runtime.transducer import TorchTransducer

    own = torch_recognizer._transducer
    made = TorchTransducer(own._model, own._device, fixed_shapes=True)
    contexts = {tuple(case["context"]) for case in WELL_POSED if case["context"] != "offline"}
    chosen = [ContextConfig(*each) for each in sorted(contexts)]
    for _ in made.prepare_steps(chosen, most_rows=16):
        pass
    return Recognizer(made, torch_recognizer._formatter._pieces)


@pytest.mark.parametrize("part", range(PARTS))
def test_in_batches_with_random_joins(torch_recognizer, part):
    check_a_part(torch_recognizer, part)


@pytest.mark.parametrize("part", [0])
def test_in_batches_whose_steps_were_made_ready(ready_recognizer, part):
    """Padded with rows that are none, to steps of fixed shapes. All parts take ten minutes."""
    check_a_part(ready_recognizer, part)


def check_a_part(torch_recognizer, part):
    order = np.random.default_rng(2).permutation(len(WELL_POSED))
    cases = [WELL_POSED[at] for at in order[part::PARTS]]
    generator = np.random.default_rng(part)
    waiting = [(case, _opened(torch_recognizer, case)) for case in cases]
    inside = []
    while waiting or inside:
        coming = int(generator.integers(1, 5))
        inside += waiting[-coming:]
        del waiting[-coming:]
        torch_recognizer.step([stream for _, stream in inside])
        for case, stream in inside:
            if stream.closed:
                assert answer(stream.transcript()) == expected(case), case_id(case)
        inside = [(case, stream) for case, stream in inside if not stream.closed]


@pytest.mark.parametrize("case", boosting.CASES[::16], ids=boosting.case_id)
def test_a_stream_with_a_list(torch_recognizer, case):
    """What NeMo's boosting tree answers."""
    chosen = boosting.boosting_of(
        case["list"], case["alpha"], case["context_score"], case["depth_scaling"]
    )
    samples = boosting.samples_of(case)
    context = boosting.context_of(torch_recognizer, case, samples)
    stream = torch_recognizer.stream(context, phrases=chosen)
    stream.feed(samples)
    stream.finish()
    names = ("tokens", "frames", "durations")
    assert boosting.told(stream.tokens) == {name: case[name] for name in names}


@pytest.mark.parametrize("case", boosting.BATCHES[::4], ids=boosting.case_id)
def test_a_batch_of_streams_with_lists_of_their_own(torch_recognizer, case):
    boosting.test_a_batch_of_streams_with_lists_of_their_own(torch_recognizer, case)
