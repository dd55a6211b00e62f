"""A file that is read, and how it goes."""

import numpy as np

from parakeet_streaming import ContextConfig, Final, Partial
from parakeet_streaming.cli.file_transcription import FileTranscription
from parakeet_streaming.cli.interruption import Interruption
from parakeet_streaming.errors import AudioFormatError
from parakeet_streaming.testing import Cue, fake_recognizer, marked_audio

CONTEXT = ContextConfig(0.8, 0.4, 0.24)
AUDIO = marked_audio(25)
BLOCKS = [AUDIO[start : start + 800] for start in range(0, 32_000, 800)]


def new(blocks=BLOCKS, duration_s=2.0, interruption=None):
    recognizer = fake_recognizer([Cue(1, 0, 1), Cue(12, 1, 2)], ["one", "two"])
    interruption = interruption or Interruption()
    return FileTranscription(
        recognizer.stream(CONTEXT), blocks, interruption, duration_s=duration_s
    )


def test_steps_come_one_by_one_and_text_is_whole():
    reading = new()
    *partials, final = reading.events()
    assert len(partials) > 3
    assert all(isinstance(partial, Partial) for partial in partials)
    assert "".join(partial.text for partial in partials) == "one two"
    assert isinstance(final, Final)
    assert reading.received_s == 2.0
    assert reading.transcript().text == "one two"
    assert reading.failure is None
    assert list(reading.messages()) == []


def test_status_tells_how_far_and_how_fast():
    reading = new()
    list(reading.events())
    reading.processing_s = 0.5
    assert reading.status().endswith("0:02 of 0:02 · RTFx 4")
    assert reading.summary() == "2.0 s of audio, 0.50 s of computing · RTFx 4"


def test_unknown_duration_shows_no_bar():
    assert new(duration_s=None).status() == "0:00 · RTFx 0"


def test_what_was_read_before_a_break_is_reported():
    def broken():
        yield from BLOCKS[:30]
        raise AudioFormatError("it is broken")

    reading = new(broken())
    *partials, final = reading.events()
    assert "".join(partial.text for partial in partials) == "one two"
    assert isinstance(final, Final)
    assert str(reading.failure) == "it is broken"


def test_interrupted_it_decodes_what_was_read():
    interruption = Interruption()

    def blocks():
        yield np.concatenate(BLOCKS[:10])
        interruption.asked = True
        yield np.concatenate(BLOCKS[10:])

    reading = new(blocks(), interruption=interruption)
    *partials, _ = reading.events()
    assert "".join(partial.text for partial in partials) == "one"
    assert reading.received_s == 0.5
