"""A soak by hand: all is well where it is, and what is not is found."""

import asyncio
import random
from dataclasses import replace

import numpy as np
import pytest

from parakeet_streaming.results import Gap, Partial
from parakeet_streaming.testing import ScriptedVad
from tests.benchmarks.live.by_hand import BOOK, Engine

VOICE = [0.0] * 40 + ([1.0] * 60 + [0.0] * 90) * 40
BY_HAND = ("callback", "now and then", "thrower")


@pytest.fixture(scope="module")
def soaking(program):
    return program("soak")


@pytest.fixture(scope="module")
def judging(program):
    return program("judging")


@pytest.fixture(scope="module")
def visitors(program):
    return program("visitors")


@pytest.fixture(scope="module")
def stories(program):
    stories = program("stories")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stories, "READINGS", {name: stories.READINGS[name] for name in BY_HAND})
        yield stories


@pytest.fixture(scope="module")
def watching(program):
    return program("watching")


@pytest.fixture(scope="module")
def soaked(soaking, judging, stories, program):
    """Runs a soak of some seconds; gives what became of it and a judge."""

    def run(seconds, *, seed=3, **choices):
        room = Engine(vad=ScriptedVad(VOICE), **choices)
        judge = judging.Judge(room.recognizer, room.host.vad, BOOK)
        witness = program("witness").Witness(room.recognizer)
        room.table._recognizer = witness
        room.host = replace(room.host, recognizer=witness)
        return soaking.Soak(room, witness, BOOK, room, seed, 5).run(seconds, None), judge

    return run


@pytest.fixture(scope="module")
def well(soaked):
    return soaked(70.0)


def broken(soaked, judge):
    return [each for story in soaked.stories for each in judge.broken(story)]


def test_all_is_well(well, soaking, judging):
    found, judge = well
    assert broken(found, judge) == []
    assert len(found.stories) > 10
    assert len({story.outcome for story in found.stories}) > 2
    assert any(judging.is_unmoved(story) for story in found.stories)
    assert sum(len(story.heard) for story in found.stories) > 100
    assert len(found.looks) > 60
    assert "| streams |" in soaking.summary(found.stories, found.not_let_in)


def test_under_load_chunks_grow_and_samples_are_refused_and_all_is_well_still(soaked, soaking):
    found, judge = soaked(40.0, cost_s=0.06, most_ring_s=2.0)
    assert broken(found, judge) == []
    assert any(story.refused for story in found.stories)
    assert "| streams whose chunk grew | 0 |" not in soaking.summary(
        found.stories, found.not_let_in
    )


def test_the_same_seed_makes_the_same_callers(soaked):
    one, other = (soaked(10.0, seed=5)[0].stories for _ in range(2))
    assert [story.pieces for story in one] == [story.pieces for story in other]
    assert [story.heard for story in one] == [story.heard for story in other]


def test_a_lost_event_is_found(soaked, stories, monkeypatch):
    told = stories.Story.told

    def forgetful(story, event):
        if not (isinstance(event, Partial) and event.tokens and story.events > 4):
            told(story, event)

    monkeypatch.setattr(stories.Story, "told", forgetful)
    found, judge = soaked(30.0)
    assert any("live it heard" in each for each in broken(found, judge))
    assert any("partials have" in each for each in broken(found, judge))


def test_a_gap_nobody_tells_of_is_found(soaked, stories, monkeypatch):
    told = stories.Story.told
    monkeypatch.setattr(
        stories.Story,
        "told",
        lambda story, event: None if isinstance(event, Gap) else told(story, event),
    )
    found, judge = soaked(40.0, cost_s=0.06, most_ring_s=2.0)
    assert any("gaps tell of 0" in each for each in broken(found, judge))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"audio_s": 1.0}, "were not decoded"),
        ({"outcome": "stuck"}, "did not end"),
        ({"outcome": "failed"}, "it failed"),
        ({"error": KeyError("x")}, "it failed"),
        ({"reasons": ["silence"]}, "its last utterance ended by"),
    ],
)
def test_every_promise_is_looked_at(well, change, reason):
    found, judge = well
    good = next(s for s in found.stories if s.outcome == "finished" and s.read_out)
    assert judge.broken(good) == []
    assert any(reason in each for each in judge.broken(replace(good, **change)))


def test_audio_that_was_decoded_twice_or_not_at_all_is_found(well):
    found, judge = well
    plain = [s for s in found.stories if s.manner.options.vad is None and len(s.cuts) > 8]
    story = next(s for s in plain if s.outcome == "finished")
    cuts = [*story.cuts]
    (twice,) = [e for e in judge.broken(replace(story, cuts=[*cuts[:4], *cuts[3:]])) if "cut" in e]
    assert "begins before" in twice
    hole = replace(story, cuts=[*cuts[:3], *cuts[4:]])
    assert any("without voice activity" in each for each in judge.broken(hole))


def test_memory_and_threads_that_grow_are_found(watching):
    def looks(resident_mib, own=4, system=1):
        return [
            watching.Look(float(at), resident_mib(at), 5, own + (at > 30) * (own - 4), system)
            for at in range(40)
        ]

    assert watching.broken_as_a_whole(looks(lambda at: 150.0 + at % 3)) == []
    (found,) = watching.broken_as_a_whole(looks(lambda at: 150.0 + at))
    assert found == "memory grew from 164.5 to 184.5 MiB"
    (found,) = watching.broken_as_a_whole(looks(lambda _: 150.0, own=6))
    assert found == "own_threads grew from 6 to 8"
    assert "too short" in watching.broken_as_a_whole(looks(lambda _: 150.0)[:7])[0]


def test_readers_in_threads_and_loops_take_note(stories, visitors):
    manner = stories.Manner.drawn(random.Random(0))
    room = Engine()
    told = [stories.Story(number, manner) for number in range(3)]
    streams = [room.open(stories.LiveOptions(vad=None, endpoint=None)) for _ in told]
    for stream in streams:
        stream.push(BOOK[:80_000])
        stream.finish()
    room.settle()
    visitors._take_all(streams[0], told[0], 0.0)
    visitors._desert(streams[1], told[1], 2)
    asyncio.run(visitors._take_async(streams[2], told[2]))
    assert told[0].heard == told[2].heard != []
    assert [story.read_out for story in told] == [True, False, True]
    assert (told[1].left, told[1].events) == (True, 2)
    assert told[0].reasons == ["end"]


def test_time_is_what_was_taken_and_what_was_refused(stories):
    manner = stories.Manner.drawn(random.Random(0))
    delay = stories.DelayRange.fixed(stories.ContextConfig(1.0, 0.5, 0.5))
    manner = replace(manner, options=stories.LiveOptions(delay))
    story = stories.Story(1, manner, pieces=[(10, 3, 2), (15, 2, 0)])
    book = np.arange(100, dtype=np.float32)
    assert story.timeline(book).tolist() == [10, 11, 12, 0, 0, 15, 16]
