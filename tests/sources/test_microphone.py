"""Recording, with a sounddevice that is missing, that is a fake, and with a real PortAudio."""

import builtins
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from parakeet_streaming.audio.ring import sample_ring
from parakeet_streaming.errors import (
    DeviceError,
    DeviceNotFoundError,
    ExtraMissingError,
    OptionError,
    StreamClosedError,
)
from parakeet_streaming.sources.devices import InputDevice
from parakeet_streaming.sources.microphone import GONE_AFTER_S, Microphone, input_devices

LONG_S = 60.0
"""Far more than anything here takes."""


class FakeSounddevice:
    """The part of sounddevice that is used: three devices, and streams that do as the test says."""

    class PortAudioError(Exception):
        pass

    default = SimpleNamespace(device=(2, 0))

    def __init__(self):
        self.opens = True
        self.starts = True
        self.stream = None
        self.devices = [
            {"name": "Speakers", "max_input_channels": 0, "default_samplerate": 48_000.0},
            {"name": "Webcam", "max_input_channels": 2, "default_samplerate": 44_100.0},
            {"name": "Headset", "max_input_channels": 1, "default_samplerate": 16_000.0},
        ]

    def query_devices(self):
        return [{**device, "hostapi": 0} for device in self.devices]

    def query_hostapis(self):
        return ({"name": "ALSA"},)

    def InputStream(self, **options):
        if not self.opens:
            raise self.PortAudioError("Device unavailable")
        self.stream = FakeStream(self, **options)
        return self.stream


class FakeStream:
    def __init__(self, module, *, callback, finished_callback, samplerate, **options):
        self.module = module
        self.callback = callback
        self.finished_callback = finished_callback
        self.samplerate = float(samplerate)
        self.options = options
        self.running = False
        self.closed = False

    def start(self):
        if not self.module.starts:
            raise self.module.PortAudioError("Unanticipated host error")
        self.running = True

    def records(self, frames, overflow=False, at_s=None):
        frames = np.asarray(frames, np.float32)
        status = SimpleNamespace(input_overflow=overflow)
        times = None if at_s is None else SimpleNamespace(inputBufferAdcTime=at_s)
        self.callback(frames, len(frames), times, status)
        frames.fill(9)  # PortAudio's memory is used again

    def ends(self):
        self.running = False
        self.finished_callback()

    def close(self):
        assert not self.closed
        self.closed = True
        if self.running:
            self.ends()


@pytest.fixture
def fake(monkeypatch):
    module = FakeSounddevice()
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    return module


class Receiver:
    """Somewhere to record to, which remembers what happened."""

    def __init__(self, most_samples=1000):
        self.pushed = []
        self.ends = 0
        self.most_samples = most_samples

    def push(self, samples):
        taken = min(len(samples), self.most_samples)
        self.pushed.append(samples)
        return taken

    def on_end(self):
        self.ends += 1


def test_devices_that_record_are_listed(fake):
    assert input_devices() == (
        InputDevice(1, "Webcam", 2, 44_100, "ALSA", is_default=False),
        InputDevice(2, "Headset", 1, 16_000, "ALSA", is_default=True),
    )


@pytest.mark.parametrize(
    ("error", "says"),
    [(ImportError("no"), "pip install"), (OSError("PortAudio library not found"), "libportaudio2")],
)
def test_what_is_missing_is_named(monkeypatch, error, says):
    real = builtins.__import__

    def failing(name, *rest):
        if name == "sounddevice":
            raise error
        return real(name, *rest)

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(builtins, "__import__", failing)
    with pytest.raises(ExtraMissingError, match=says):
        Microphone()


def test_it_opens_at_the_rate_of_the_device(fake):
    microphone = Microphone("webcam", channels=2)
    assert (microphone.device.index, microphone.rate_hz) == (1, 44_100)
    assert fake.stream.options == {
        "device": 1, "channels": 2, "dtype": "float32", "latency": "low",
    }  # fmt: skip


def test_samples_are_copied_and_counted(fake):
    receiver = Receiver(most_samples=2)
    with Microphone() as microphone:
        microphone.start(receiver.push, receiver.on_end)
        fake.stream.records([[0.5], [0.25], [-0.5]])
        fake.stream.records([[1.0]], overflow=True)
        assert [samples.tolist() for samples in receiver.pushed] == [[0.5, 0.25, -0.5], [1.0]]
        assert all(samples.dtype == np.float32 for samples in receiver.pushed)
        assert (microphone.received_samples, microphone.refused_samples) == (4, 1)
        assert microphone.overflows == 1
        assert not microphone.ended
    assert microphone.ended
    assert microphone.failure is None
    assert receiver.ends == 1


def test_channels_are_averaged(fake):
    receiver = Receiver()
    Microphone("Webcam", channels=2).start(receiver.push)
    fake.stream.records([[0.5, 0.25], [1, -1]])
    assert receiver.pushed[0].tolist() == [0.375, 0.0]


@pytest.mark.parametrize("channels", [0, 2])
def test_channels_it_has_not_are_refused(fake, channels):
    with pytest.raises(OptionError, match=r"'Headset' has no .* use 1 to 1"):
        Microphone(channels=channels)


def test_no_device_at_all(fake):
    fake.devices.clear()
    with pytest.raises(DeviceNotFoundError, match="no microphone was found"):
        Microphone()


@pytest.mark.parametrize("step", ["opens", "starts"])
def test_one_that_does_not_open_says_why_and_what_to_do(fake, step):
    setattr(fake, step, False)
    with pytest.raises(DeviceError, match=r"'Headset' cannot be recorded from .*; plug one in"):
        Microphone().start(len)


def test_unplugged_it_ends_and_says_so(fake):
    receiver = Receiver()
    with Microphone() as microphone:
        microphone.start(receiver.push, receiver.on_end)
        fake.stream.ends()
        assert microphone.ended
        assert receiver.ends == 1
        assert "'Headset' gives no more sound" in str(microphone.failure)
        assert not microphone.watch(0.0)
    assert receiver.ends == 1
    assert fake.stream.closed


def test_one_that_falls_silent_is_gone(fake):
    receiver = Receiver()
    microphone = Microphone()
    assert not microphone.watch(0.0)
    microphone.start(receiver.push, receiver.on_end)
    assert microphone.watch(100.0)
    assert microphone.watch(100.0 + GONE_AFTER_S - 0.1)
    fake.stream.records([[0.0]])
    assert microphone.watch(100.0 + GONE_AFTER_S)
    assert microphone.watch(99.9 + 2 * GONE_AFTER_S)
    assert not microphone.watch(100.0 + 2 * GONE_AFTER_S)
    assert "gives no more sound" in str(microphone.failure)
    assert receiver.ends == 1
    fake.stream.records([[0.0]])
    assert len(receiver.pushed) == 1


def test_an_error_of_push_ends_it_without_being_raised(fake):
    receiver = Receiver()

    def push(samples):
        raise ValueError("no room for it")

    microphone = Microphone()
    microphone.start(push, receiver.on_end)
    fake.stream.records([[0.0]])
    assert "not taken: no room for it" in str(microphone.failure)
    assert receiver.ends == 1


def test_stopped_by_what_it_records(fake):
    """Push asks for the end from inside the audio thread, where PortAudio must not be called."""
    receiver = Receiver()
    microphone = Microphone()

    def push(samples):
        microphone.stop()
        return receiver.push(samples)

    microphone.start(push, receiver.on_end)
    fake.stream.records([[0.5]])
    fake.stream.records([[0.5]])
    assert (len(receiver.pushed), receiver.ends) == (1, 1)
    assert not fake.stream.closed
    microphone.stop()
    assert fake.stream.closed
    assert (microphone.failure, receiver.ends) == (None, 1)


def test_stopped_in_its_own_end(fake):
    microphone = Microphone()
    microphone.start(len, microphone.stop)
    fake.stream.ends()
    assert not fake.stream.closed
    microphone.stop()
    assert fake.stream.closed


def test_it_records_once(fake):
    microphone = Microphone()
    microphone.start(len)
    with pytest.raises(StreamClosedError, match="records once"):
        microphone.start(len)
    microphone.stop()
    microphone.stop()
    with pytest.raises(StreamClosedError, match="records once"):
        microphone.start(len)
    assert not microphone.watch(0.0)


def test_one_absurd_sample_is_silence_and_ends_nothing(fake):
    receiver = Receiver()
    microphone = Microphone("Webcam", channels=2)
    microphone.start(receiver.push)
    fake.stream.records([[0.5, 0.5], [np.nan, 0.5], [np.inf, -np.inf], [1e30, 0.0], [0.25, 0.25]])
    assert receiver.pushed[0].tolist() == [0.5, 0.25, 0.0, 0.0, 0.25]
    assert microphone.broken_samples == 3
    assert microphone.failure is None


def test_a_second_that_the_system_dropped_is_a_gap(fake):
    class Stream(Receiver):
        def push_gap(self, samples):
            self.pushed.append(samples)

    block = np.zeros((1_600, 1))
    named, plain, told = Stream(), Receiver(10**6), []
    for push, on_gap in (
        (named.push, None),
        (plain.push, None),
        (Receiver().push, told.append),
    ):
        microphone = Microphone()
        microphone.start(push, on_gap=on_gap)
        fake.stream.records(block, overflow=True, at_s=5.0)
        fake.stream.records(block, at_s=5.1)
        fake.stream.records(block, overflow=True, at_s=6.2)
        fake.stream.records(block, overflow=True, at_s=6.3)
        assert microphone.dropped_samples == 16_000
    assert named.pushed[2] == 16_000
    assert sum(map(len, plain.pushed)) == 4 * 1_600 + 16_000
    assert told == [16_000]


class Stuck:
    """A call that comes back only when the test lets it."""

    def __init__(self):
        self.free = threading.Event()

    def __call__(self, **_):
        self.free.wait(LONG_S)


def test_a_driver_that_does_not_let_go_holds_up_nobody(fake, monkeypatch):
    monkeypatch.setattr("parakeet_streaming.sources.microphone.CLOSING_S", 0.02)
    receiver, stuck = Receiver(), Stuck()
    microphone = Microphone()
    microphone.start(receiver.push, receiver.on_end)
    monkeypatch.setattr(fake.stream, "close", stuck)
    assert microphone.watch(0.0)
    assert not microphone.watch(GONE_AFTER_S)
    assert receiver.ends == 1, "told before it is closed"
    microphone.stop()
    microphone.stop()
    fake.stream.records([[0.5]])
    assert receiver.pushed == []
    stuck.free.set()


@pytest.mark.parametrize("step", ["InputStream", "start"])
def test_a_driver_that_does_not_answer_is_an_error(fake, monkeypatch, step):
    monkeypatch.setattr("parakeet_streaming.sources.driver_calls.OPENING_S", 0.02)
    stuck = Stuck()
    microphone = None if step == "InputStream" else Microphone()
    monkeypatch.setattr(fake if microphone is None else fake.stream, step, stuck)
    with pytest.raises(DeviceError, match="does not answer"):
        (microphone or Microphone()).start(len)
    stuck.free.set()


def test_a_real_portaudio_finds_the_device(virtual_microphone):
    (device,) = [each for each in input_devices() if each.name == virtual_microphone.name]
    assert device.host_api == "ALSA"
    assert device.rate_hz == virtual_microphone.rate_hz


def test_a_real_portaudio_records_every_sample(virtual_microphone):
    recorded = np.random.default_rng(0).uniform(-1, 1, 20_000).astype(np.float32)
    writer, reader = sample_ring(40_000)
    all_there, ended = threading.Event(), threading.Event()

    def push(samples):
        taken = writer.write(samples)
        if writer.taken >= len(recorded):
            all_there.set()
        return taken

    with Microphone(virtual_microphone.name) as microphone:
        microphone.start(push, ended.set)
        virtual_microphone.speak(recorded)
        assert all_there.wait(LONG_S)
        virtual_microphone.hang_up()
    assert ended.wait(LONG_S)
    assert microphone.failure is None
    assert microphone.received_samples >= len(recorded)
    assert np.array_equal(reader.read(len(recorded)), recorded)


def test_a_real_portaudio_that_falls_silent(virtual_microphone):
    received, ended = threading.Event(), threading.Event()

    def push(samples):
        received.set()
        return len(samples)

    with Microphone(virtual_microphone.name) as microphone:
        microphone.start(push, ended.set)
        virtual_microphone.speak(np.zeros(virtual_microphone.block_samples, np.float32))
        assert received.wait(LONG_S)
        assert microphone.watch(0.0)
        assert not microphone.watch(GONE_AFTER_S)
        assert ended.is_set()
        virtual_microphone.hang_up()
    assert isinstance(microphone.failure, DeviceError)
