"""Objects of JSON; those of one stream are tested by the formats that write them."""

from parakeet_streaming.channels import SeparateTranscript
from parakeet_streaming.json_objects import context_object, event_object, transcript_object
from parakeet_streaming.results import Gap, Transcript
from parakeet_streaming.timeline import ContextConfig
from tests.test_channels import CALL


def test_separate_channels_are_told_apart_and_together():
    made = transcript_object(CALL)
    assert made["text"] == CALL.text
    assert [(each["speaker"], each["text"]) for each in made["utterances"]] == [
        ("agent", "good day"),
        ("caller", "hello is it you?"),
        ("agent", "yes bye"),
    ]
    assert made["utterances"][0]["words"][1] == {
        "text": "day", "start": 0.4, "end": 0.8, "confidence": 0.9,
    }  # fmt: skip
    first = made["channels"][0]
    assert (first["channel"], first["speaker"], first["text"]) == (0, "agent", "good day yes bye")
    one, _, three = made["utterances"]
    assert first["words"] == [*one["words"], *three["words"]]


def test_nothing_was_said():
    assert transcript_object(SeparateTranscript(())) == {
        "text": "", "utterances": [], "channels": [],
    }  # fmt: skip
    assert transcript_object(Transcript("", (), (), (), 1.0))["words"] == []


def test_events_and_contexts():
    assert event_object(Gap(0.12345, 1.0)) == ("gap", {"start": 0.123, "end": 1.0})
    assert context_object(None) is None
    assert context_object(ContextConfig(2, 0.25, 0.25))["effective"]["chunk"] == 0.24
