"""Files through the engine, in a loop."""

import asyncio
import io
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile

from parakeet_streaming.channels import ChannelTranscript
from parakeet_streaming.errors import AudioFormatError, CapacityError, ContextError
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.results import Transcript
from parakeet_streaming.server import recordings
from parakeet_streaming.server.file_readers import FileReaders
from parakeet_streaming.server.leading_silence import HEARD_S
from parakeet_streaming.server.recordings import (
    FileBegun,
    FileOptions,
    FileText,
    FileTranscription,
)
from parakeet_streaming.server.replies import TooLargeError, WrongRequestError
from parakeet_streaming.server.upload import Upload
from parakeet_streaming.timeline import ContextConfig
from tests.server.rest_serving import engine_of_the_built_in_model

DIGITS = Path(__file__).parents[2] / "examples" / "recordings" / "digits.wav"
SAID = "three one four one five nine two six"
CONTEXT = ContextConfig(2.0, 0.48, 0.48)


@pytest.fixture(scope="module")
def engine():
    with engine_of_the_built_in_model(most_recordings=1) as engine:
        yield engine


async def heard(engine, data, options=None, readers=None):
    """All events of a file, and its warnings."""
    upload = Upload()
    await upload.add(data)
    upload.end()
    transcription = FileTranscription(
        engine, readers or FileReaders(), upload, options or FileOptions(CONTEXT)
    )
    try:
        return [event async for event in transcription.events()], transcription.warnings
    finally:
        upload.close()
        await transcription.close()


def run(*arguments):
    return asyncio.run(heard(*arguments))


def sound(channels, seconds=1.0, format="FLAC"):
    written = io.BytesIO()
    frames = np.zeros((int(16_000 * seconds), channels), np.int16)
    soundfile.write(written, frames, 16_000, format=format)
    return written.getvalue()


def test_texts_join_to_the_transcript(engine):
    events, warnings = run(engine, DIGITS.read_bytes())
    assert isinstance(events[0], FileBegun)
    texts = [event.text for event in events if isinstance(event, FileText)]
    assert len(texts) > 3
    assert "".join(texts) == SAID
    assert isinstance(events[-1], Transcript)
    assert events[-1].text == SAID
    assert not warnings


def test_many_channels_take_one_place(engine):
    events, _ = run(engine, sound(5), FileOptions(CONTEXT, separate=True))
    ends = [event.channel for event in events if isinstance(event, ChannelTranscript)]
    assert ends == [0, 1, 2, 3, 4]


def test_a_channel_without_sound_is_as_long_as_the_file_and_costs_little(engine):
    before = decoded_s(engine)
    events, _ = run(engine, sound(2, 90.0), FileOptions(CONTEXT, separate=True, names=("a", "b")))
    wholes = [event for event in events if isinstance(event, ChannelTranscript)]
    assert [(each.label, each.transcript.audio_s) for each in wholes] == [("a", 90.0), ("b", 90.0)]
    assert decoded_s(engine) - before < 2 * (HEARD_S + 1)


def decoded_s(engine):
    snapshot = engine.metrics.snapshot()
    return snapshot.counters["audio_seconds_total"]


@pytest.mark.parametrize(
    ("channels", "names", "says"),
    [(2, ("a",), "1 channel name"), (9, (), "9 channels cannot"), (2, ("a", "a"), "must differ")],
)
def test_names_that_do_not_fit_are_refused(engine, channels, names, says):
    with pytest.raises(WrongRequestError, match=says):
        run(engine, sound(channels, format="WAV"), FileOptions(CONTEXT, separate=True, names=names))


def test_the_length_of_all_channels_counts(engine):
    run(engine, sound(4, 2.0), FileOptions(CONTEXT, most_s=3.0))
    with pytest.raises(TooLargeError):
        run(engine, sound(4, 2.0), FileOptions(CONTEXT, separate=True, most_s=3.0))


@pytest.mark.parametrize(
    ("data", "error"),
    [(b"", "empty"), (b"nothing", "no audio"), (sound(1, 0.0, "WAV"), "no sound")],
)
def test_what_is_no_sound_is_refused(engine, data, error):
    with pytest.raises(AudioFormatError, match=error):
        run(engine, data)


def test_an_impossible_context_is_told(engine):
    with pytest.raises(ContextError):
        run(engine, DIGITS.read_bytes(), FileOptions(ContextConfig(900.0, 900.0, 1.0)))


def test_a_disk_without_room_is_told(engine, monkeypatch):
    def full(*_):
        raise recordings.OptionError("no room")

    monkeypatch.setattr("parakeet_streaming.sources.stdin.spooled", full)
    with pytest.raises(CapacityError, match="disk"):
        run(engine, b"of no known kind")


def test_readers_are_bounded(engine):
    go = threading.Event()

    async def both():
        readers = FileReaders(1)
        first = readers.start(go.wait)
        with pytest.raises(CapacityError, match="being read"):
            readers.start(go.wait)
        go.set()
        await asyncio.wait({first})
        return await heard(engine, DIGITS.read_bytes(), None, readers)

    assert asyncio.run(both())[0][-1].text == SAID


def test_a_full_house_says_which_limit_it_met(engine):
    other = engine.open(LiveOptions.recording(CONTEXT))
    with other, pytest.raises(CapacityError, match=r"\(max_uploads\)"):
        run(engine, DIGITS.read_bytes())
    list(other)  # until it is over


@pytest.mark.parametrize("after", [0, 1, 2])
def test_giving_up_frees_the_place(engine, after):
    """Before it begins, when it has begun, amid its text; its upload never ends."""

    async def give_up():
        upload = Upload()
        await upload.add(DIGITS.read_bytes()[:100_000])
        transcription = FileTranscription(engine, FileReaders(), upload, FileOptions(CONTEXT))
        events = transcription.events()
        for _ in range(after):
            await anext(events)
        await events.aclose()
        upload.close()
        await transcription.close()
        return await heard(engine, DIGITS.read_bytes())

    assert asyncio.run(give_up())[0][-1].text == SAID
