import math

import pytest

torch = pytest.importorskip("torch", reason="the training group")

from training.losses import ctc_loss, tdt_loss


def by_paths(logits, targets, durations, sigma):
    """-log of the sum over every path of one row, walked one by one; logits (T, N + 1, V + n)."""
    frames = logits.shape[0]
    split = logits.shape[2] - durations
    tokens = logits[..., :split].log_softmax(-1) - sigma
    lasting = logits[..., split:].log_softmax(-1) if durations else None

    def walk(time, spoken):
        if time == frames:
            return 1.0 if spoken == len(targets) else 0.0
        total = 0.0
        blanks = range(1, durations) if durations else [1]
        for step in blanks:
            if time + step <= frames:
                score = tokens[time, spoken, split - 1]
                score = score + (lasting[time, spoken, step] if durations else 0.0)
                total = total + score.exp() * walk(time + step, spoken)
        if spoken < len(targets):
            for step in range(durations) if durations else [0]:
                if time + step < frames:
                    score = tokens[time, spoken, targets[spoken]]
                    score = score + (lasting[time, spoken, step] if durations else 0.0)
                    total = total + score.exp() * walk(time + step, spoken + 1)
        return total

    return -math.log(walk(0, 0))


@pytest.mark.parametrize("durations", [0, 2, 3, 5])
@pytest.mark.parametrize("sigma", [0.0, 0.3])
def test_loss_is_the_sum_over_all_paths(durations, sigma):
    torch.manual_seed(durations)
    logits = torch.randn(5, 5, 4, 4 + durations, dtype=torch.float64) * 2
    targets = torch.tensor([[0, 1, 2], [2, 2, 0], [1, 0, 0], [0, 0, 0], [1, 2, 0]])
    frame_lengths = torch.tensor([5, 4, 1, 3, 5])
    target_lengths = torch.tensor([3, 2, 1, 0, 2])
    losses = tdt_loss(logits, targets, frame_lengths, target_lengths, durations, sigma)
    for row, (frames, count) in enumerate(zip(frame_lengths, target_lengths, strict=True)):
        said = targets[row, :count].tolist()
        expected = by_paths(logits[row, :frames, : count + 1], said, durations, sigma)
        assert float(losses[row]) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("durations", [0, 3, 5])
def test_gradient_is_that_of_the_loss(durations):
    torch.manual_seed(1)
    logits = torch.randn(3, 4, 3, 4 + durations, dtype=torch.float64, requires_grad=True)
    targets = torch.tensor([[0, 1], [2, 0], [0, 0]])

    def loss(logits):
        lengths = torch.tensor([4, 3, 2]), torch.tensor([2, 1, 0])
        return tdt_loss(logits, targets, *lengths, durations, 0.05)

    assert torch.autograd.gradcheck(loss, (logits,))


def test_nothing_behind_a_row_gets_a_gradient():
    logits = torch.randn(2, 6, 4, 9, requires_grad=True)
    lengths = torch.tensor([4, 6]), torch.tensor([2, 3])
    tdt_loss(logits, torch.tensor([[0, 1, 0], [1, 1, 2]]), *lengths, 5).sum().backward()
    assert logits.grad[0, 4:].abs().max() == 0
    assert logits.grad[0, :, 3:].abs().max() == 0
    assert logits.grad[0, :4, :3].abs().min() > 0


def test_bfloat16_is_close_and_keeps_its_type():
    torch.manual_seed(0)
    logits = torch.randn(2, 30, 9, 25)
    arguments = torch.randint(0, 19, (2, 8)), torch.tensor([30, 21]), torch.tensor([8, 5]), 5
    short = logits.bfloat16().requires_grad_()
    exact = short.detach().float().requires_grad_()
    torch.testing.assert_close(tdt_loss(short, *arguments), tdt_loss(exact, *arguments))
    tdt_loss(short, *arguments).sum().backward()
    tdt_loss(exact, *arguments).sum().backward()
    assert short.grad.dtype == torch.bfloat16
    torch.testing.assert_close(short.grad.float(), exact.grad, atol=4e-3, rtol=1e-2)


def test_extreme_logits_stay_finite():
    logits = (torch.randn(1, 300, 40, 25) * 60).requires_grad_()
    loss = tdt_loss(
        logits, torch.randint(0, 19, (1, 39)), torch.tensor([300]), torch.tensor([39]), 5
    )
    loss.backward()
    assert torch.isfinite(loss).all()
    assert torch.isfinite(logits.grad).all()


def test_ctc_takes_the_last_token_for_blank():
    logits = torch.full((1, 3, 5), -20.0)
    logits[0, [0, 1, 2], [1, 4, 1]] = 20.0
    lengths = torch.tensor([3]), torch.tensor([2])
    assert float(ctc_loss(logits, torch.tensor([[1, 1]]), *lengths)) < 1e-3
    assert float(ctc_loss(logits, torch.tensor([[1, 2]]), *lengths)) > 10
