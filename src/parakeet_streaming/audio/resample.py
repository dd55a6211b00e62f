"""Float32 mono (n,) at one rate goes in, piece by piece; float32 mono (m,) at another comes out.

Rules of this file:

1. Slicing never changes a bit: any pieces give, joined, what one piece would have given.
2. All pieces together give round(n · out / in) samples; sample i of the output is heard at i / out.
3. The filter holds back what it cannot finish yet: below 0.1 s of audio from 11 kHz upwards, 0.12 s
   at 8 kHz, 0.25 s at 4 kHz. `finish` hands it out. Equal rates hold back nothing.

This is the only file that imports soxr.
"""

from __future__ import annotations

import numpy as np
import soxr
from numpy.typing import NDArray

from parakeet_streaming.errors import OptionError, StreamClosedError
from parakeet_streaming.timeline import MAX_INPUT_RATE_HZ, MIN_INPUT_RATE_HZ, SAMPLE_RATE_HZ


class Resampler:
    """One stream of audio on its way from `rate_in_hz` to `rate_out_hz`.

    Raises:
        OptionError: a rate outside 4–384 kHz.
    """

    def __init__(self, rate_in_hz: int, rate_out_hz: int = SAMPLE_RATE_HZ) -> None:
        for rate_hz in (rate_in_hz, rate_out_hz):
            if not MIN_INPUT_RATE_HZ <= rate_hz <= MAX_INPUT_RATE_HZ:
                raise OptionError(
                    f"cannot resample at {rate_hz} Hz; "
                    f"use {MIN_INPUT_RATE_HZ} to {MAX_INPUT_RATE_HZ} Hz"
                )
        self._soxr = soxr.ResampleStream(rate_in_hz, rate_out_hz, 1, dtype="float32", quality="HQ")
        self._finished = False

    def feed(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take the next samples, float32 (n,) with n ≥ 0; hand back those that are done, (m,).

        Raises:
            StreamClosedError: after `finish`.
        """
        return self._convert(samples, last=False)

    def finish(self) -> NDArray[np.float32]:
        """Hand back everything that was held back, float32 (m,); the resampler is then closed.

        Raises:
            StreamClosedError: after `finish`.
        """
        rest = self._convert(np.zeros(0, np.float32), last=True)
        self._finished = True
        return rest

    def _convert(self, samples: NDArray[np.float32], *, last: bool) -> NDArray[np.float32]:
        if self._finished:
            raise StreamClosedError("this resampler is finished; make a new one for new audio")
        converted: NDArray[np.float32] = self._soxr.resample_chunk(samples, last=last)
        return converted
