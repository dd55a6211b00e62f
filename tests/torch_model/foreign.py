"""Nothing in; one small model as other programs write it out: transformers, NVIDIA NeMo.

Its weights and what it answers are from transformers itself (`tiny-hugging-face/write.py`).
"""

import io
import json
import shutil
import tarfile
from pathlib import Path

import numpy as np
import torch
import yaml
from safetensors.torch import load_file

TINY = Path(__file__).parent / "tiny-hugging-face"
TOKENIZER = TINY / "tokenizer.model"
PIECES = (
    *("<unk>", "<pad>", "ne", "ve", "▁f", "▁s", "▁t", "ee"),
    *("▁", "e", "i", "n", "o", "r", "t", "f", "h", "s", "v", "g", "u", "w", "x", "z"),
)
FITTING_TOKENIZER = "1f_tokenizer.model"

# What the converter of transformers does to NeMo's names, backwards and in this order.
_TO_NEMO = (
    ("encoder.subsampling.layers.", "encoder.pre_encode.conv."),
    ("encoder.subsampling.linear.", "encoder.pre_encode.out."),
    ("conv.norm.", "conv.batch_norm."),
    ("relative_k_proj", "linear_pos"),
    ("o_proj", "linear_out"),
    ("q_proj", "linear_q"),
    ("k_proj", "linear_k"),
    ("v_proj", "linear_v"),
    ("self_attn.bias_", "self_attn.pos_bias_"),
    ("decoder.embedding.", "decoder.prediction.embed."),
    ("decoder.lstm.", "decoder.prediction.dec_rnn.lstm."),
    ("decoder.decoder_projector.", "joint.pred."),
    ("encoder_projector.", "joint.enc."),
    ("joint.head.", "joint.joint_net.2."),
)


def hugging_face(folder: Path, **changes: object) -> Path:
    """The folder of transformers with other settings, `encoder_config__key` for the encoder's."""
    shutil.copytree(TINY, folder)
    config = json.loads((folder / "config.json").read_text())
    for key, value in changes.items():
        _set(config, key, value)
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def nemo_weights() -> dict[str, torch.Tensor]:
    renamed = {"preprocessor.featurizer.window": torch.zeros(400)}
    for name, values in load_file(TINY / "model.safetensors").items():
        for theirs, nemos in _TO_NEMO:
            name = name.replace(theirs, nemos)  # noqa: PLW2901
        renamed[name] = values
    return renamed


def nemo_config(**changes: object) -> dict[str, object]:
    config = {
        "target": "nemo.collections.asr.models.rnnt_bpe_models.EncDecRNNTBPEModel",
        "model_defaults": {"tdt_durations": [0, 1, 2, 3, 4], "num_tdt_durations": 5},
        "tokenizer": {"type": "bpe", "model_path": f"nemo:{FITTING_TOKENIZER}"},
        "preprocessor": {
            "sample_rate": 16_000,
            "normalize": "per_feature",
            "window_size": 0.025,
            "window_stride": 0.01,
            "features": 80,
            "n_fft": 512,
        },
        "encoder": {
            "_target_": "nemo.collections.asr.modules.ConformerEncoder",
            "feat_in": 80,
            "n_layers": 2,
            "d_model": 16,
            "n_heads": 2,
            "ff_expansion_factor": 2,
            "conv_kernel_size": 5,
            "subsampling": "dw_striding",
            "subsampling_factor": 8,
            "subsampling_conv_channels": 4,
            "xscaling": False,
            "att_context_size": [-1, -1],
        },
        "decoder": {
            "_target_": "nemo.collections.asr.modules.RNNTDecoder",
            "prednet": {"pred_hidden": 12, "pred_rnn_layers": 2, "dropout": 0.2},
            "vocab_size": len(PIECES),
        },
        "joint": {
            "_target_": "nemo.collections.asr.modules.RNNTJoint",
            "num_extra_outputs": 5,
            "jointnet": {"joint_hidden": 12, "activation": "relu", "dropout": 0.2},
        },
    }
    for key, value in changes.items():
        _set(config, key, value)
    return config


def nemo_members(weights: dict | None = None, **changes: object) -> dict[str, bytes]:
    """Names and contents of an archive; the weights come last, as NeMo has them."""
    saved = io.BytesIO()
    torch.save(nemo_weights() if weights is None else weights, saved)
    return {
        "./model_config.yaml": yaml.safe_dump(nemo_config(**changes)).encode(),
        f"./{FITTING_TOKENIZER}": TOKENIZER.read_bytes(),
        "./model_weights.ckpt": saved.getvalue(),
    }


def write_tar(path: Path, members: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def expected() -> dict[str, np.ndarray]:
    """features (B, F, T), lengths (B,), tokens (B, n) and what transformers answers to them."""
    return dict(np.load(TINY / "expected.npz"))


@torch.no_grad()
def answers(model) -> tuple[np.ndarray, np.ndarray]:
    """Frames and logits for the same features and tokens, zero after each row's length."""
    asked = {name: torch.from_numpy(values) for name, values in expected().items()}
    frames, lengths = model.encoder(asked["features"].float(), asked["lengths"])
    zeros = torch.zeros(2, 2, 12)
    histories = model.predictor(asked["tokens"], zeros, zeros)[0]
    logits = model.joint(frames, histories)
    assert lengths.tolist() == [5, 3]
    return silenced(frames.numpy()), silenced(logits.numpy())


def silenced(values: np.ndarray) -> np.ndarray:
    values = values.copy()
    values[1, 3:] = 0
    return values


def _set(config: dict, key: str, value: object) -> None:
    *path, last = key.split("__")
    for each in path:
        config = config[each]
    if value is None:
        config.pop(last, None)
    else:
        config[last] = value
