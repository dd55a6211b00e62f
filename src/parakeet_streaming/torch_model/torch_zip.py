"""An open torch file in; nothing out: refuses one that would take more memory than it has bytes.

`torch.save` writes a zip whose records are stored as they are. A record that is compressed, or one
that shares its bytes with another, was written by something else: three megabytes may be three
gigabytes then. Files of torch before 1.6 are no zips; their readers have no bounds.
"""

from __future__ import annotations

import zipfile
from typing import IO, Final

from parakeet_streaming.errors import ModelFormatError
from parakeet_streaming.plain_text import shown, visible
from parakeet_streaming.torch_model.bounded_file import BoundedFile

MOST_RECORDS_BYTES: Final = 16 * 2**20
"""Of the list of records, some 200,000 of them: a model has one for each of 1,000 tensors."""
MOST_VALUES_BYTES: Final = 64 * 2**20
"""Of the record that says which tensors there are, `data.pkl`; that of a large model has 100 kB."""

_VALUES: Final = "data.pkl"


def check_records(file: IO[bytes], origin: str) -> None:
    """Leaves the file at its beginning.

    Raises:
        ModelFormatError: no zip, or one that torch did not write.
    """
    file.seek(0, 2)
    size_bytes = file.tell()
    bounded = BoundedFile(
        file, f"{origin}: the list of records", most_bytes=MOST_RECORDS_BYTES,
        most_sum_bytes=2 * MOST_RECORDS_BYTES,
    )  # fmt: skip
    try:
        with zipfile.ZipFile(bounded) as records:
            listed = records.infolist()
    except ModelFormatError:
        raise
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, OverflowError) as error:
        raise ModelFormatError(
            f"{origin} is no file of weights: {visible(str(error))}; fetch it again, or save it "
            "with a torch of today"
        ) from error
    for each in listed:
        if each.compress_type != zipfile.ZIP_STORED:
            raise _foreign(origin, f"{shown(each.filename)} in it is compressed")
        if each.filename.endswith(_VALUES) and each.file_size > MOST_VALUES_BYTES:
            raise _foreign(
                origin, f"{shown(each.filename)} in it has more than {MOST_VALUES_BYTES} bytes"
            )
    told_bytes = sum(each.file_size for each in listed)
    if told_bytes > size_bytes:
        raise _foreign(origin, f"its records have {told_bytes} bytes, and it has {size_bytes}")
    file.seek(0)


def _foreign(origin: str, what: str) -> ModelFormatError:
    return ModelFormatError(f"{origin} was not written by torch: {what}; do not use this file")
