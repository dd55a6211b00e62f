"""A table that tests turn by hand, under a clock that only they and their fakes move."""

from parakeet_streaming.live.adaptation import DelayRange
from parakeet_streaming.live.loop import StreamLoop
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.live.stream import LiveStream
from parakeet_streaming.live.task import Host
from parakeet_streaming.results import Final, Partial
from parakeet_streaming.testing import FakeEncoder, FakePieces, ScriptedDecoderJoint, recognizer_of
from parakeet_streaming.timeline import ContextConfig

CONTEXT = ContextConfig(1.0, 0.5, 0.5)
WORDS = ("one", "two", "three")
POISON = 5_000
"""A frame of marked audio that no encoder takes."""


class Clock:
    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return self.now_s


class SlowEncoder(FakeEncoder):
    """Takes `cost_s` for each second of audio; refuses poisoned windows."""

    def __init__(self, clock, cost_s=0.01):
        super().__init__()
        self.clock, self.cost_s = clock, cost_s

    def encode(self, inputs):
        encoded = super().encode(inputs)
        if any(row.max(initial=0) >= POISON for row in encoded.frames):
            raise MemoryError("a poisoned window")
        samples = sum(
            len(each.samples) - (0 if each.past is None else each.left_samples) for each in inputs
        )
        self.clock.now_s += self.cost_s * samples / 16_000
        return encoded

    def _kept(self, each, row):
        # Silence added to the audio is marked as its beginning, so marks do not tell a past.
        return True


class ByFrame(ScriptedDecoderJoint):
    """Emits each cue on its frame, also when cues before it were passed over."""

    def _choice(self, frame, emitted):
        by_frame = {cue.frame: (cue.token, cue.duration) for cue in self.script}
        return by_frame.get(frame, (self.blank_id, 1))


def fixed(context=CONTEXT, *, vad=None, endpoint=None, **choices):
    return LiveOptions(DelayRange.fixed(context), vad=vad, endpoint=endpoint, **choices)


class Room:
    """An engine without its thread."""

    def __init__(self, script, *, vad=None, cost_s=0.01, most_ring_s=60.0, **choices):
        self.clock = Clock()
        self.encoder = SlowEncoder(self.clock, cost_s)
        self.decoder_joint = ByFrame(script, len(WORDS))
        self.recognizer = recognizer_of(self.encoder, self.decoder_joint, FakePieces(WORDS))
        self.table = StreamLoop(self.recognizer, vad, self.clock, **choices)
        self.rung = []
        self.host = Host(
            self.recognizer,
            vad,
            self.table.metrics,
            self.clock,
            lambda: self.rung.append(True),
            most_ring_s,
        )

    def open(self, options=None, on_event=None):
        guest = self.host.guest(options or fixed(), on_event)
        self.table.join(guest)
        return LiveStream(self, guest, self.host)

    def settle(self):
        """Turns until the worker would sleep; it must come to that."""
        for _ in range(10_000):
            if not self.table.turn() and self.table.may_wait():
                return
            if self.table.over:
                return
        raise AssertionError("the worker never rests")

    def alone(self, audio, context=CONTEXT):
        """The tokens of the same audio in a stream of its own, without anything live."""
        stream = recognizer_of(FakeEncoder(), self.decoder_joint, FakePieces(WORDS)).stream(context)
        stream.push(audio)
        stream.end(0.5)
        return stream.finish()[-1].transcript.tokens


def drained(stream):
    """Everything that can be read without waiting, and the error behind it."""
    events = []
    try:
        while (event := stream.get(0)) is not None:
            events.append(event)
    except TimeoutError:
        return events, None
    except Exception as error:
        return events, error
    return events, None


def tokens_of(events):
    return tuple(token for each in events if isinstance(each, Partial) for token in each.tokens)


def finals_of(events):
    return [each for each in events if isinstance(each, Final)]
