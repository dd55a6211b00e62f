"""Where results go: `--output` and the inputs' names in; files, or standard output, out.

Rules of this file:

1. Without `--output` everything goes to standard output.
2. An existing folder, or a name ending in a separator, is a folder: one file per input, named after
   it. Anything else is a file and holds the result of one input.
3. Two inputs never share a file: where names would clash, the input's suffix stays in the name.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Self, TextIO

from parakeet_streaming import formats
from parakeet_streaming.errors import OptionError
from parakeet_streaming.results import Partial

STDIN = "-"


def output_paths(inputs: Sequence[str], output: str | None, suffix: str) -> dict[str, Path | None]:
    """The output of each input; None is standard output.

    Raises:
        OptionError: several inputs for one file, or a folder that is missing or cannot be made.
    """
    if output is None:
        return dict.fromkeys(inputs)
    if not (Path(output).is_dir() or output.endswith(("/", os.sep))):
        if len(inputs) > 1:
            raise OptionError(f"{output} is one file for {len(inputs)} inputs; name a folder")
        if not Path(output).absolute().parent.is_dir():
            raise OptionError(f"there is no folder for {output}; make it first")
        return {inputs[0]: Path(output)}
    folder = Path(output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OptionError(f"cannot make the folder {folder}: {error.strerror}") from error
    stems = Counter(_stem(each) for each in inputs)
    return {
        each: folder / f"{_stem(each) if stems[_stem(each)] == 1 else Path(each).name}.{suffix}"
        for each in inputs
    }


def _stem(source: str) -> str:
    return "stdin" if source == STDIN else Path(source).stem


class Output:
    """The result of one input in one format, on a path or on standard output.

    Raises:
        OptionError: the path cannot be written.
    """

    def __init__(self, source: str, format: str, path: Path | None) -> None:
        self._source = source
        self._format = format
        self._path = path
        self._file: TextIO = sys.stdout

    def write_partial(self, partial: Partial) -> None:
        """One line per step, where the format is a stream of events."""
        if self._format == "jsonl":
            self._file.write(formats.to_jsonl_event(partial, self._source))
            self._file.flush()

    def write(self, recording: formats.Recording) -> None:
        """The whole result; plain text on standard output has been written already."""
        if self._format != "txt" or self._path is not None:
            self._file.write(formats.render(recording, self._format))
            self._file.flush()

    def __enter__(self) -> Self:
        if self._path is not None:
            try:
                self._file = self._path.open("w", encoding="utf-8")
            except OSError as error:
                raise OptionError(f"cannot write {self._path}: {error.strerror}") from error
        return self

    def __exit__(self, *_: object) -> None:
        if self._path is not None:
            self._file.close()
