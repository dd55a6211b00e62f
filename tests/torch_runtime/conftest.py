"""The small model of the torch networks' tests on torch's processor device, and beside it as files."""

import pytest

from tests.torch_model.conftest import small_folder, small_model

__all__ = ["small_folder", "small_model"]


@pytest.fixture(scope="session")
def cpu():
    pytest.importorskip("torch", reason="the torch extra")
    from parakeet_streaming.torch_runtime.devices import open_device

    return open_device("cpu", threads=1)


@pytest.fixture(scope="session")
def transducer(small_model, cpu):
    from parakeet_streaming.torch_runtime.transducer import TorchTransducer

    return TorchTransducer(small_model, cpu, fingerprint="small")


@pytest.fixture(scope="session")
def cached_folder(small_model, tmp_path_factory):
    """The small model, exported with an encoder that keeps its past."""
    from parakeet_streaming.export.onnx_files import write_model

    folder = tmp_path_factory.mktemp("small-cached")
    write_model(small_model, ["<unk>", "▁", *"abcdef"], folder, cached=True)
    return folder
