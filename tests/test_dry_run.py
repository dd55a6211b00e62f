import dataclasses

import pytest

from parakeet_streaming.catalog.files import find_parts
from parakeet_streaming.catalog.spec import read_spec
from parakeet_streaming.dry_run import try_out
from parakeet_streaming.errors import ModelFormatError, ProviderMissingError
from parakeet_streaming.runtime.onnx_runtime import available_providers
from tests.catalog.graphs import GOLDEN, TINY_EN, three_file_folder


@pytest.mark.parametrize("folder", [GOLDEN, TINY_EN], ids=["golden", "tiny-en"])
def test_real_models_run(folder):
    parts = find_parts(folder)
    trial = try_out(parts, read_spec(parts), provider="cpu", threads=1)
    assert trial.frames == 13
    assert (trial.providers, trial.threads) == (("CPUExecutionProvider",), 1)
    assert min(trial.load_ms, trial.encode_ms, trial.decode_ms) > 0


def test_a_three_file_model_runs(tmp_path):
    parts = find_parts(three_file_folder(tmp_path))
    assert try_out(parts, read_spec(parts), threads=1).frames == 13


@pytest.mark.parametrize(
    ("change", "said"),
    [({"encoder_width": 95}, r"\(1, 95, 13\)"), ({"durations": ()}, r"\(1, 1, 1, 257\)")],
)
def test_another_shape_is_an_error(change, said):
    parts = find_parts(GOLDEN)
    spec = dataclasses.replace(read_spec(parts), **change)
    with pytest.raises(ModelFormatError, match=rf"instead of {said}"):
        try_out(parts, spec, threads=1)


@pytest.mark.skipif("CoreMLExecutionProvider" in available_providers(), reason="offered here")
def test_a_provider_that_is_not_there():
    parts = find_parts(GOLDEN)
    with pytest.raises(ProviderMissingError):
        try_out(parts, read_spec(parts), provider="coreml")
