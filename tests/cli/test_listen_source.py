import pytest

from parakeet_streaming.cli import listen_source
from parakeet_streaming.errors import OptionError


def test_files_are_for_another_command():
    assert listen_source.checked_source(None, "2") == "microphone"
    with pytest.raises(OptionError, match=r"transcribe --realtime a\.wav"):
        listen_source.checked_source("a.wav", None)
