from contextlib import ExitStack

import numpy as np
import pytest

from parakeet_streaming.audio.blocks import AudioFile
from parakeet_streaming.errors import (
    AudioFormatError,
    AudioInputError,
    OptionError,
    StreamClosedError,
)


class Frames:
    """A reader of the given frames that breaks at their end when asked to."""

    def __init__(self, frames, broken=False):
        self.frames = frames
        self.broken = broken

    def read(self, wanted_samples):
        if self.broken and not len(self.frames):
            raise AudioFormatError("lost its thread")
        piece, self.frames = self.frames[:wanted_samples], self.frames[wanted_samples:]
        return piece


def audio(frames, broken=False, rate_hz=8_000, channels=2, **options):
    reader = Frames(np.asarray(frames), broken)
    return AudioFile("talk", reader, rate_hz=rate_hz, channels=channels, **options)


def test_blocks_are_mono_float32_of_the_wanted_length():
    frames = np.full((1_000, 2), 16_384, np.int16)
    blocks = list(audio(frames).blocks(0.05))
    assert [len(block) for block in blocks] == [400, 400, 200]
    assert {block.dtype for block in blocks} == {np.dtype(np.float32)}
    assert np.concatenate(blocks).tolist() == [0.5] * 1_000


def test_reading_goes_on_where_it_stopped():
    opened = audio(np.arange(10, dtype=np.float32).reshape(-1, 1))
    assert next(opened.blocks(3 / 8_000)).tolist() == [0, 1, 2]
    assert np.concatenate(list(opened.blocks())).tolist() == [3, 4, 5, 6, 7, 8, 9]
    assert list(opened.blocks()) == []


def test_a_block_has_at_least_one_sample():
    assert len(list(audio(np.zeros((3, 1), np.float32)).blocks(1e-9))) == 3


@pytest.mark.parametrize("block_s", [0, -1, float("nan"), float("inf")])
def test_blocks_of_no_length_are_refused(block_s):
    with pytest.raises(OptionError, match="impossible"):
        next(audio(np.zeros((3, 1), np.float32)).blocks(block_s))


def test_the_position_of_a_bad_sample_counts_from_the_start():
    frames = np.zeros((1_000, 2), np.float32)
    frames[777, 1] = np.nan
    with pytest.raises(AudioInputError, match="talk: sample 777 "):
        list(audio(frames).blocks(0.01))


def test_a_break_says_where_it_is_after_all_before_it_was_handed_on():
    blocks = audio(np.zeros((10_000, 2), np.float32), broken=True).blocks(1.0)
    assert [len(next(blocks)), len(next(blocks))] == [8_000, 2_000]
    with pytest.raises(AudioFormatError, match=r"talk is broken after 1\.25 s \(lost its thread\)"):
        next(blocks)


@pytest.mark.parametrize("rate_hz", [0, 3_999, 384_001])
def test_impossible_rates_are_refused(rate_hz):
    with pytest.raises(AudioFormatError, match=f"talk has a sample rate of {rate_hz} Hz"):
        audio([], rate_hz=rate_hz)


@pytest.mark.parametrize("channels", [0, 33])
def test_impossible_channels_are_refused(channels):
    with pytest.raises(AudioFormatError, match=f"talk has {channels} channels"):
        audio([], channels=channels)


def test_resources_are_closed_once_and_then_nothing_is_read():
    closed = []
    with ExitStack() as stack:
        stack.callback(closed.append, 1)
        opened = audio(np.zeros((3, 1), np.float32), resources=stack)
    assert closed == []
    with opened as same:
        assert same is opened
    opened.close()
    assert closed == [1]
    with pytest.raises(StreamClosedError, match="talk has been closed"):
        next(opened.blocks())


def test_resources_are_left_alone_when_the_audio_is_refused():
    closed = []
    with ExitStack() as stack:
        stack.callback(closed.append, 1)
        with pytest.raises(AudioFormatError):
            audio([], rate_hz=1, resources=stack)
        assert closed == []
    assert closed == [1]


def test_one_channel_can_be_taken():
    frames = [[0.5, -0.5], [0.25, 0.75]]
    for number, wanted in ((0, [0.5, 0.25]), (1, [-0.5, 0.75])):
        one = audio(frames)
        one.choose_channel(number)
        assert np.concatenate(list(one.blocks())).tolist() == wanted
    with pytest.raises(OptionError, match="has 2 channels"):
        audio(frames).choose_channel(2)


def test_channels_that_cancel_each_other_are_a_warning():
    sound = np.random.default_rng(3).normal(0, 0.1, 16_000)
    for gain, warnings in ((-1.0, 1), (1.0, 0)):
        told = audio(np.stack([sound, gain * sound], axis=1))
        list(told.blocks())
        assert len(told.warnings) == warnings


@pytest.mark.parametrize("block_s", [3_601, 1e9, 1e300])
def test_blocks_that_memory_could_not_hold_are_refused(block_s):
    with pytest.raises(OptionError, match="3600 s at most"):
        next(audio(np.zeros((3, 1), np.float32)).blocks(block_s))


@pytest.mark.parametrize("most_s", [-1, float("nan"), float("inf")])
def test_a_length_that_is_none_is_not_measured(most_s):
    with pytest.raises(OptionError, match="cannot be measured"):
        audio(np.zeros((3, 1), np.float32)).measure(most_s)


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), MemoryError(), ValueError()])
def test_what_reading_provokes_is_an_error_of_ours(error):
    class Provoking:
        def read(self, wanted_samples):
            raise error

    opened = AudioFile("talk", Provoking(), rate_hz=8_000, channels=1)
    with pytest.raises(AudioFormatError, match=r"talk is broken after 0\.00 s") as caught:
        next(opened.blocks())
    assert caught.value.__cause__ is error


def test_a_failure_of_the_source_says_more_than_what_it_led_to():
    def lacking():
        raise OSError(5, "Input/output error")

    opened = audio(np.zeros((0, 2), np.float32), broken=True, missing_bytes=lacking)
    with pytest.raises(AudioFormatError, match="Input/output error"):
        next(opened.blocks())


def test_a_file_that_is_read_at_the_moment_is_closed_by_its_reader():
    closed = []
    resources = ExitStack()
    resources.callback(closed.append, "file")

    class Closing:
        def read(self, wanted_samples):
            opened.close()
            assert not closed
            return np.zeros((wanted_samples, 1), np.float32)

    opened = AudioFile("talk", Closing(), rate_hz=8_000, channels=1, resources=resources)
    blocks = opened.blocks()
    assert len(next(blocks)) == 4_000
    assert closed == ["file"]
    with pytest.raises(StreamClosedError):
        next(blocks)
    with pytest.raises(StreamClosedError):
        opened.also_close(resources)
    opened.close()
    assert closed == ["file"]


def test_what_belongs_to_a_file_is_closed_with_it():
    closed = []
    resources = ExitStack()
    resources.callback(closed.append, "pipe")
    with audio(np.zeros((3, 2), np.float32)) as opened:
        opened.also_close(resources)
        resources.close()
        assert not closed
    assert closed == ["pipe"]
