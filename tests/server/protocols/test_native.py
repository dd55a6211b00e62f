"""What is told on `/v1/stream`."""

import json

from parakeet_streaming.server.limits import Limits
from parakeet_streaming.server.protocols import native
from parakeet_streaming.server.protocols.native_settings import StreamSettings
from parakeet_streaming.server.replies import CapacityError, CheckpointRefusedError, answer_to
from parakeet_streaming.server.session_events import Heard
from parakeet_streaming.timeline import ContextConfig


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


def test_a_refusal_of_a_checkpoint_has_its_reason():
    said = json.loads(
        native.error(answer_to(CheckpointRefusedError("expired", "old")), fatal=False)
    )
    assert said == {
        "type": "error", "code": "checkpoint_refused", "message": "old", "fatal": False,
        "field": "checkpoint", "reason": "expired",
    }  # fmt: skip


def test_text_has_its_place_where_it_may_come_twice():
    heard = Heard(0, "one", (), "", (), 1.0, 2.0, 7)
    asked = json.loads(native.message_of(heard, StreamSettings(checkpoints=5.0)))
    assert asked["offset"] == 7
    assert "offset" not in json.loads(native.message_of(heard, StreamSettings()))
