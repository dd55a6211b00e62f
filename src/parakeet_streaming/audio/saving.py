"""Float32 of one rate goes in as it comes; an audio file of that sound comes out.

Rules of this file:

1. The name's suffix decides the format: FLAC and WAV as 16-bit samples, Ogg Vorbis, MP3.
2. What was written stays readable, whatever happens: sound goes to the disk within a second, and a
   program that is killed loses no more. The header is completed by `close`.
3. A file that is there is never overwritten: what was recorded cannot be recorded again.

With `files.py`, which reads, this is the only file that imports soundfile.
"""

from __future__ import annotations

from contextlib import suppress
from os import PathLike
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import soundfile
from numpy.typing import NDArray

from parakeet_streaming.errors import OptionError

FORMATS: Final = {".flac": "FLAC", ".wav": "WAV", ".ogg": "OGG", ".mp3": "MP3"}
"""Names of libsndfile by suffix."""
_FLUSH_S: Final = 1.0


class SavedSound:
    """One file that grows while sound comes. Not thread-safe."""

    def __init__(self, path: str | PathLike[str], rate_hz: int, channels: int = 1) -> None:
        """Makes the file.

        Raises:
            OptionError: a suffix that means no format, a file that is there, a folder that is not
                or where nothing may be written, or a rate or channels that the format does not
                have.
        """
        self.path = Path(path)
        self.samples = 0
        """Samples written."""
        written_as = FORMATS.get(self.path.suffix.lower())
        if written_as is None:
            raise OptionError(f"{self.path} ends in no format; use {', '.join(FORMATS)}")
        self._make()
        self._flush_samples = round(_FLUSH_S * rate_hz)
        self._unflushed_samples = 0
        self._sound: Any = self._open(written_as, rate_hz, channels)

    def write(self, samples: NDArray[np.float32]) -> None:
        """Adds samples, float32 (n,) or (n, channels); what is louder than full scale is clipped.

        Raises:
            OSError: the disk is full, or gone; what was written before stays.
        """
        try:
            self._sound.write(samples)
        except soundfile.LibsndfileError as error:
            # libsndfile says "System error." and no more.
            raise OSError(
                f"{self.path} cannot be written any more; is there room on its disk?"
            ) from error
        self.samples += len(samples)
        self._unflushed_samples += len(samples)
        if self._unflushed_samples >= self._flush_samples:
            self._unflushed_samples = 0
            self._sound.flush()

    def close(self) -> None:
        """Completes the header and closes the file; closing twice is fine.

        Raises:
            OptionError: the disk is full, or gone; what was written before stays.
        """
        try:
            self._sound.close()
        except soundfile.LibsndfileError as error:
            raise OptionError(
                f"{self.path} cannot be completed; is there room on its disk? What was written "
                "before stays"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _make(self) -> None:
        try:
            self.path.open("x").close()
        except FileExistsError:
            raise OptionError(f"{self.path} is there already; use another name") from None
        except (FileNotFoundError, NotADirectoryError):
            raise OptionError(f"there is no folder for {self.path}; make it first") from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise OptionError(f"cannot write {self.path}: {reason}") from error

    def _open(self, written_as: str, rate_hz: int, channels: int) -> Any:  # noqa: ANN401
        # soundfile has no types
        try:
            return soundfile.SoundFile(self.path, "w", rate_hz, channels, format=written_as)
        except soundfile.LibsndfileError as error:
            with suppress(OSError):
                self.path.unlink()
            raise OptionError(
                f"{self.path} cannot be written ({error.error_string}): {written_as} may have no "
                f"sound of {channels} channel{'s' * (channels > 1)} at {rate_hz} Hz, or the disk "
                "no room; use .flac, or another disk"
            ) from error
