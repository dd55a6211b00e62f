import pytest

torch = pytest.importorskip("torch", reason="the training group")

from training.windows import cut, random_windows, stitched


def frame_numbers(windows, features):
    """Encodes windows into the number of the first feature frame of every encoder frame."""
    del features
    return windows.features[:, :1, ::8].transpose(1, 2)


def test_stitched_frames_are_those_of_the_whole():
    """Each frame comes from its own place, whatever the cuts."""
    generator = torch.Generator().manual_seed(0)
    lengths = torch.tensor([800, 799, 433, 80, 8, 1])
    features = torch.arange(800.0).expand(6, 4, 800)
    for _ in range(50):
        windows = random_windows(features, lengths, generator)
        frames = stitched(frame_numbers(windows, features), windows.stitch)
        for row, length in enumerate(lengths.tolist()):
            count = -(-length // 8)
            assert windows.frame_lengths[row] == count
            expected = torch.arange(count) * 8.0
            torch.testing.assert_close(frames[row, :count, 0], expected)


def test_windows_hear_their_context_and_no_more():
    features = torch.arange(400.0).expand(1, 2, 400)
    first, end = torch.tensor([[0, 20, 40]]), torch.tensor([[20, 40, 50]])
    windows = cut(features, torch.tensor([396]), first, end, left=5, right=3)
    spans = [
        (float(each[0, 0]), float(each[0, length - 1]))
        for each, length in zip(windows.features, windows.lengths, strict=True)
    ]
    assert spans == [(0, 23 * 8 - 1), (15 * 8, 43 * 8 - 1), (35 * 8, 395)]
