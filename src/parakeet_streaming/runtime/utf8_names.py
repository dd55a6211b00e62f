"""A path whose bytes are no UTF-8 in; a name of the same file that runtimes take, out.

On Linux a file's name is any bytes. Python holds what is no UTF-8 in half characters, which the
runtimes refuse with messages of their own ("incompatible constructor arguments").
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from parakeet_streaming.catalog.temporary import temporary_folder
from parakeet_streaming.errors import ModelFormatError


def is_utf8(path: Path | str) -> bool:
    """Whether a path can be written in UTF-8."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


@contextmanager
def utf8_name(path: Path) -> Iterator[str]:
    """A name of the file that is UTF-8, as long as the body runs.

    It is the path itself, or leads through a link to the file's folder, so that what lies beside
    the file lies beside it there too.

    Raises:
        ModelFormatError: the file's own name is no UTF-8, or no link can be made.
        UnavailableError: there is no folder for temporary files.
    """
    if is_utf8(path):
        yield str(path)
        return
    shown = repr(str(path))
    if not is_utf8(path.name):
        raise ModelFormatError(f"the name of {shown} is no UTF-8; rename the file")
    with tempfile.TemporaryDirectory(prefix="parakeet-", dir=temporary_folder()) as folder:
        link = Path(folder, "model")
        try:
            link.symlink_to(path.absolute().parent, target_is_directory=True)
        except OSError as error:
            raise ModelFormatError(
                f"the path {shown} is no UTF-8, and no link to it can be made in {folder} "
                f"({error}); rename the folder"
            ) from error
        yield str(link / path.name)
