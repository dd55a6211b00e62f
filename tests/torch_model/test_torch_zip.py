"""Torch files that would take more than they have."""

import io
import zipfile

import pytest

torch = pytest.importorskip("torch", reason="the training group")

from parakeet_streaming.errors import ModelFormatError
from parakeet_streaming.torch_model import torch_zip
from parakeet_streaming.torch_model.torch_zip import check_records


def saved():
    file = io.BytesIO()
    torch.save({"a": torch.ones(3)}, file)
    return file


def again(change, packing=zipfile.ZIP_STORED):
    """The same file with other records."""
    file = io.BytesIO()
    with zipfile.ZipFile(saved()) as old, zipfile.ZipFile(file, "w", packing) as new:
        for each in old.infolist():
            new.writestr(each.filename, change(each.filename, old.read(each)))
    return file


def test_what_torch_saves_is_taken():
    file = saved()
    check_records(file, "a.ckpt")
    assert file.tell() == 0
    check_records(again(lambda _, content: content), "a.ckpt")


@pytest.mark.parametrize("packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_compressed_record_is_refused(packing):
    with pytest.raises(ModelFormatError, match=r"data\.pkl' in it is compressed"):
        check_records(again(lambda _, content: content, packing), "a.ckpt")


def test_records_that_share_bytes_are_refused():
    content = bytearray(again(lambda _, content: content).getvalue())
    at = content.rindex(b"PK\x01\x02")
    content[at + 20 : at + 28] = (2**30).to_bytes(4, "little") * 2
    with pytest.raises(ModelFormatError, match="its records have"):
        check_records(io.BytesIO(content), "a.ckpt")


def test_a_list_of_tensors_of_any_size_is_not_unpickled(monkeypatch):
    monkeypatch.setattr(torch_zip, "MOST_VALUES_BYTES", 1000)
    large = again(lambda name, content: bytes(1001) if name.endswith(".pkl") else content)
    with pytest.raises(ModelFormatError, match="more than 1000 bytes"):
        check_records(large, "a.ckpt")


def test_a_list_of_records_of_any_size_is_not_read(monkeypatch):
    monkeypatch.setattr(torch_zip, "MOST_RECORDS_BYTES", 2**17)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as many:
        for at in range(3000):
            many.writestr(f"{at:0100}", b"")
    with pytest.raises(ModelFormatError, match="the list of records has more than 131072 bytes"):
        check_records(file, "a.ckpt")


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x05\x06" + bytes(18)[:10], b"\x80\x02}.", saved().getvalue()[:-30]],
    ids=["nothing", "a cut end", "a pickle", "cut"],
)
def test_what_is_no_zip_is_refused(content):
    with pytest.raises(ModelFormatError, match=r"a\.ckpt is no file of weights"):
        check_records(io.BytesIO(content), "a.ckpt")
