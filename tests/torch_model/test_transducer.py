"""Prediction network and joint in torch: histories step by step, and every pair scored alone."""

import pytest

torch = pytest.importorskip("torch", reason="the export extra")

from parakeet_streaming.torch_model.transducer import TransducerConfig


def test_the_blank_comes_after_the_pieces():
    assert TransducerConfig(vocabulary=9).blank_id == 8


def test_histories_are_the_steps_of_the_predictor_from_the_start_symbol(small_model):
    predictor = small_model.predictor
    targets = torch.tensor([[1, 2, 3, 7], [4, 4, 0, 5]])
    with torch.no_grad():
        histories = predictor.histories(targets)
        assert histories.shape == (2, 5, 16)
        hidden = cell = torch.zeros(1, 2, 16)
        tokens = torch.cat((torch.full((2, 1), predictor.blank_id), targets), dim=1)
        for at in range(5):
            output, hidden, cell = predictor(tokens[:, at : at + 1], hidden, cell)
            torch.testing.assert_close(histories[:, at : at + 1], output)


def test_a_history_hangs_on_the_tokens_before_it_alone(small_model):
    with torch.no_grad():
        one, other = (
            small_model.predictor.histories(torch.tensor([tokens]))[0]
            for tokens in ([1, 2, 3], [1, 2, 4])
        )
    torch.testing.assert_close(one[:3], other[:3])
    assert not torch.allclose(one[3], other[3])


def test_the_joint_scores_every_pair_alone(small_model):
    joint = small_model.joint
    frames, histories = torch.randn(2, 3, 32), torch.randn(2, 4, 16)
    with torch.no_grad():
        logits = joint(frames, histories)
        assert logits.shape == (2, 3, 4, 9 + 5)
        for row in range(2):
            for frame in range(3):
                for history in range(4):
                    alone = joint(
                        frames[row, frame][None, None], histories[row, history][None, None]
                    )
                    torch.testing.assert_close(logits[row, frame, history], alone[0, 0, 0])
