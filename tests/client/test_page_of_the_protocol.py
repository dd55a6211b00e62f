"""docs/protocol.md: its client runs, its words are those of the code."""

import re
import subprocess
import sys
from typing import get_args

import soundfile

from parakeet_streaming.audio.pcm_decoder import ENCODINGS
from parakeet_streaming.client.messages import _READ
from parakeet_streaming.results import EndReason
from parakeet_streaming.server.protocols import native_commands
from parakeet_streaming.server.protocols.native_settings import StreamSettings
from parakeet_streaming.server.replies import CODES
from tests.server.processes import ROOT, Served

PAGE = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
RAW = soundfile.read(ROOT / "examples" / "recordings" / "digits.wav", dtype="int16")[0].tobytes()


def test_its_client_runs():
    program = re.search(r"```python\n(.*?)```", PAGE, re.S)[1]
    with Served("--fixed") as server:
        run = subprocess.run(
            [sys.executable, "-c", program, server.ws_url],
            input=RAW, capture_output=True, check=True, timeout=300,
        )  # fmt: skip
    assert run.stdout.decode() == "three one four one five nine two six\n"


def test_it_has_every_word_of_the_protocol():
    fields = {*StreamSettings.__slots__, "model", "numbers", "profanity", "replace"} - {"writing"}
    for word in (*native_commands.TYPES, *_READ, *fields, *ENCODINGS, *get_args(EndReason)):
        assert f"`{word}`" in PAGE, word
    named = set(re.findall(r"`(\w+)`", PAGE))
    assert {"no_capacity", "invalid_audio", "timeout", "draining"} <= named & set(CODES)
