import pytest

torch = pytest.importorskip("torch", reason="the training group")

from training.muon import Muon, orthogonal


@pytest.mark.parametrize("shape", [(3, 24, 24), (2, 16, 64), (2, 64, 16)])
def test_all_singular_values_come_near_one(shape):
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    values = torch.linalg.svdvals(orthogonal(matrices))
    assert values.min() > 0.4
    assert values.max() < 1.3


def test_orthogonal_keeps_what_each_matrix_points_to():
    generator = torch.Generator().manual_seed(2)
    rotation = torch.linalg.qr(torch.randn(12, 12, generator=generator))[0]
    found = orthogonal(5 * rotation[None])[0]
    assert torch.nn.functional.cosine_similarity(
        found.flatten(), rotation.flatten(), dim=0
    ) == pytest.approx(1, abs=1e-3)


def test_every_matrix_moves_as_far_as_the_rate_says_and_decays():
    generator = torch.Generator().manual_seed(3)
    matrices = [torch.randn(16, width, generator=generator) for width in (16, 64)]
    before = [each.clone() for each in matrices]
    parameters = [torch.nn.Parameter(each) for each in matrices]
    for each in parameters:
        each.grad = torch.randn(each.shape, generator=generator)
    idle = torch.nn.Parameter(torch.ones(4, 4))
    Muon([*parameters, idle], 0.01, 0.5, torch.float32).step()
    for moved, start in zip(parameters, before, strict=True):
        update = moved.detach() - start * (1 - 0.01 * 0.5)
        assert update.square().mean().sqrt() == pytest.approx(0.01 * 0.2, rel=0.3)
    assert torch.equal(idle.detach(), torch.ones(4, 4))


def test_the_momentum_survives_in_the_state():
    parameter = torch.nn.Parameter(torch.zeros(8, 8))
    muon = Muon([parameter], 0.01, 0.0, torch.float32)
    parameter.grad = torch.eye(8)
    muon.step()
    again = Muon([torch.nn.Parameter(torch.zeros(8, 8))], 0.01, 0.0, torch.float32)
    again.load_state_dict(muon.state_dict())
    (state,) = again.state.values()
    assert torch.equal(state["momentum"], 0.05 * torch.eye(8))
