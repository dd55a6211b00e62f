"""Events and the whole of one recording in; its file, or standard output, out.

Rules of this file:

1. Text and subtitles are written utterance by utterance, events as they come, one JSON object at
   the end. What was written is in the file at once.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import Self, TextIO

from parakeet_streaming import formats
from parakeet_streaming.errors import OptionError
from parakeet_streaming.results import Event, Transcript
from parakeet_streaming.results import Final as FinalEvent


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
