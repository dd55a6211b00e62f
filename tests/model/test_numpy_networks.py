"""What the loop asks of networks in numpy's arrays: rows together, scores, and memories."""

import numpy as np
import pytest

from parakeet_streaming.errors import SnapshotError
from parakeet_streaming.model.confidence import entropy, probability
from parakeet_streaming.model.decoder_row import DecoderRow
from parakeet_streaming.model.numpy_networks import NumpyNetworks, NumpyScores
from parakeet_streaming.ports import DecoderInput, DecoderState


class Joint:
    """Scores a frame (U, 1) of value v under an output of value o: token v + o, duration o."""

    blank_id, durations, frames_per_call = 9, (0, 1, 2), 4

    def start(self):
        return np.zeros((1, 1), "f4"), np.zeros((2, 1, 3), "f4"), np.zeros((2, 1, 3), "f4")

    def advance(self, tokens, hidden, cell):
        added = np.array(tokens, "f4")[:, None]
        return added, hidden + added[None], cell - added[None]

    def score(self, frames, output):
        self.frames = frames[..., 0].tolist()
        named = (frames[..., 0] + output).astype(int)
        logits = np.eye(10, dtype="f4")[named]
        return logits, np.eye(3, dtype="f4")[np.broadcast_to(output, named.shape).astype(int)]


@pytest.fixture
def networks():
    return NumpyNetworks(Joint())


def row_of(networks, frames, skip=0):
    state = DecoderState(9, skip, 0, networks.start())
    values = np.array(frames, "f4")[:, None]
    return DecoderRow(values, DecoderInput(0, 0, len(frames), len(frames), state), max_symbols=5)


def test_rows_of_other_lengths_are_filled_up_by_their_last_frame(networks):
    rows = [row_of(networks, [1, 2, 3]), row_of(networks, [4, 5], skip=1)]
    scores = networks.begin(rows).score(rows, 3)
    assert networks._decoder_joint.frames == [[1, 2, 3], [5, 5, 5]]
    assert scores.tokens.tolist() == [[1, 2, 3], [5, 5, 5]]
    assert scores.durations.tolist() == [[0] * 3] * 2


def test_those_that_emitted_move_on_and_others_stay(networks):
    rows = [row_of(networks, [1]) for _ in range(3)]
    rows[0].last_token, rows[2].last_token = 1, 2
    walk = networks.begin(rows)
    walk.advance([rows[0], rows[2]])
    assert [row.memory.output.tolist() for row in rows] == [[[1]], [[0]], [[2]]]
    assert rows[2].memory.hidden.shape == (2, 1, 3)
    assert rows[2].memory.cell.max() == -2
    assert walk.score(rows, 1).tokens.tolist() == [[2], [1], [3]]


def test_logits_are_handed_out_as_copies():
    logits = np.arange(24, dtype="f4").reshape(2, 3, 4)
    scores = NumpyScores(logits.argmax(-1), None, logits)
    taken = scores.rows([1, 0], [2, 1])
    assert taken.tolist() == [[20, 21, 22, 23], [4, 5, 6, 7]]
    taken[:] = 0
    assert logits[1, 2].tolist() == [20, 21, 22, 23]
    assert scores.confidence(probability, 1, 2) == probability(logits[1, 2])
    assert scores.confidence(probability, 1, 2, 0) == probability(logits[1, 2], 0)
    assert scores.confidence(entropy, 0, 0) == entropy(logits[0, 0])


def test_a_memory_comes_back_from_its_arrays(networks):
    arrays = networks.memory_to_arrays(networks.start())
    again = networks.memory_from_arrays({name: each + 1 for name, each in arrays.items()})
    assert again.hidden.min() == 1
    with pytest.raises(SnapshotError, match="a decoder memory of"):
        networks.memory_from_arrays(arrays | {"cell": arrays["cell"][:1]})
