"""Raw samples as bytes, cut anywhere: the same samples as from one piece."""

from collections.abc import Iterator
from contextlib import suppress

import numpy as np

from fuzz.choices import Choices, sliced
from parakeet_streaming.audio.pcm_decoder import ENCODINGS, PcmDecoder
from parakeet_streaming.errors import AudioInputError, ParakeetError


def run(data: bytes) -> None:
    choices = Choices(data)
    encoding = choices.one_of((*ENCODINGS, "s8"))
    channels = choices.number(0, 33)
    sizes = [choices.number(0, 40) for _ in range(4)]
    stream = choices.rest()
    with suppress(ParakeetError):
        whole = PcmDecoder(encoding, channels)
        expected = whole.feed(stream)
        second = PcmDecoder(encoding, channels)
        try:
            found = np.concatenate([second.feed(piece) for piece in sliced(stream, sizes)])
        except AudioInputError as error:
            raise AssertionError("a piece was refused, and the whole was not") from error
        assert np.array_equal(found, expected)
        assert second.finish() == whole.finish()


def seeds() -> Iterator[bytes]:
    for number in range(len(ENCODINGS)):
        for channels in (1, 2):
            yield bytes((number, channels, 1, 7, 0, 3)) + bytes(range(1, 97))
    yield bytes((4, 1, 1, 7, 0, 3)) + np.array([0, np.nan, np.inf], "<f4").tobytes()
    yield bytes((0, 0, 1, 1, 1, 1))
