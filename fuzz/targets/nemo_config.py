"""A `model_config.yaml` in an archive that is right otherwise."""

import io
import tarfile
from collections.abc import Iterator
from contextlib import suppress

from fuzz.catalogue import ROOT
from fuzz.scratch import scratch_file
from parakeet_streaming.errors import ParakeetError
from parakeet_streaming.torch_model.nemo import CONFIG_NAME, WEIGHTS_NAME, read_nemo

GOLDEN = ROOT / "tests" / "parity" / "golden" / "tdt-tiny.nemo"
LINES = b"""target: nemo.collections.asr.models.rnnt_bpe_models.EncDecRNNTBPEModel
sample_rate: 16000
tokenizer: {type: bpe, model_path: 'nemo:tokenizer.model'}
preprocessor: {_target_: AudioToMelSpectrogramPreprocessor, features: 80, n_fft: 512}
encoder: {_target_: ConformerEncoder, feat_in: 80, n_layers: 1, d_model: 8, n_heads: 2}
decoder: {prednet: {pred_hidden: 8, pred_rnn_layers: 1}, vocab_size: 4}
joint: {num_extra_outputs: 5, jointnet: {joint_hidden: 8}}
decoding: {durations: [0, 1, 2, 3, 4], greedy: {max_symbols: 10}}
loss: {loss_name: tdt, tdt_kwargs: {durations: [0, 1, 2, 3, 4], sigma: 0.02}}
"""


def run(data: bytes) -> None:
    with suppress(ParakeetError):
        read_nemo(scratch_file("model.nemo", _archive(data), "nemo"))


def _archive(config: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for name, content in ((CONFIG_NAME, config), (WEIGHTS_NAME, b"none")):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return file.getvalue()


def seeds() -> Iterator[bytes]:
    yield LINES
    yield LINES.replace(b"[0, 1, 2, 3, 4]", b"&d [0, 1, 2, 3, 4]", 1).replace(b"16000", b"*d")
    yield b"a: &a [1,1]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: &d [*c,*c]\ntarget: [*d,*d]\n"
    yield b"? [1, 2]\n: x\n<<: {a: 1}\nx: 2001-01-01\ny: !!set {a}\nz: !!binary AAAA\n"
    if GOLDEN.is_file():
        with tarfile.open(GOLDEN) as tar:
            config = tar.extractfile(f"./{CONFIG_NAME}")
            assert config is not None
            yield config.read()
