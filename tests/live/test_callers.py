"""Calls that would wait for ever are refused."""

import os
import threading

import pytest

from parakeet_streaming import LiveEngine
from parakeet_streaming.errors import EngineFailedError, UsageError
from parakeet_streaming.live.callers import Callers
from parakeet_streaming.results import Final
from parakeet_streaming.testing import Cue, fake_recognizer, marked_audio
from tests.live.by_hand import WORDS, drained, finals_of, fixed

WAIT_S = 60


def fake():
    return fake_recognizer([Cue(3, 0)], WORDS)


def test_only_the_thread_that_turns_is_the_worker_and_only_while_it_turns():
    callers = Callers()
    assert not callers.in_worker
    with callers.turning():
        assert callers.in_worker
        others = []
        thread = threading.Thread(target=lambda: others.append(callers.in_worker))
        thread.start()
        thread.join(WAIT_S)
        assert others == [False]
        with pytest.raises(UsageError, match=r"get\(\) waits for the worker"):
            callers.check_may_wait("get()")
    assert not callers.in_worker
    callers.check_may_wait("get()")


@pytest.mark.parametrize(
    "call",
    [
        lambda stream: stream.get(),
        lambda stream: stream.get(1.0),
        next,
        lambda stream: (stream.push(marked_audio(2_000)), stream.wait_for_room(16_000)),
        lambda stream: stream.push_waiting(marked_audio(2_000)),
        lambda stream: stream.snapshot(),
    ],
    ids=["get", "get in time", "iterator", "wait_for_room", "push_waiting", "snapshot"],
)
def test_what_would_wait_in_a_callback_ends_that_stream_and_no_other(call):
    with LiveEngine(fake(), most_ring_s=2.0) as engine:
        other, caught = engine.open(fixed()), []

        def on_event(event):
            target = iter(other) if call is next else other
            with pytest.raises(UsageError, match="on_event") as error:
                call(target)
            caught.append(error.value)
            raise error.value

        stream = engine.open(fixed(), on_event)
        stream.push(marked_audio(30))
        stream.finish()
        with pytest.raises(UsageError):
            list(stream)
        assert caught
        other.push(marked_audio(30))
        other.finish()
        assert isinstance(list(other)[-1], Final)


def test_what_does_not_wait_works_in_a_callback():
    with LiveEngine(fake()) as engine:
        other, seen = engine.open(fixed()), []
        other.push(marked_audio(30))
        other.finish()
        while other.stats().outcome is None:
            pass

        def on_event(event):
            seen.append(other.get())
            seen.append(engine.stats().active_streams)
            assert other.wait_for_room() == 0

        with engine.open(fixed(), on_event) as stream:
            stream.push(marked_audio(30))
        while stream.stats().outcome is None:
            pass
        assert seen
        assert stream.stats().outcome == "finished"
        with pytest.raises(TimeoutError):
            engine.open(fixed()).get(0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_an_engine_in_a_forked_child_refuses_instead_of_waiting():
    calls = [
        lambda engine, stream: engine.open(fixed()),
        lambda engine, stream: stream.push(marked_audio(3)),
        lambda engine, stream: stream.get(),
        lambda engine, stream: stream.wait_for_room(),
        lambda engine, stream: stream.snapshot(),
        lambda engine, stream: stream.commit(),
    ]
    with LiveEngine(fake()) as engine:
        stream = engine.open(fixed())
        stream.push(marked_audio(10))
        child = os.fork()
        if child == 0:
            refused = 0
            for call in calls:
                try:
                    call(engine, stream)
                except EngineFailedError as error:
                    refused += "spawn" in str(error)
            engine.close()
            os._exit(refused)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == len(calls)
        stream.push(marked_audio(30)[12_800:])
        stream.finish()
        assert finals_of(list(stream))
    assert drained(stream) == ([], None)
