import json

import pytest

from parakeet_streaming import results
from parakeet_streaming.processes.events import packed_event, unpacked_event
from parakeet_streaming.processes.frames import FrameError
from parakeet_streaming.results import SnapshotTaken, StepTiming, Token
from parakeet_streaming.timeline import ContextConfig

TOKEN = Token(7, " one", 12, 3, 0.96, 1.2000000000000002, 0.9123456789012345, unfinished="c3")
SPOKEN = Token(8, " 23", 12, 3, 1, 2, 0.5, recovered=True, boosted=True, spoken="twenty three")
WORD = results.Word("one", 0.96, 1.2, 0.9)
TRANSCRIPT = results.Transcript(
    "one", (TOKEN,), (WORD,), (results.Segment("one", 0.96, 1.2, (WORD,)),), 3.5
)
EVENTS = [
    results.Partial("", (), "", (), 0.0, 1.0),
    results.Partial(
        " one", (TOKEN, SPOKEN), " tw", (TOKEN,), 0.1, 0.2, StepTiming(0.1, 0.2, 0.3, 4, 0.5)
    ),
    results.Final(TRANSCRIPT, 3, "no_audio"),
    results.SpeechStarted(0.1),
    results.SpeechEnded(0.2),
    results.Gap(1.0, 2.0),
    results.ContextChanged(ContextConfig(1.0, 0.5, 0.5), 2.5),
    results.HealthHint("scale", "too quiet", 1.25),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_events_come_back(event):
    told, blob = packed_event(event)
    back = unpacked_event(json.loads(json.dumps(told)), blob)
    assert back == event
    assert getattr(back, "timing", None) == getattr(event, "timing", None)


def test_a_snapshot_comes_with_its_bytes():
    told, blob = packed_event(SnapshotTaken(16_000, lambda: b"all of it"))
    back = unpacked_event(json.loads(json.dumps(told)), blob)
    assert isinstance(back, SnapshotTaken)
    assert (back.position, back.write(), back.filters) == (16_000, b"all of it", ())


@pytest.mark.parametrize(
    "told",
    [
        None,
        [],
        ["other"],
        ["gap", {}],
        ["gap", {"start": "1", "end": 2}],
        ["snapshot", "x"],
        ["partial", "text"],
        ["partial", 3, [], "", [], 0, 0, None],
        ["partial", "", [[1, 2]], "", [], 0, 0, None],
        ["partial", "", [], "", [], True, 0, None],
        [["list"], 1],
    ],
)
def test_what_is_no_event_is_refused(told):
    with pytest.raises(FrameError):
        unpacked_event(told)
