import pytest

torch = pytest.importorskip("torch", reason="the export extra")

from parakeet_streaming.torch_model.attention import relative_positions
from parakeet_streaming.torch_model.cached import CachedEncoder

LAYERS, REACH = 2, 4
FEATURES, WIDTH = 128, 32


def empty(batch, slots=1):
    keys = torch.zeros(LAYERS, batch, slots, WIDTH)
    convolved = torch.zeros(LAYERS, batch, REACH, WIDTH)
    return keys, keys.clone(), convolved, torch.zeros(batch, dtype=int)


@pytest.fixture
def step(small_model):
    encoder = CachedEncoder(small_model.encoder).eval()

    def run(features, lengths, look_back, past):
        with torch.no_grad():
            return encoder(features, torch.tensor(lengths), torch.tensor(look_back), *past)

    return run


def first_step(features):
    """Features after eight that do not exist, with values that must not matter."""
    absent = torch.full((features.shape[0], FEATURES, 8), 7.0)
    return torch.cat((absent, features), dim=2)


@pytest.mark.parametrize("frames", [1, 7, 8, 9, 40, 67])
@pytest.mark.parametrize("slots", [1, 5])
def test_one_step_over_everything_is_the_whole_encoder(small_model, step, frames, slots):
    features = torch.randn(2, FEATURES, frames, generator=torch.Generator().manual_seed(frames))
    shorter = max(1, frames - 9)
    with torch.no_grad():
        expected, lengths = small_model.encoder(features, torch.tensor([frames, shorter]))
    found, found_lengths, keys, values, convolved = step(
        first_step(features), [frames + 8, shorter + 8], [0, 0], empty(2, slots)
    )
    assert torch.equal(found_lengths, lengths)
    for row, length in enumerate(lengths.tolist()):
        torch.testing.assert_close(
            found[row, :length], expected[row, :length], atol=2e-5, rtol=1e-4
        )
    assert keys.shape == values.shape == (LAYERS, 2, found.shape[1], WIDTH)
    assert convolved.shape == (LAYERS, 2, REACH + found.shape[1], WIDTH)


def test_a_step_hears_the_past_as_a_literal_walk_does(small_model, step):
    """Layer by layer, beside all frames that came into each attention and convolution before."""
    features = torch.randn(1, FEATURES, 8 * 13, generator=torch.Generator().manual_seed(5))
    attended, gated = [[] for _ in range(LAYERS)], [[] for _ in range(LAYERS)]
    past = empty(1)
    for first, end in ((0, 5), (5, 7), (7, 13)):
        begin = max(0, 8 * (first - 1))
        piece = features[:, :, begin : 8 * end]
        padded = piece if first else first_step(piece)
        found, _, keys, values, convolved = step(
            padded, [padded.shape[2]], [8 if first else 0], past
        )
        expected = literal(small_model, piece, 1 if first else 0, attended, gated)
        torch.testing.assert_close(found, expected, atol=2e-5, rtol=1e-4)
        kept = torch.cat((past[0], keys), 2), torch.cat((past[1], values), 2)
        past = (*kept, convolved[:, :, -REACH:], past[3] + keys.shape[2])


def literal(model, features, look_back, attended, gated):
    """Frames (1, U, D) of one step; adds to the inputs of each attention and each convolution."""
    with torch.no_grad():
        whole = torch.tensor([features.shape[2]])
        frames = model.encoder.subsampling(features, whole)[0][:, look_back:]
        count = frames.shape[1]
        for layer, into, heard in zip(model.encoder.layers, attended, gated, strict=True):
            frames = frames + 0.5 * layer.feed_forward_in(frames)
            into.append(frames)
            every = torch.cat(into, dim=1)
            mask = torch.ones(1, every.shape[1], dtype=bool)
            frames = frames + layer.attention(every, mask, relative_positions(every))[:, -count:]
            heard.append(layer.convolution.gate(frames, mask[:, :count]))
            wave = torch.cat(heard, dim=1).transpose(1, 2)
            convolved = layer.convolution.depthwise(wave).transpose(1, 2)[:, -count:]
            frames = frames + layer.convolution.after_depthwise(convolved, mask[:, :count])
            frames = layer.norm(frames + 0.5 * layer.feed_forward_out(frames))
        return frames


def test_rows_of_any_fill_share_a_step(step):
    """A stream that begins, one with a short past and one with a full past, each as alone."""
    generator = torch.Generator().manual_seed(9)
    fills, frames, look_back = [0, 3, 6], [24, 17, 40], [0, 8, 8]
    rows = []
    for fill, count, back in zip(fills, frames, look_back, strict=True):
        keys = torch.randn(LAYERS, 1, max(fill, 1), WIDTH, generator=generator)
        reached = torch.randn(LAYERS, 1, REACH, WIDTH, generator=generator) * (back > 0)
        past = (keys, keys * 0.5, reached, torch.tensor([fill]))
        features = torch.randn(1, FEATURES, 8 + count, generator=generator)
        rows.append((features, [8 + count], [back], past))
    alone = [step(*row) for row in rows]
    widest, slots = 8 + max(frames), 7
    features = torch.zeros(3, FEATURES, widest)
    together = [torch.randn(LAYERS, 3, slots, WIDTH, generator=generator) for _ in range(2)]
    for at, (row, _, _, past) in enumerate(rows):
        features[at, :, : row.shape[2]] = row
        if fills[at]:
            for every, one in zip(together, past[:2], strict=True):
                every[:, at, slots - fills[at] :] = one[:, 0]
    convolved = torch.cat([row[3][2] for row in rows], dim=1)
    batch = step(
        features,
        [8 + count for count in frames],
        look_back,
        (*together, convolved, torch.tensor(fills)),
    )
    for at, single in enumerate(alone):
        count = int(single[1])
        assert int(batch[1][at]) == count
        torch.testing.assert_close(batch[0][at, :count], single[0][0], atol=2e-5, rtol=1e-4)
        torch.testing.assert_close(batch[2][:, at, :count], single[2][:, 0], atol=2e-5, rtol=1e-4)
        torch.testing.assert_close(
            batch[4][:, at, : REACH + count], single[4][:, 0], atol=2e-5, rtol=1e-4
        )
