import pytest

from benchmarks.models import operations


def test_the_golden_encoder_is_known_by_its_weights(golden_folder):
    shape = operations.shape_of(golden_folder / "tdt-tiny-onnx/encoder-model.onnx", 128, 96)
    assert (shape.channels, shape.layers, shape.inner, shape.kernel) == (32, 3, 384, 9)


def test_operations_of_a_layer_by_hand():
    with_layer, without = (
        operations.EncoderShape(8, channels=1, width=2, layers=layers, inner=3, kernel=5)
        for layers in (1, 0)
    )
    frames, streams = 4, 3
    feed_forward = 2 * (2 * 3 + 3 * 2)
    # Queries, keys, values, out; the gated widening counts twice; pointwise.
    projections = (4 + 2 + 1) * 2 * 2
    attended = 2 * (4 + 7 + 4)
    each = frames * (feed_forward + projections + attended + 5 * 2)
    shared = 7 * 2 * 2
    layer = with_layer.operations(frames, streams) - without.operations(frames, streams)
    assert layer == 2 * (streams * each + shared)


def test_operations_of_subsampling_by_hand():
    shape = operations.EncoderShape(8, channels=2, width=4, layers=0, inner=8, kernel=9)
    first = 4 * 4 * 9 * 2
    second = 2 * 2 * 2 * (9 + 2)
    third = 1 * 1 * 2 * (9 + 2)
    assert shape.operations(1) == 2 * (first + second + third + 2 * 4)


def test_other_graphs_are_refused(golden_folder):
    with pytest.raises(SystemExit, match="no FastConformer"):
        operations.shape_of(golden_folder / "tdt-tiny-onnx/decoder_joint-model.onnx", 128, 96)
