"""Attention by content and distance, against sums written out, whatever stands beside it."""

import pytest

torch = pytest.importorskip("torch", reason="the export extra")

from parakeet_streaming.torch_model.attention import Attention, relative_positions


@pytest.fixture
def attention():
    torch.manual_seed(5)
    attention = Attention(width=8, heads=2, bias=True)
    torch.nn.init.normal_(attention.content_bias)
    torch.nn.init.normal_(attention.position_bias)
    return attention.eval()


def attended(attention, frames, mask, past=0):
    """The last frames (B, U, D) of `frames`; the first `past` are heard only."""
    with torch.no_grad():
        normed = attention.norm(frames)
        positions = relative_positions(frames[:, past:], past)
        keys, values = attention.keys(normed), attention.values(normed)
        return attention.attend(normed[:, past:], keys, values, mask, positions)


def test_attention_knows_distances(small_model):
    """The score of frames i and j takes the sines of i - j, wherever they stand."""
    positions = relative_positions(torch.zeros(1, 4, 32))
    assert positions.shape == (1, 7, 32)
    torch.testing.assert_close(positions[0, 3, ::2], torch.zeros(16))
    torch.testing.assert_close(positions[0, 0, 0], torch.sin(torch.tensor(3.0)))
    attention = small_model.encoder.layers[0].attention
    frames = torch.randn(1, 4, 32)
    with torch.no_grad():
        normed = attention.norm(frames)
        by_head = attention._by_head
        q, k, v = (
            by_head(x(normed)) for x in (attention.queries, attention.keys, attention.values)
        )
        p = by_head(attention.positions(positions))
        scores = torch.empty(1, 2, 4, 4)
        for i in range(4):
            for j in range(4):
                content = ((q[:, :, i] + attention.content_bias[:, 0]) * k[:, :, j]).sum(-1)
                distance = p[:, :, 3 - (i - j)]
                by_distance = ((q[:, :, i] + attention.position_bias[:, 0]) * distance).sum(-1)
                scores[:, :, i, j] = (content + by_distance) / 16**0.5
        expected = attention.out((scores.softmax(-1) @ v).transpose(1, 2).flatten(2))
        actual = attention(frames, torch.ones(1, 4, dtype=torch.bool), positions)
    torch.testing.assert_close(actual, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("past", [0, 1, 5])
@pytest.mark.parametrize("count", [1, 2, 7])
def test_positions_are_distances_from_the_farthest_past_to_the_farthest_frame_ahead(count, past):
    positions = relative_positions(torch.zeros(3, count, 8), past)
    assert positions.shape == (1, past + 2 * count - 1, 8)
    for at in range(past + 2 * count - 1):
        distance = torch.tensor(float(past + count - 1 - at))
        for pair in range(4):
            angle = distance * 10_000 ** (-2 * pair / 8)
            torch.testing.assert_close(positions[0, at, 2 * pair], torch.sin(angle))
            torch.testing.assert_close(positions[0, at, 2 * pair + 1], torch.cos(angle))


@pytest.mark.parametrize("past", [1, 4, 6])
def test_frames_after_a_past_hear_it_as_if_they_were_one_stretch(attention, past):
    frames = torch.randn(2, 7, 8)
    mask = torch.ones(2, 7, dtype=torch.bool)
    whole = attended(attention, frames, mask)
    torch.testing.assert_close(attended(attention, frames, mask, past), whole[:, past:])


def test_what_is_absent_is_not_heard_wherever_it_stands(attention):
    frames = torch.randn(1, 4, 8)
    alone = attended(attention, frames, torch.ones(1, 4, dtype=torch.bool))
    padded = torch.cat((torch.randn(1, 2, 8), frames, torch.randn(1, 3, 8)), dim=1)
    mask = torch.tensor([[False] * 2 + [True] * 4 + [False] * 3])
    torch.testing.assert_close(attended(attention, padded, mask)[:, 2:6], alone)
    everything = torch.ones(1, 9, dtype=torch.bool)
    assert not torch.allclose(attended(attention, padded, everything)[:, 2:6], alone)


def test_rows_are_what_they_would_be_alone(attention):
    frames = torch.randn(3, 5, 8)
    mask = torch.arange(5)[None] < torch.tensor([5, 3, 1])[:, None]
    together = attended(attention, frames, mask)
    for row in range(3):
        alone = attended(attention, frames[row : row + 1], mask[row : row + 1])
        torch.testing.assert_close(together[row : row + 1], alone)
