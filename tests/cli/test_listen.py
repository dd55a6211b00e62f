"""`parakeet listen`, in process: standard input, a microphone of this test, and a virtual one."""

import io
import json
import os
import signal
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from typer.testing import CliRunner

from parakeet_streaming import ContextConfig, LiveEngine, LiveOptions, load, load_vad
from parakeet_streaming.cli import listen as listen_module
from parakeet_streaming.cli import listen_source
from parakeet_streaming.cli.app import app
from parakeet_streaming.cli.interruption import Interruption
from parakeet_streaming.cli.live_transcription import LiveTranscription
from parakeet_streaming.cli.report import StreamLog
from parakeet_streaming.errors import DeviceError, DeviceNotFoundError, OptionError
from parakeet_streaming.live.adaptation import DelayRange
from parakeet_streaming.results import Final
from parakeet_streaming.sources.devices import InputDevice
from parakeet_streaming.sources.live import BlockSource
from parakeet_streaming.sources.microphone import Microphone

DIGITS = Path(__file__).parents[2] / "examples" / "recordings" / "digits.wav"
SAID = "three one four one five nine two six"
LONG_S = 60.0
WHOLE = ("--no-vad", "--endpointing=off", "--preset=balanced")
"""One utterance of everything, whose context no load changes."""
DEVICES = (
    InputDevice(1, "Webcam", 2, 44_100, "ALSA", is_default=False),
    InputDevice(2, "Headset", 1, 16_000, "ALSA", is_default=True),
)


def parakeet(*arguments, piped=b""):
    return CliRunner().invoke(app, ["listen", *arguments], input=piped)


def digits(dtype="float32"):
    samples, rate_hz = soundfile.read(DIGITS, dtype=dtype)
    assert rate_hz == 16_000
    return samples


RAW = digits("int16").tobytes()


def blocks():
    sound = digits()
    return [sound[start : start + 1600] for start in range(0, len(sound), 1600)]


def test_standard_input_as_one_utterance():
    result = parakeet("-", *WHOLE, piped=RAW)
    assert result.exit_code == 0
    assert result.stdout == f"{SAID}\n"
    first, *_ = result.stderr.splitlines()
    assert first == (
        "parakeet: listening to standard input (16000 Hz) · text within 0.96 s · Ctrl-C ends"
    )


def test_utterances_are_lines():
    result = parakeet("-", "--preset=balanced", "--stats", piped=RAW)
    assert " ".join(result.stdout.split()) == SAID
    assert "voice activity" in result.stderr
    assert "chunks passed over as quiet" in result.stderr


def test_events_and_sound_are_written_as_they_come(tmp_path):
    wanted = ["-", "--fixed", "--format=jsonl", f"--output={tmp_path / 'a.jsonl'}"]
    result = parakeet(*wanted, f"--save={tmp_path / 'a.flac'}", piped=RAW)
    assert (result.exit_code, result.stdout) == (0, "")
    events = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    types = {event["type"] for event in events}
    assert types == {"partial", "speech_started", "speech_ended", "final", "transcript"}
    assert events[-1]["text"] == SAID
    saved, rate_hz = soundfile.read(tmp_path / "a.flac", dtype="int16")
    assert rate_hz == 16_000
    assert np.array_equal(saved, digits("int16"))


def test_appending_to_notes(tmp_path):
    notes = tmp_path / "notes.txt"
    notes.write_text("before\n")
    parakeet("-", *WHOLE, f"--output={notes}", "--append", piped=RAW)
    assert notes.read_text() == f"before\n{SAID}\n"


def test_raw_samples_of_another_rate_and_two_channels():
    slow = np.stack([digits(), digits()], axis=1).repeat(2, axis=0).astype("<f4")
    how = ("--rate=32000", "--encoding=f32le", "--channels=2", *WHOLE)
    assert parakeet("-", *how, piped=slow.tobytes()).stdout == f"{SAID}\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("talk.wav",), "parakeet transcribe --realtime talk.wav"),
        (("-", "--device=2"), "--device does not go"),
        (("-", "--preset=none"), "balanced"),
        (("-", "--context=5-1-1", "--preset=balanced"), "give one"),
        (("-", "--longest-chunk=2", "--fixed"), "--longest-chunk does not go with"),
        (("-", "--context=5-1-1", "--longest-chunk=0.5"), "below the chunk"),
        (("-", "--endpointing=soon"), "aggressive"),
        (("-", "--endpointing=off", "--max-utterance-s=9"), "does not go"),
        (("-", "--threshold=2"), "threshold"),
        (("-", "--format=doc"), "use txt, srt"),
        (("-", "--append"), "--output"),
        (("-", "--append", "--output=x.srt", "--format=srt"), "txt or jsonl"),
        (("-", "--output=no/such/x.txt"), "make it first"),
        (("-", "--report=no/such/x.json"), "make it first"),
        (("-", "--save=x.doc"), "use .flac"),
        (("-", "--encoding=s17le"), "s17le"),
        (("-", "--output=x.wav"), "named as a recording"),
        (("-", "--output=x.json", "--report=x.json"), "name two files"),
        (("-", "--report=x.flac", "--save=x.flac"), "named as a recording"),
        (("-", "--append", "--output=-"), "--output"),
        (("-", "--output=x.srt", "--append"), "txt or jsonl"),
    ],
)
def test_wrong_usage_is_reported(arguments, says):
    result = parakeet(*arguments, piped=RAW)
    assert isinstance(result.exception, ValueError)
    assert says in str(result.exception)
    assert result.stdout == ""


def test_what_is_heard_is_not_written_over(monkeypatch, tmp_path):
    """As in `parakeet listen - -o raw.txt < raw.txt`."""
    raw = tmp_path / "raw.txt"
    raw.write_bytes(RAW)
    for option in ("--output", "--report"):
        with raw.open() as stdin:
            monkeypatch.setattr(sys, "stdin", stdin)
            with pytest.raises(OptionError, match="is an input"):
                listen_module.listen(source="-", **{option.strip("-"): str(raw)})
    assert raw.read_bytes() == RAW


def test_the_keyboard_is_no_sound(monkeypatch):
    class Keyboard(io.BytesIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stdin", Keyboard())
    with pytest.raises(OptionError, match="arecord"):
        listen_module.listen(source="-")


def test_bounds_and_length_of_utterances_reach_the_engine(monkeypatch):
    seen = []
    monkeypatch.setattr(
        listen_module, "transcribe_live", lambda *given, **named: seen.append((given, named))
    )
    how = ("--context=5-1-0.5", "--longest-chunk=4", "--max-utterance-s=9", "--no-tentative")
    assert parakeet("-", *how, "--min-speech-ms=70", piped=RAW).exit_code == 0
    (_, vad, _, options, _), _ = seen[0]
    assert vad is not None
    assert (str(options.delay.context), options.delay.longest_chunk) == ("5-1-0.5", 4)
    assert options.endpoint.max_utterance_s == 9
    assert options.vad.min_speech_ms == 70
    assert not options.tentative


@pytest.mark.parametrize(
    ("how", "context", "longest"),
    [
        ((), "5-0.5-0.5", 2.0),
        (("--preset=low_latency",), "2-0.25-0.25", 1.0),
        (("--context=4-1-0.5",), "4-1-0.5", 4.0),
        (("--context=balanced", "--longest-chunk=0.8"), "5-0.5-0.5", 0.8),
        (("--preset=high_quality", "--fixed"), "10-1-1", 1.0),
    ],
)
def test_the_chunk_may_grow_unless_it_is_fixed(monkeypatch, how, context, longest):
    seen = []
    monkeypatch.setattr(
        listen_module, "transcribe_live", lambda *given, **named: seen.append(given)
    )
    assert parakeet("-", *how, piped=RAW).exit_code == 0
    delay = seen[0][3].delay
    assert (str(delay.context), delay.longest_chunk) == (context, longest)


def test_devices_are_listed_with_their_numbers(monkeypatch):
    monkeypatch.setattr(listen_source, "input_devices", lambda: DEVICES)
    lines = parakeet("--list-devices").stdout.splitlines()
    assert [line.split() for line in lines] == [
        ["number", "name", "host", "API", "channels", "rate"],
        ["1", "Webcam", "ALSA", "2", "44100", "Hz"],
        ["2", "Headset", "ALSA", "1", "16000", "Hz", "default"],
    ]


def test_no_device_to_list(monkeypatch):
    monkeypatch.setattr(listen_source, "input_devices", tuple)
    result = parakeet("--list-devices")
    assert isinstance(result.exception, DeviceNotFoundError)


class FakeMicrophone(BlockSource):
    """Says the digits once, and then does what a test says."""

    device = DEVICES[1]

    def __init__(self, device=None, *, channels=1):
        self.asked = (device, channels)
        super().__init__(self._sound(), 16_000, can_wait=False)

    def _sound(self):
        yield from blocks()
        self.afterwards()

    def afterwards(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def test_one_that_is_unplugged_is_reported_when_all_it_gave_was(monkeypatch):
    class Unplugged(FakeMicrophone):
        def afterwards(self):
            raise DeviceError("'Headset' gives no more sound")

    monkeypatch.setattr(listen_source, "Microphone", Unplugged)
    result = parakeet(*WHOLE)
    assert result.stdout == f"{SAID}\n"
    assert str(result.exception) == "'Headset' gives no more sound"


def test_the_device_asked_for_is_opened(monkeypatch):
    opened = []

    class Remembered(FakeMicrophone):
        def __init__(self, *given, **named):
            super().__init__(*given, **named)
            opened.append(self.asked)

    monkeypatch.setattr(listen_source, "Microphone", Remembered)
    result = parakeet("--device=web", "--channels=2", *WHOLE)
    assert opened == [("web", 2)]
    assert "listening to 'Headset' (16000 Hz)" in result.stderr


def test_interrupted_it_tells_the_last_words_and_that_is_a_good_end(monkeypatch, tmp_path):
    over = threading.Event()

    class Interrupted(FakeMicrophone):
        def afterwards(self):
            os.kill(os.getpid(), signal.SIGINT)
            over.wait(LONG_S)

    monkeypatch.setattr(listen_source, "Microphone", Interrupted)
    path = tmp_path / "a.flac"
    result = parakeet(*WHOLE, f"--save={path}")
    over.set()
    assert (result.exit_code, result.stdout) == (0, f"{SAID}\n")
    assert soundfile.info(path).frames == len(digits())


def test_interrupted_twice_it_quits_at_once(monkeypatch):
    over = threading.Event()

    class Impatient(FakeMicrophone):
        def _sound(self):
            yield blocks()[0]
            os.kill(os.getpid(), signal.SIGINT)
            over.wait(LONG_S)

        def stop(self):
            if not over.is_set():
                over.set()
                signal.raise_signal(signal.SIGINT)
            super().stop()

    monkeypatch.setattr(listen_source, "Microphone", Impatient)
    result = parakeet()
    assert result.exit_code != 0
    assert result.stdout == ""


def test_a_virtual_microphone_is_heard(virtual_microphone):
    """PortAudio and ALSA are real; sound comes at another rate, and faster than it plays."""
    sound = soxr.resample(digits(), 16_000, virtual_microphone.rate_hz)
    interruption = Interruption()
    text = ""
    with (
        LiveEngine(load("tiny-en"), load_vad()) as engine,
        Microphone(virtual_microphone.name) as microphone,
    ):
        context = ContextConfig(5.0, 0.5, 0.5, microphone.rate_hz)
        stream = engine.open(LiveOptions(delay=DelayRange.fixed(context), endpoint=None))
        log = StreamLog(keep_steps=False)
        live = LiveTranscription([stream], microphone, interruption, log, context)
        for event in live.events():
            if not text:
                virtual_microphone.speak(np.concatenate([sound, np.zeros(22_050)]))
                text = " "
            if live.received_s >= len(sound) / virtual_microphone.rate_hz + 0.4:
                virtual_microphone.hang_up()
                interruption.asked = True
            if isinstance(event, Final):
                text = event.transcript.text
    assert text.startswith(SAID)
    assert microphone.failure is None


def test_a_track_of_a_film_can_be_chosen_on_standard_input():
    film = (Path(__file__).parents[1] / "audio" / "cases" / "two-tracks.mkv").read_bytes()
    assert parakeet("-", *WHOLE, "--track=2", piped=film).stdout == f"{SAID}\n"
    assert SAID not in parakeet("-", *WHOLE, "--track=1", piped=film).stdout
    refused = parakeet("-", *WHOLE, "--track=fr", piped=film)
    assert "has no audio track 'fr'" in str(refused.exception)


SEPARATE = ("--channels=separate", "--channel-names=agent,caller", *WHOLE)


def test_channels_of_standard_input_apart(tmp_path):
    samples = digits("int16")
    both = np.stack([samples, np.zeros_like(samples)], axis=1)
    how = (f"--save={tmp_path / 'a.wav'}", "--stats")
    result = parakeet("-", *SEPARATE, *how, piped=both.tobytes())
    assert result.stdout == f"agent: {SAID}\n"
    assert "agent: text appeared" in result.stderr
    assert "caller: 0.0 s of speech" in result.stderr
    saved, _ = soundfile.read(tmp_path / "a.wav", dtype="int16")
    assert saved.shape == both.shape
    assert np.abs(saved - both.astype(np.int32)).max() <= 1


def test_channels_of_a_microphone_apart(monkeypatch):
    opened = []

    class Two(FakeMicrophone):
        def __init__(self, device=None, *, channels=1, separate=False):
            super().__init__(device, channels=channels)
            opened.append((channels, separate))
            self.channels = channels

        def _sound(self):
            for block in blocks():
                yield np.stack([np.zeros_like(block), block], axis=1)

    monkeypatch.setattr(listen_source, "Microphone", Two)
    result = parakeet(*SEPARATE)
    assert (result.stdout, opened) == (f"caller: {SAID}\n", [(2, True)])
    assert "--channels left and right go with standard input" in str(
        parakeet("--channels=left", *WHOLE).exception
    )
