"""What a runtime gives in another shape than the files promise is an error that names both."""

import numpy as np
import pytest

from parakeet_streaming import ContextConfig, ModelFormatError, load
from parakeet_streaming.model.answers import endless, require_room, require_shape
from parakeet_streaming.testing import noise
from tests.catalog.graphs import GOLDEN, TINY_EN


def zeros(*shape):
    return np.zeros(shape, np.float32)


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 4, 1), (2, 3, 5), (2, 4, 4), (1, 3, 4), ()])
def test_another_shape_is_refused(shape):
    require_shape(zeros(2, 3, 4), (2, 3, 4), "a.onnx", "frames")
    with pytest.raises(ModelFormatError, match=r"^a\.onnx gave frames as .* of \(2, 3, 4\)"):
        require_shape(zeros(*shape), (2, 3, 4), "a.onnx", "frames")


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 4, 1), (2, 3, 3), (2, 4, 4), (1, 3, 4), ()])
def test_one_axis_may_be_longer_and_no_other(shape):
    for length in (4, 5, 100):
        require_room(zeros(2, 3, length), (2, 3, 4), 2, "a.onnx", "frames")
    with pytest.raises(ModelFormatError, match=r"instead of \(2, 3, 4\)"):
        require_room(zeros(*shape), (2, 3, 4), 2, "a.onnx", "frames")


def test_a_decoder_that_does_not_leave_a_frame_is_told_where():
    assert "1000 tokens on frame 7" in str(endless(7))


class Changed:
    """A session whose outputs of three or four dimensions are changed."""

    def __init__(self, session, change):
        self.inputs, self.outputs = session.inputs, session.outputs
        self.providers, self.threads = session.providers, session.threads
        self._session, self._change = session, change

    def run(self, feeds):
        outputs = self._session.run(feeds)
        return {
            name: self._change(values) if values.ndim > 2 else values
            for name, values in outputs.items()
        }


def one_row_more(values):
    return np.concatenate([values, values[:1]])


CHANGES = {
    "too few frames": ("encoder", lambda values: values[..., :-1]),
    "narrow frames": ("encoder", lambda values: values[:, :-1]),
    "wide frames": ("encoder", lambda values: np.concatenate([values, values], axis=1)),
    "frames of another row": ("encoder", one_row_more),
    "frames of no rank": ("encoder", np.ravel),
    "no frames": ("encoder", lambda values: values[:0]),
    "fewer scores than pieces": ("joint", lambda values: values[..., :100]),
    "fewer durations": ("joint", lambda values: values[..., :-1]),
    "more durations": ("joint", lambda values: np.concatenate([values, values], axis=-1)),
    "scores of fewer frames": ("joint", lambda values: values[:, :0]),
    "scores of another rank": ("joint", lambda values: values[:, :, 0]),
    "narrow states": ("predictor", lambda values: values[..., :-1]),
    "states of more rows": ("predictor", lambda values: np.concatenate([values, values], axis=1)),
    "states of no layer": ("predictor", lambda values: values[:0]),
    "states of no rank": ("predictor", np.ravel),
}


@pytest.mark.parametrize("folder", [GOLDEN, TINY_EN], ids=["fp32", "int8"])
@pytest.mark.parametrize("name", CHANGES)
def test_every_network_is_held_to_what_its_files_promise(folder, name):
    wanted, change = CHANGES[name]
    context = ContextConfig(1.0, 0.4, 0.4)

    def recognise():
        recognizer = load(
            folder,
            threads=1,
            runtime="onnxruntime",
            wrap=lambda session, role: Changed(session, change) if role == wanted else session,
        )
        stream = recognizer.stream(context)
        stream.feed(noise(2.0))
        stream.finish()

    with pytest.raises(ModelFormatError, match=r"model.*onnx gave \S+ as .* instead of \("):
        recognise()


def test_more_frames_than_there_are_do_not_matter():
    def longer(values):
        return np.concatenate([values, values], axis=-1)

    def text(change):
        recognizer = load(
            GOLDEN,
            threads=1,
            wrap=lambda session, role: Changed(session, change) if role == "encoder" else session,
        )
        return recognizer.transcribe(noise(2.0))

    assert text(longer) == text(lambda values: values)
