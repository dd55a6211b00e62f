"""Options of streams to come, and what a model is asked to make ready for them."""

import logging
import threading
from types import SimpleNamespace

import pytest

from parakeet_streaming import ContextConfig, DelayRange, LiveEngine, LiveOptions
from parakeet_streaming.live.ready_steps import ready_steps
from parakeet_streaming.live.scheduler import BatchLimits
from parakeet_streaming.live.warm_up import WarmUp
from parakeet_streaming.testing import FakeEncoder, FakePieces, ScriptedDecoderJoint, recognizer_of
from tests.live.by_hand import WORDS

CONTEXT = ContextConfig(1.0, 0.5, 0.5)
OPTIONS = LiveOptions(DelayRange.growing(CONTEXT), vad=None, endpoint=None)


def recognizer_that(prepare_steps=None):
    """Of a model that makes steps ready that way, or does not."""
    made = recognizer_of(FakeEncoder(), ScriptedDecoderJoint([], len(WORDS)), FakePieces(WORDS))
    if prepare_steps is not None:
        made._transducer.prepare_steps = prepare_steps
    return made


def test_nothing_to_do():
    asked = []
    able = recognizer_that(lambda *given, **more: asked.append(given))
    assert ready_steps(able, [], 32, None) is None
    assert ready_steps(recognizer_that(), [OPTIONS], 32, None) is None
    assert asked == []


def test_what_is_asked():
    """Whole windows and cached streams apart; contexts as they are where no chunk has grown."""
    asked = []

    def prepare(contexts, **more):
        asked.append((contexts, more))
        yield
        yield

    cached = LiveOptions(DelayRange.fixed(ContextConfig(2.0, 0.5, 0.5)), cached=True)
    done = list(ready_steps(recognizer_that(prepare), [cached, OPTIONS], 32, 100))
    assert done == [None] * 4
    numbers = {"most_rows": 32, "most_streams": 100}
    assert asked == [
        ([CONTEXT], numbers | {"cached": False}),
        ([cached.context], numbers | {"cached": True}),
    ]


def test_an_engine_makes_steps_ready_before_it_measures_and_before_the_first_stream():
    done, may_go_on = [], threading.Event()

    def prepare(contexts, **more):
        assert more == {"most_rows": 5, "most_streams": 7, "cached": False}
        assert may_go_on.wait(60)
        done.append("half")
        yield
        done.append("ready")

    encoder = FakeEncoder()
    real = encoder.encode
    encoder.encode = lambda inputs: (done.append("step"), real(inputs))[1]
    recognizer = recognizer_of(encoder, ScriptedDecoderJoint([], len(WORDS)), FakePieces(WORDS))
    recognizer._transducer.prepare_steps = prepare
    limits = BatchLimits(max_streams=5)
    with LiveEngine(recognizer, most_streams=7, limits=limits, ready_for=[OPTIONS]) as engine:
        opened = []
        opening = threading.Thread(target=lambda: opened.append(engine.open(OPTIONS)))
        opening.start()
        opening.join(0.05)
        assert not opened
        may_go_on.set()
        opening.join(60)
        assert done[:2] == ["half", "ready"]
        opened[0].cancel()


@pytest.mark.parametrize("steps", [0, 1])
def test_steps_that_cannot_be_made_ready_are_reported_and_streams_go_on(caplog, steps):
    def prepare():
        for _ in range(steps):
            yield
        raise MemoryError("no room for slots")

    warm_up = WarmUp(
        recognizer_that(), None, lambda: 0.0, lambda *_: None, lambda *_: None, prepare()
    )
    assert warm_up.prepares
    with caplog.at_level(logging.WARNING):
        warm_up.run()
    assert "no room for slots" in caplog.text
    assert not warm_up.prepares
    warm_up.wait_for_steps(lambda: None)


def test_nobody_waits_for_steps_that_were_given_up():
    warm_up = WarmUp(
        recognizer_that(), None, lambda: 0.0, lambda *_: None, lambda *_: None, iter([None])
    )
    roused = threading.Event()
    waiting = threading.Thread(target=warm_up.wait_for_steps, args=(roused.set,))
    waiting.start()
    assert roused.wait(60)
    assert warm_up.wanted
    warm_up.give_up()
    waiting.join(60)
    assert not waiting.is_alive()


def test_steps_are_for_models_that_offer_it():
    stepper = SimpleNamespace(snapshots=SimpleNamespace(transducer=object()))
    assert ready_steps(stepper, [OPTIONS], 1, None) is None
