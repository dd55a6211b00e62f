"""What NVIDIA NeMo answers for all golden cases, against torch on its processor device, in float32.

Most are decoded in mixed batches, where streams of any context and age come and go; some alone.
"""

import pytest

pytest.importorskip("torch", reason="the torch extra")

from parakeet_streaming import load
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
    check_in_mixed_batches(torch_recognizer, part, PARTS)


@pytest.mark.parametrize("part", [0])
def test_in_batches_whose_steps_were_made_ready(ready_recognizer, part):
    """Padded with rows that are none, to steps of fixed shapes. All parts take ten minutes."""
    check_in_mixed_batches(ready_recognizer, part, PARTS)


@pytest.mark.parametrize("case", boosting.CASES[::16], ids=boosting.case_id)
def test_a_stream_with_a_list(torch_recognizer, case):
    """What NeMo's boosting tree answers."""
    boosting.test_a_stream_with_a_list(torch_recognizer, case)


@pytest.mark.parametrize("case", boosting.BATCHES[::4], ids=boosting.case_id)
def test_a_batch_of_streams_with_lists_of_their_own(torch_recognizer, case):
    boosting.test_a_batch_of_streams_with_lists_of_their_own(torch_recognizer, case)


@pytest.mark.parametrize("case", boosting.BATCHES[::4], ids=boosting.case_id)
def test_such_a_batch_whose_steps_were_made_ready(ready_recognizer, case):
    boosting.test_a_batch_of_streams_with_lists_of_their_own(ready_recognizer, case)
    arena = ready_recognizer._transducer._decoder.loops.arena
    assert len(arena) > 0
