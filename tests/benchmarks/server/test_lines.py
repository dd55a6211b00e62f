"""What messages say, by protocol."""

import json

import numpy as np

from benchmarks.server.heard import Heard
from benchmarks.server.lines import DOORS, messages_of
from benchmarks.server.script import Script

SCRIPT = Script(16_000, np.arange(640, dtype=np.int16), frozenset({2}))


def test_a_commit_follows_its_packet():
    native, realtime = (messages_of(door, SCRIPT) for door in DOORS)
    assert [len(each) for each in native] == [1, 2]
    assert native[0][0] == SCRIPT.packet(0).tobytes()
    assert json.loads(realtime[1][0])["type"] == "input_audio_buffer.append"
    assert json.loads(realtime[1][1])["type"] == "input_audio_buffer.commit"


def test_what_a_server_says_is_noted():
    heard = Heard()
    ear = DOORS["native"].ear
    assert ear('{"type":"ready"}', heard, 0.0)
    assert not ear('{"type":"partial","text":" one"}', heard, 1.0)
    ear('{"type":"final","text":"one"}', heard, 2.0)
    ear('{"type":"gap","start":1,"end":2}', heard, 3.0)
    assert (heard.text, len(heard.ends), len(heard.lost)) == ("one", 1, 1)
    ear = DOORS["realtime"].ear
    item = "conversation.item.input_audio_transcription"
    ear(json.dumps({"type": f"{item}.delta", "delta": " two"}), heard, 4.0)
    ear(json.dumps({"type": f"{item}.completed", "transcript": "two"}), heard, 5.0)
    ear(json.dumps({"type": "error", "error": {}}), heard, 6.0)
    assert (heard.text, len(heard.ends), len(heard.lost)) == ("onetwo", 2, 2)
