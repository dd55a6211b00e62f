"""Messages of clients of `/v1/stream` as values, and hostile ones."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.server.protocols import native_commands as commands
from parakeet_streaming.server.replies import CheckpointRefusedError, WrongRequestError

RATE_HZ = 16_000


@pytest.mark.parametrize(
    ("message", "command"),
    [
        ({"type": "finish", "more": 1}, commands.Finish()),
        ({"type": "commit"}, commands.Commit()),
        ({"type": "clear"}, commands.Clear()),
        ({"type": "stats"}, commands.Stats()),
        ({"type": "keep_alive"}, commands.KeepAlive()),
        ({"type": "marker", "id": ""}, commands.Marker("")),
        ({"type": "gap", "samples": 5}, commands.Missing(5)),
        ({"type": "resume", "checkpoint": "UEtDUA=="}, commands.Resume(b"PKCP")),
        ({"type": "configure", "words": 0}, commands.Configure({"type": "configure", "words": 0})),
    ],
)
def test_commands(message, command):
    assert commands.command_of(json.dumps(message), RATE_HZ) == command


@pytest.mark.parametrize(
    ("message", "field", "says"),
    [
        ("finish", None, "no JSON"),
        ("3", None, "no JSON object"),
        ("{}", "type", "has a type"),
        ('{"type":"dance"}', "type", "is 'dance'; use one of finish, "),
        ('{"type":"marker"}', "id", "256 characters"),
        ('{"type":"marker","id":7}', "id", "a text"),
        ('{"type":"gap"}', "samples", "samples"),
        ('{"type":"gap","samples":0}', "samples", "from 1 to"),
        ('{"type":"gap","samples":57600001}', "samples", "to 5.76e"),
        ('{"type":"gap","samples":1.5}', "samples", "whole"),
        ('{"type":"resume"}', "checkpoint", "has a checkpoint"),
        ('{"type":"resume","checkpoint":1}', "checkpoint", "a text"),
    ],
)
def test_mistakes_are_named(message, field, says):
    with pytest.raises(WrongRequestError, match=says) as caught:
        commands.command_of(message, RATE_HZ)
    assert caught.value.field == field


SCRAPS = st.none() | st.booleans() | st.floats() | st.text(max_size=300) | st.integers()


@given(st.sampled_from(commands.TYPES) | SCRAPS, SCRAPS, st.text())
def test_anything_is_a_command_or_a_named_mistake(kind, value, text):
    whole = json.dumps({"type": kind, "id": value, "samples": value, "checkpoint": value})
    for message in (whole, whole[: len(text)], text):
        with suppress(WrongRequestError, CheckpointRefusedError):
            assert isinstance(commands.command_of(message, RATE_HZ), commands.Command)


@pytest.mark.parametrize(
    ("text", "reason"),
    [("ä", "damaged"), ("a", "damaged"), ("=", "damaged"), ("a" * (12 << 20) + "a", "too_large")],
)
def test_what_cannot_be_a_checkpoint_is_refused(text, reason):
    with pytest.raises(CheckpointRefusedError) as caught:
        commands.command_of(json.dumps({"type": "resume", "checkpoint": text}), RATE_HZ)
    assert caught.value.reason == reason
