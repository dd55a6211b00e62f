"""A `.nemo` file: a tar, perhaps gzipped, and its members."""

import gzip
import io
import tarfile
from collections.abc import Iterator
from contextlib import suppress

from fuzz.scratch import scratch_file
from parakeet_streaming.errors import ParakeetError
from parakeet_streaming.torch_model.archive import open_archive

NAMES = ("model_config.yaml", "model_weights.ckpt", "tokenizer.model")


def run(data: bytes) -> None:
    path = scratch_file("model.nemo", data)
    with suppress(ParakeetError), open_archive(path) as archive:
        for name in NAMES:
            with suppress(ParakeetError):
                archive.read(name)
            with suppress(ParakeetError), archive.open(name) as file:
                file.read(100)
                file.seek(0)


def seeds() -> Iterator[bytes]:
    for kind in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        whole = _tar(kind)
        yield whole
        yield gzip.compress(whole, mtime=0)


def _tar(kind: int) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=kind) as tar:
        for name in (f"./{NAMES[0]}", NAMES[1], "long/" * 30 + "é"):
            member = tarfile.TarInfo(name)
            member.size = 20
            tar.addfile(member, io.BytesIO(b"sample_rate: 16000\n\n"))
        link = tarfile.TarInfo(NAMES[2])
        link.type, link.linkname = tarfile.SYMTYPE, NAMES[0]
        tar.addfile(link)
    return file.getvalue()[:4096]
