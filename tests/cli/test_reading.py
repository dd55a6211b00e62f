"""The stopwatch beside a stream."""

import pytest

from parakeet_streaming import ContextConfig, Partial
from parakeet_streaming.cli import listening
from parakeet_streaming.cli.listening import Listening
from parakeet_streaming.testing import Cue, fake_recognizer, marked_audio

CONTEXT = ContextConfig(0.8, 0.4, 0.24)


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(listening, "time", clock)
    return clock


def new(*, live: bool, duration_s: float | None = 2.0) -> Listening:
    recognizer = fake_recognizer([Cue(1, 0, 1), Cue(12, 1, 2)], ["one", "two"])
    return Listening(recognizer.stream(CONTEXT), duration_s, live=live)


def everything(listening: Listening) -> list[Partial]:
    audio = marked_audio(25)
    partials = list(listening.hear(audio[start : start + 800] for start in range(0, 32_000, 800)))
    return partials + list(listening.finish())


def test_steps_come_one_by_one_and_text_is_whole(clock: Clock) -> None:
    run = new(live=False)
    assert "".join(partial.text for partial in everything(run)) == "one two"
    assert run.heard_s == 2.0
    assert run.transcript().text == "one two"


def test_status_tells_how_far_and_how_fast(clock: Clock) -> None:
    run = new(live=False)
    everything(run)
    run.processing_s = 0.5
    assert run.status().endswith("0:02 of 0:02 · RTFx 4")
    assert run.summary() == "2.0 s of audio, 0.50 s of computing · RTFx 4"


def test_unknown_duration_shows_no_bar(clock: Clock) -> None:
    assert new(live=True, duration_s=None).status().startswith("0:00 · RTFx 0 · latency 0.64 s")


def test_delays_are_what_they_would_have_been_live(clock: Clock) -> None:
    run = new(live=True)
    everything(run)
    # Token 0 ends at 0.16 s and is heard with the first window, at 0.64 s; token 1 ends at 1.12 s
    # and comes with the third, at 1.44 s.
    assert "text appeared 0.40 s after it was spoken (median of 2 tokens; the latest 0.48 s)" in (
        run.summary()
    )


def test_an_hour_is_told_in_hours() -> None:
    run = new(live=False, duration_s=3_725.0)
    assert "of 1:02:05" in run.status()
