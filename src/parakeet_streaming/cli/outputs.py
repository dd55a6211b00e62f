"""Events and the whole of one recording in; its file, or standard output, out.

Rules of this file:

1. Text and subtitles are written as they become sure, events as they come, one JSON object at the
   end. What is written is in the file, or in the pipe, at once.
2. Until the object of JSON is written, its file beside has the events, one a line.
3. Several recordings on standard output have one header and one numbering.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from parakeet_streaming import formats
from parakeet_streaming.channels import ChannelEvent
from parakeet_streaming.cli.display import Told
from parakeet_streaming.cli.messages import complain
from parakeet_streaming.cli.result_file import ResultFile
from parakeet_streaming.cli.separate_text import SeparateCues, SeparateUtterances
from parakeet_streaming.cli.sure_text import SureText
from parakeet_streaming.plain_text import readable
from parakeet_streaming.results import Final as FinalEvent
from parakeet_streaming.results import Transcript
from parakeet_streaming.subtitles.cues import Cue, CueBuilder
from parakeet_streaming.subtitles.options import TRADE, SubtitleOptions
from parakeet_streaming.subtitles.units import Unit


class Series:
    """What results that follow one another on standard output know of each other."""

    def __init__(self, *, several: bool = False) -> None:
        """`several`: whether more than one result follows."""
        self.several = several
        self.begun = False
        self.next_cue = 1


class Output:
    """The result of one input in one format, on a path or on standard output.

    Plain text on standard output is written by the display, not here.

    Raises:
        OptionError: the path cannot be written.
    """

    def __init__(
        self,
        source: str,
        format: str,
        path: Path | None,
        *,
        append: bool = False,
        in_place: bool = True,
        series: Series | None = None,
        labels: Sequence[str] = (),
        subtitles: SubtitleOptions = TRADE,
    ) -> None:
        """An output that is opened when it is entered.

        Args:
            source: what the recording is called.
            format: one of `formats.FORMATS`.
            path: None for standard output.
            append: whether to keep what the file holds.
            in_place: whether others read the file while it grows; else it takes its name when it
                is whole.
            series: of the results on standard output.
            labels: what channels are called, where they are apart.
            subtitles: how they are to be.
        """
        self._source = source
        self._format = format
        self._path = path
        self._append = append
        self._in_place = in_place
        self._series = series or Series()
        self._file: ResultFile | None = None
        self._labels = labels
        self._utterances = SeparateUtterances(labels)
        self._channel_cues = SeparateCues(labels, subtitles)
        self._text = SureText(subtitles)
        self._cues = CueBuilder(subtitles)
        self._in_line = False
        self._heard = False
        self._whole = False

    def write_event(self, event: Told) -> None:
        """Writes what the format writes for an event."""
        if self._format == "jsonl":
            self._write(formats.to_jsonl_event(event, self._source, self._labels))
        elif self._format == "json":
            if self._file is not None and not self._in_place:
                self._write(formats.to_jsonl_event(event, self._source, self._labels))
        elif isinstance(event, ChannelEvent):
            self._write_channels(event)
        else:
            self._write_text(self._text.feed(event))
            if isinstance(event, FinalEvent):
                self._end_utterance(event.transcript)

    def write_whole(self, recording: formats.Recording, *, whole: bool = True) -> None:
        """Writes what the format writes at the end.

        Args:
            recording: all of it.
            whole: whether it was heard to its end; else it replaces no older result.
        """
        if self._labels and self._format not in ("json", "jsonl"):
            self._write_channels(None)
        if self._format == "json" and self._file is not None:
            self._file.restart()
        if self._format in ("json", "jsonl"):
            self._write(formats.render(recording, self._format))
        self._heard, self._whole = True, whole

    def __enter__(self) -> Self:
        if self._path is not None:
            self._file = ResultFile(self._path, append=self._append, in_place=self._in_place)
        if self._format == "vtt":
            if not self._series.begun:
                self._write(formats.VTT_HEADER)
            if self._series.several:
                self._write(formats.to_vtt_note(self._source))
        self._series.begun = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is None:
            return
        kept = self._file.close(
            whole=self._whole and kind is None, heard=self._heard or kind is not None
        )
        if kept is not None:
            complain(f"{self._path} is as it was; what was heard is in {kept}")

    def _write_text(self, units: Iterable[Unit]) -> None:
        for unit in units:
            if self._format != "txt":
                self._write_cues(self._cues.add(unit))
            elif self._path is not None:
                space = " " if self._in_line and unit.space else ""
                end = "\n" if unit.ends_segment else ""
                self._write(space + readable(unit.text) + end)
                self._in_line = not unit.ends_segment

    def _write_channels(self, event: ChannelEvent | None) -> None:
        """Writes what became sure with an event; with None, all that is left."""
        if self._format != "txt":
            cues = self._channel_cues
            self._write_cues(cues.rest() if event is None else cues.feed(event))
        elif self._path is not None:
            told = self._utterances
            for each in told.rest() if event is None else told.feed(event):
                if readable(each.text).strip():
                    self._write(f"{each.line}\n")

    def _end_utterance(self, transcript: Transcript) -> None:
        if self._format != "txt":
            self._write_cues(self._cues.end(transcript.audio_s))
        elif self._in_line:
            self._write("\n")
            self._in_line = False

    def _write_cues(self, cues: Iterable[Cue]) -> None:
        for cue in cues:
            if self._format == "vtt":
                self._write(formats.to_vtt_cue(cue))
            else:
                self._write(formats.to_srt_cue(cue, self._series.next_cue))
            self._series.next_cue += 1

    def _write(self, text: str) -> None:
        if self._file is not None:
            self._file.write(text)
            return
        sys.stdout.write(text)
        sys.stdout.flush()
