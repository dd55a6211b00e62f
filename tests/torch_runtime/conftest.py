"""The small model of the torch networks' tests, on torch's processor device and as files."""

import pytest


@pytest.fixture(scope="session")
def small_model():
    """Its weights are all random, as those of a trained model differ: none is there twice."""
    torch = pytest.importorskip("torch", reason="the torch extra")
    from parakeet_streaming.torch_model.fastconformer import EncoderConfig
    from parakeet_streaming.torch_model.transducer import Transducer, TransducerConfig

    torch.manual_seed(0)
    encoder = EncoderConfig(subsampling_channels=8, width=32, layers=2, heads=2)
    config = TransducerConfig(encoder, vocabulary=9, predictor_width=16, joint_width=24)
    model = Transducer(config)
    with torch.no_grad():
        for values in model.parameters():
            values.add_(0.1 * torch.randn_like(values))
        for layer in model.encoder.layers:
            for values in layer.attention.parameters():
                values.mul_(2)
            layer.convolution.batch_norm.running_mean.uniform_()
            layer.convolution.batch_norm.running_var.uniform_(0.5, 2)
        model.joint.out.weight.mul_(8)
    return model.eval()


@pytest.fixture(scope="session")
def small_folder(small_model, tmp_path_factory):
    """The small model, exported."""
    from parakeet_streaming.export.onnx_files import write_model

    folder = tmp_path_factory.mktemp("small")
    write_model(small_model, ["<unk>", "▁", *"abcdef"], folder)
    return folder


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


READY = (
    *("2-0.5-0.5", "1-0.24-0", "0-0.4-0.4", "10-1-1", "1-0.4-0.4", "3-1.12-0.24", "4-2-1"),
    *("1-0.24-0.56", "0-0.4-0"),
)
"""Contexts whose steps are made ready; others get steps of their own size."""


@pytest.fixture(scope="session")
def ready_transducer(small_model, cpu):
    """The same model, whose steps have fixed shapes and places: what a GPU captures."""
    from parakeet_streaming.torch_runtime.transducer import TorchTransducer

    return _made_ready(TorchTransducer(small_model, cpu, fixed_shapes=True, fingerprint="small"))


@pytest.fixture(scope="session")
def replaying_transducer(small_model, cpu):
    """The same, and its steps are replayed as those of a graph are."""
    from parakeet_streaming.torch_runtime.transducer import TorchTransducer
    from tests.torch_runtime.recorded_graph import record_graphs

    made = TorchTransducer(small_model, cpu, fixed_shapes=True, fingerprint="small")
    record_graphs(made)
    return _made_ready(made)


def _made_ready(made):
    from parakeet_streaming import ContextConfig

    contexts = [ContextConfig.parse(each) for each in READY]
    for cached in (False, True):
        for _ in made.prepare_steps(contexts, most_rows=12, most_streams=60, cached=cached):
            pass
    return made


@pytest.fixture(params=["own", "ready", "replaying"])
def any_transducer(request, transducer, ready_transducer, replaying_transducer):
    """With steps of their own size, and with those that were made ready."""
    return {"own": transducer, "ready": ready_transducer, "replaying": replaying_transducer}[
        request.param
    ]
