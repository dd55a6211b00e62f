"""Where results go: `--output` and the inputs' names in; files, or standard output, out.

Rules of this file:

1. Without `--output` everything goes to standard output.
2. An existing folder, or a name ending in a separator, is a folder: one file per input, named after
   it. Anything else is a file and holds the result of one input.
3. Two inputs never share a file: where names would clash, the input's suffix stays in the name.
4. Text and subtitles are written utterance by utterance, events as they come, one JSON object at
   the end. What was written is in the file at once.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Self, TextIO

from parakeet_streaming import formats
from parakeet_streaming.errors import OptionError
from parakeet_streaming.results import Event, Transcript
from parakeet_streaming.results import Final as FinalEvent

STDIN = "-"

APPENDABLE: Final = ("txt", "jsonl")
"""Formats of which one result may follow another in one file."""


def check_format(format: str, *, append: bool = False) -> None:
    """Refuses a format that does not exist, or cannot be appended.

    Raises:
        OptionError: no such format, or one that cannot be appended to.
    """
    if format not in formats.FORMATS:
        raise OptionError(f"--format {format} does not exist; use {', '.join(formats.FORMATS)}")
    if append and format not in APPENDABLE:
        raise OptionError(
            f"--append does not go with {format}, which is one whole; use {' or '.join(APPENDABLE)}"
        )


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

    Plain text on standard output is written by the display, not here.

    Raises:
        OptionError: the path cannot be written.
    """

    def __init__(
        self, source: str, format: str, path: Path | None, *, append: bool = False
    ) -> None:
        self._source = source
        self._format = format
        self._path = path
        self._append = append
        self._file: TextIO = sys.stdout
        self._next_cue = 1

    def write_event(self, event: Event) -> None:
        """Writes what the format writes for an event."""
        if self._format == "jsonl":
            self._write(formats.to_jsonl_event(event, self._source))
        elif isinstance(event, FinalEvent):
            self._write_utterance(event.transcript)

    def write_whole(self, recording: formats.Recording) -> None:
        """Writes what the format writes at the end."""
        if self._format in ("json", "jsonl"):
            self._write(formats.render(recording, self._format))

    def __enter__(self) -> Self:
        if self._path is not None:
            try:
                self._file = self._path.open("a" if self._append else "w", encoding="utf-8")
            except OSError as error:
                raise OptionError(f"cannot write {self._path}: {error.strerror}") from error
        if self._format == "vtt":
            self._write(formats.VTT_HEADER)
        return self

    def __exit__(self, *_: object) -> None:
        if self._path is not None:
            # Every write was flushed, and a write that failed has raised its error.
            with suppress(OSError):
                self._file.close()

    def _write_utterance(self, transcript: Transcript) -> None:
        if self._format == "txt" and self._path is not None:
            self._write(formats.to_txt(transcript))
        elif self._format == "srt":
            self._write(formats.to_srt(transcript, self._next_cue))
            self._next_cue += sum(1 for _ in formats.cues(transcript))
        elif self._format == "vtt":
            self._write(formats.vtt_cues(transcript))

    def _write(self, text: str) -> None:
        try:
            self._file.write(text)
            self._file.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OptionError(f"cannot write {self._path or 'the output'}: {error}") from error
