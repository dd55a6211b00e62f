"""Messages of `/v1/stream` as values, and hostile ones."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.server.limits import Limits
from parakeet_streaming.server.protocols import native
from parakeet_streaming.server.protocols.native_settings import StreamSettings
from parakeet_streaming.server.replies import CapacityError, WrongRequestError, answer_to
from parakeet_streaming.server.session_events import Heard
from parakeet_streaming.timeline import ContextConfig

RATE_HZ = 16_000


@pytest.mark.parametrize(
    ("message", "command"),
    [
        ({"type": "finish", "more": 1}, native.Finish()),
        ({"type": "commit"}, native.Commit()),
        ({"type": "clear"}, native.Clear()),
        ({"type": "stats"}, native.Stats()),
        ({"type": "keep_alive"}, native.KeepAlive()),
        ({"type": "marker", "id": ""}, native.Marker("")),
        ({"type": "gap", "samples": 5}, native.Missing(5)),
    ],
)
def test_commands(message, command):
    assert native.command_of(json.dumps(message), RATE_HZ) == command


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
    ],
)
def test_mistakes_are_named(message, field, says):
    with pytest.raises(WrongRequestError, match=says) as caught:
        native.command_of(message, RATE_HZ)
    assert caught.value.field == field


SCRAPS = st.none() | st.booleans() | st.floats() | st.text(max_size=300) | st.integers()


@given(st.sampled_from(native.TYPES) | SCRAPS, SCRAPS, st.text())
def test_anything_is_a_command_or_a_named_mistake(kind, value, text):
    whole = json.dumps({"type": kind, "id": value, "samples": value})
    for message in (whole, whole[: len(text)], text):
        with suppress(WrongRequestError):
            assert isinstance(native.command_of(message, RATE_HZ), native.Command)


def test_ready_says_what_was_made_of_the_request():
    settings = StreamSettings(8_000, "mulaw", 2, separate=True)
    said = json.loads(
        native.ready("a", "m", settings, ContextConfig.balanced(), Limits(idle_s=5, session_s=60))
    )
    limits = said.pop("limits")
    assert said == {
        "type": "ready", "protocol": 1, "id": "a", "model": "m", "sample_rate": 8_000,
        "encoding": "mulaw", "channels": 2, "separate": True, "context": "5-0.5-0.5",
        "latency_s": 0.96,
    }  # fmt: skip
    assert (limits["idle_s"], limits["session_s"]) == (5, 60)


def test_what_says_nothing_is_not_sent():
    silent = Heard(0, "", (), "", (), 1.0, 2.0)
    assert native.message_of(silent, StreamSettings()) is None


def test_errors_say_whether_they_are_the_end():
    said = json.loads(native.error(answer_to(CapacityError("full")), fatal=True))
    assert said == {
        "type": "error", "code": "no_capacity", "message": "full", "fatal": True,
        "retry_after_s": 5,
    }  # fmt: skip
