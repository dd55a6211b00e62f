"""A small model with fixed random weights, and its files."""

import pytest


@pytest.fixture(scope="session")
def small_model():
    torch = pytest.importorskip("torch", reason="the export extra")
    from parakeet_streaming.torch_model.fastconformer import EncoderConfig
    from parakeet_streaming.torch_model.transducer import Transducer, TransducerConfig

    torch.manual_seed(0)
    encoder = EncoderConfig(subsampling_channels=8, width=32, layers=2, heads=2)
    config = TransducerConfig(encoder, vocabulary=9, predictor_width=16, joint_width=24)
    model = Transducer(config)
    for layer in model.encoder.layers:
        torch.nn.init.normal_(layer.attention.content_bias)
        torch.nn.init.normal_(layer.attention.position_bias)
        torch.nn.init.uniform_(layer.convolution.batch_norm.running_mean)
        torch.nn.init.uniform_(layer.convolution.batch_norm.running_var, 0.5, 2)
    with torch.no_grad():
        model.joint.out.weight.mul_(8)
    return model.eval()


@pytest.fixture(scope="session")
def small_folder(small_model, tmp_path_factory):
    """The small model, exported."""
    from parakeet_streaming.export.onnx_files import write_model

    folder = tmp_path_factory.mktemp("small")
    write_model(small_model, ["<unk>", "▁", *"abcdef"], folder)
    return folder
