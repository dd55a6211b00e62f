"""What every test may use: golden model, own cache, hypothesis without a clock, a microphone.

The microphone needs no sound card: it is ALSA's `file` device, which hears what a test says to it.
"""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from parakeet_streaming.compiled import is_compiled
from parakeet_streaming.load import load
from parakeet_streaming.runtime import choice
from parakeet_streaming.runtime.session import ONNX_RUNTIME, OPENVINO
from parakeet_streaming.runtime.speeds import FORMS, Speed

GOLDEN = Path(__file__).parent / "parity" / "golden"

# Threads of torch wait for one another in busy loops, which costs models this small twice the time.
os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("here"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


def pytest_collection_modifyitems(items):
    """The longest test first: begun last, it would run alone when all others have ended."""
    items.sort(key=lambda item: item.path.name != "test_smoke.py")
    if is_compiled():
        refused = pytest.mark.skip(reason="compiled classes refuse that")
        for item in items:
            if item.get_closest_marker("interpreted"):
                item.add_marker(refused)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """What is measured of the machine, and compiled for it, is not kept where the user keeps it."""
    folder = str(tmp_path_factory.mktemp("cache"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", folder)
        patch.setenv("LOCALAPPDATA", folder)
        yield


@pytest.fixture
def the_only_ray(tmp_path_factory):
    """No other process of these tests has a Ray meanwhile: each takes all cores while it starts."""
    import fcntl

    with (tmp_path_factory.getbasetemp().parent / "ray.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session", autouse=True)
def onnx_runtime_is_faster():
    """`auto` takes ONNX Runtime: what is measured while tests run is noise."""
    told = tuple(
        Speed(runtime, form, operations)
        for runtime, operations in ((ONNX_RUNTIME, 2e9), (OPENVINO, 1e9))
        for form in FORMS
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choice, "speeds", lambda: told)
        yield


@pytest.fixture(scope="session")
def golden_folder():
    """Golden cases: `golden.json`, `audio/*.wav` and the model `tdt-tiny-onnx`."""
    return GOLDEN


@pytest.fixture(scope="session")
def golden_recognizer(golden_folder):
    """The golden model, loaded once; recognizers are frozen, so tests may share it."""
    return load(golden_folder / "tdt-tiny-onnx", provider="cpu", threads=1)


CONFIGURATION = """
</usr/share/alsa/alsa.conf>
pcm.{name} {{
  type file
  slave.pcm null
  file /dev/null
  infile {path}
  format raw
}}
"""


class VirtualMicrophone:
    """What it records is what `speak` was given, float32 mono; until then it waits."""

    name = "parakeet_microphone"
    rate_hz = 44_100
    """What PortAudio takes a device for that takes any rate."""
    block_samples = 1000
    """More than PortAudio asks for at once."""

    def __init__(self, pipe):
        self._pipe = pipe
        import fcntl  # not there on Windows

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 1 << 20)  # one write, never a short read amid it

    def speak(self, samples):
        """Say float32 (n,), fewer than a quarter of a million, at once.

        A pause between two calls may be heard as a few repeated samples: ALSA takes what a short
        read left in its memory.
        """
        sound = np.asarray(samples, np.float32).tobytes()
        assert os.write(self._pipe, sound) == len(sound)

    def hang_up(self):
        """Let a read that waits come back, so that PortAudio can be closed."""
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None


@pytest.fixture
def virtual_microphone(tmp_path, monkeypatch):
    """Skipped where no PortAudio is, or one that does not speak ALSA."""
    if not sys.platform.startswith("linux"):
        pytest.skip("ALSA's virtual devices are there on Linux only")
    try:
        import sounddevice
    except OSError:
        pytest.skip("no PortAudio library; Debian: apt install libportaudio2")
    path = tmp_path / "sound"
    os.mkfifo(path)
    # Open at both ends, so that neither ALSA nor this test waits for the other to open it.
    microphone = VirtualMicrophone(os.open(path, os.O_RDWR))
    configuration = tmp_path / "asound.conf"
    configuration.write_text(CONFIGURATION.format(name=microphone.name, path=path))
    with monkeypatch.context() as patched:
        patched.setenv("ALSA_CONFIG_PATH", str(configuration))
        # PortAudio lists devices once, when it starts.
        sounddevice._terminate()
        sounddevice._initialize()
        if not any(each["name"] == microphone.name for each in sounddevice.query_devices()):
            microphone.hang_up()
            pytest.skip("this PortAudio does not list ALSA's devices")
        yield microphone
        microphone.hang_up()
    sounddevice._terminate()
    sounddevice._initialize()
