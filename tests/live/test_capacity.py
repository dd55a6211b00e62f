"""An encoder of known cost: below 90 % of the true load nobody is refused, above it somebody is."""

import pytest

from parakeet_streaming import LiveEngine, load
from parakeet_streaming.errors import CapacityError
from parakeet_streaming.live.warm_up import WarmUp
from parakeet_streaming.testing import Cue, marked_audio
from parakeet_streaming.timeline import ContextConfig
from tests.live.by_hand import Room, fixed

BALANCED = ContextConfig(5.0, 0.5, 0.5)
SHORT, LONG = ContextConfig(1.0, 0.48, 0.48), ContextConfig(9.6, 0.96, 1.92)


class Rows(Room):
    """Each stream of a step takes a time, and each second of its window."""

    def __init__(self, per_stream_s, cost_s, **choices):
        super().__init__([Cue(3, 0)], cost_s=cost_s, **choices)
        self.per_stream_s, self.busy_s = per_stream_s, 0.0
        encode = self.encoder.encode

        def by_row(inputs):
            began_s = self.clock.now_s
            self.clock.now_s += per_stream_s * len(inputs)
            encoded = encode(inputs)
            self.busy_s += self.clock.now_s - began_s
            return encoded

        self.encoder.encode = by_row
        streams = self.loop.streams
        WarmUp(self.recognizer, None, self.clock, streams.step_took, streams.vad_took).run()
        self.busy_s = 0.0

    def true_load(self, context):
        """Of one stream of full windows."""
        left, chunk, right = context.effective
        return (self.per_stream_s + self.encoder.cost_s * (left + chunk + right)) / chunk


def speak(room, streams, seconds):
    """Real time: what the clock has come to is pushed, then the worker turns."""
    audio = marked_audio(400)
    began_s = room.clock.now_s
    pushed = dict.fromkeys(streams, 0)
    while room.clock.now_s - began_s < seconds:
        now = round((room.clock.now_s - began_s) * 16_000)
        for stream in streams:
            stream.push(audio[pushed[stream] : now])
            pushed[stream] = now
        if not room.turn():
            room.clock.now_s += 0.02


def refused_by(open_one, most):
    """The error of the first that is refused; those before it stay open."""
    streams = []
    for _ in range(most):
        try:
            streams.append(open_one())
        except CapacityError as error:
            return error
    raise AssertionError("nobody was refused")


@pytest.mark.parametrize("after_calls", [0, 10])
@pytest.mark.parametrize(("per_stream_s", "cost_s"), [(0.0, 0.004), (0.007, 0.004), (0.02, 0.0)])
def test_streams_of_short_and_long_windows_are_let_in_up_to_the_true_load(
    per_stream_s, cost_s, after_calls
):
    room = Rows(per_stream_s, cost_s)
    for _ in range(after_calls):
        # Only short windows are seen before the others come.
        call = room.open(fixed(BALANCED))
        speak(room, [call], 1.5)
        call.finish()
        room.settle()
    true, streams, refused_at = 0.0, [], None
    for number in range(1_000):
        context = (SHORT, LONG, BALANCED)[number % 3]
        true += room.true_load(context)
        try:
            streams.append(room.open(fixed(context)))
        except CapacityError:
            refused_at = true
            break
    assert refused_at is not None
    assert 0.9 <= refused_at <= 1.0
    speak(room, streams, 15)
    assert max(stream.stats().lag_s for stream in streams) < 2


@pytest.mark.parametrize("callers", [32, 40])
def test_callers_with_short_commands_find_room_on_an_idle_engine(callers):
    room = Rows(0.0075, 0.004)
    began_s, busy_s, open_now = room.clock.now_s, room.busy_s, []
    for _ in range(callers * 3):
        # They come and go, so that windows never get long.
        if len(open_now) >= callers // 4:
            caller = open_now.pop(0)
            caller.finish()
            room.settle()
        open_now.append(room.open(fixed(BALANCED)))
        speak(room, open_now, 0.3)
    busy = (room.busy_s - busy_s) / (room.clock.now_s - began_s)
    assert busy < 0.9


def test_load_is_one_number():
    room = Rows(0.0, 0.004)
    refused = refused_by(room.open, 100)
    told = float(str(refused).split(" take ")[1].split("%")[0]) / 100
    assert room.loop.stats().load == pytest.approx(told, abs=0.001)


def test_a_cold_engine_knows_what_it_can_carry():
    with LiveEngine(load("tiny-en")) as engine:
        refused = refused_by(lambda: engine.open(fixed(BALANCED)), 2_000)
        assert f"{engine.stats().load:.1%}" in str(refused)
        engine.close(drain=False)
