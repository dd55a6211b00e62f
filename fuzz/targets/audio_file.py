"""A file of any container, as libsndfile and PyAV open it."""

from collections.abc import Iterator
from contextlib import suppress

import numpy as np

from fuzz.choices import Choices
from fuzz.scratch import scratch_file
from fuzz.sounds import sounds
from parakeet_streaming.audio.files import open_audio
from parakeet_streaming.errors import ParakeetError

MOST_BLOCKS = 500
TRACKS = (None, None, 1, 2, 0, -1, "en", "deu", "")


def run(data: bytes) -> None:
    choices = Choices(data)
    track, strict = choices.one_of(TRACKS), choices.flag()
    path = scratch_file("sound", choices.rest())
    with suppress(ParakeetError), open_audio(path, track=track, strict=strict) as audio:
        for number, block in enumerate(audio.blocks()):
            assert block.dtype == np.float32 and block.ndim == 1
            assert np.isfinite(block).all()
            if number > MOST_BLOCKS:
                break
        "".join(audio.warnings)


def seeds() -> Iterator[bytes]:
    return (b"\0\0" + sound for sound in sounds())
