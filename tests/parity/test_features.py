"""Our features against NeMo's own and against the preprocessor file of the community exports.

NeMo's float32 features are themselves up to 4e-4 from exact arithmetic, and up to 5e-4 from
`nemo128.onnx`, in bands that hold nothing but rounding noise (recordings that were MP3 once). So
all but one value in a thousand must be within 1e-4, and the largest difference must be no more
than what the two references differ by.
"""

from pathlib import Path

import numpy as np
import onnx_asr
import pytest
import soundfile

from parakeet_streaming.model.features import log_mel
from parakeet_streaming.runtime.session import open_session

GOLDEN = Path(__file__).parent / "golden"
FROM_NEMO = np.load(GOLDEN / "nemo_features.npz")
START = 30_000
BOUND = 1e-4
NOISE_BOUND = 6e-4


def recording(name: str) -> np.ndarray:
    samples, _ = soundfile.read(GOLDEN / "audio" / f"{name}.wav", dtype="float32")
    return samples


def assert_equal(ours: np.ndarray, theirs: np.ndarray) -> None:
    assert ours.dtype == np.float32
    assert ours.shape == theirs.shape
    assert np.isfinite(ours).all()
    difference = np.abs(ours - theirs)
    assert difference.max(initial=0) <= NOISE_BOUND
    if difference.size >= 1000:
        assert (difference > BOUND).mean() <= 1e-3


@pytest.mark.parametrize("name", FROM_NEMO.files)
def test_equal_to_nemo(name: str) -> None:
    source, mel_bins, length = name.split("-")
    samples = recording(source)[START : START + int(length)]
    assert_equal(log_mel(samples, int(mel_bins)), FROM_NEMO[name])


@pytest.mark.parametrize("name", ["espeak", "cards", "librivox-short", "jfk", "pauses"])
def test_equal_to_the_preprocessor_file(name: str) -> None:
    folder = Path(onnx_asr.__file__).parent / "preprocessors" / "data"
    preprocessor = open_session(folder / "nemo128.onnx")
    samples = recording(name)
    outputs = preprocessor.run(
        {"waveforms": samples[None], "waveforms_lens": np.array([samples.shape[0]])}
    )
    frames = int(outputs["features_lens"][0])
    assert_equal(log_mel(samples, 128), outputs["features"][0, :, :frames])


@pytest.mark.parametrize("name", ["espeak", "cards", "librivox-short"])
def test_full_band_speech_is_within_the_bound_everywhere(name: str) -> None:
    folder = Path(onnx_asr.__file__).parent / "preprocessors" / "data"
    preprocessor = open_session(folder / "nemo128.onnx")
    samples = recording(name)
    outputs = preprocessor.run(
        {"waveforms": samples[None], "waveforms_lens": np.array([samples.shape[0]])}
    )
    ours = log_mel(samples, 128)
    assert np.abs(ours - outputs["features"][0, :, : ours.shape[1]]).max() <= BOUND
