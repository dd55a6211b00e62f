"""A loop that tests turn by hand, under a clock that only they and their fakes move."""

from dataclasses import replace

import numpy as np

from parakeet_streaming.engine.activity import SpeechDetector
from parakeet_streaming.engine.stream_state import StreamOptions
from parakeet_streaming.live.adaptation import DelayRange
from parakeet_streaming.live.admission import Admission
from parakeet_streaming.live.audio_queue import AudioQueueWriter, Missing
from parakeet_streaming.live.batch_limits import BatchLimits
from parakeet_streaming.live.intake import Intake
from parakeet_streaming.live.loop import StreamLoop
from parakeet_streaming.live.opening import StreamOpener
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.live.snapshot_requests import SnapshotRequest
from parakeet_streaming.live.speech import StreamSpeech
from parakeet_streaming.live.stream import LiveStream
from parakeet_streaming.results import Final, Partial
from parakeet_streaming.testing import (
    FakeEncoder,
    FakePieces,
    HandClock,
    ScriptedDecoderJoint,
    fake_recognizer,
    recognizer_of,
)
from parakeet_streaming.timeline import ContextConfig

CONTEXT = ContextConfig(1.0, 0.5, 0.5)
WORDS = ("one", "two", "three")
POISON = 5_000
"""A frame of marked audio that no encoder takes."""


class SlowEncoder(FakeEncoder):
    """Takes `step_s`, and `cost_s` for each second of audio; refuses poisoned windows."""

    def __init__(self, clock, cost_s=0.01, step_s=0.0):
        super().__init__()
        self.clock, self.cost_s, self.step_s = clock, cost_s, step_s

    def encode(self, inputs):
        # Silence after the audio is marked as its beginning, so marks do not check the past.
        known = [0 if each.past is None else each.left_samples for each in inputs]
        fresh = [
            replace(each, samples=each.samples[start:], past=None, left_samples=0)
            for each, start in zip(inputs, known, strict=True)
        ]
        encoded = super().encode([replace(each, kept_frames=None) for each in fresh])
        if any(frames.size and frames.max() >= POISON for frames in encoded.frames):
            raise MemoryError("a poisoned window")
        audio_s = sum(len(each.samples) for each in fresh) / 16_000
        self.clock.now_s += self.step_s + self.cost_s * audio_s
        pasts = tuple(None if each.kept_frames is None else 1 for each in inputs)
        return replace(encoded, pasts=pasts)


class ByFrame(ScriptedDecoderJoint):
    """Emits each cue on its frame, also when cues before it were passed over."""

    def _choice(self, frame, emitted):
        by_frame = {cue.frame: (cue.token, cue.duration) for cue in self.script}
        return by_frame.get(frame, (self.blank_id, 1))


def fixed(context=CONTEXT, *, vad=None, endpoint=None, no_audio_s=None, **choices):
    choices["no_audio_s"] = no_audio_s
    return LiveOptions(DelayRange.fixed(context), vad=vad, endpoint=endpoint, **choices)


class Room:
    """An engine without its thread."""

    def __init__(
        self, script, *, vad=None, cost_s=0.01, step_s=0.0, most_ring_s=60.0, limits=None, **bounds
    ):
        limits = limits or BatchLimits()
        self.clock = HandClock(100.0)
        self.tick_s = limits.tick_s
        self.encoder = SlowEncoder(self.clock, cost_s, step_s)
        self.decoder_joint = ByFrame(script, len(WORDS))
        self.recognizer = recognizer_of(self.encoder, self.decoder_joint, FakePieces(WORDS))
        self.rung = []
        self.admission = Admission(batch_streams=limits.max_streams, **bounds)
        self.loop = StreamLoop(
            self.recognizer,
            vad,
            self.clock,
            lambda: self.rung.append(True),
            self.admission,
            limits,
        )
        self.metrics = self.loop.metrics
        self.opener = StreamOpener(self.loop, self.recognizer, vad, self.clock, most_ring_s)

    def open(self, options=None, on_event=None, *, id=None, resume=None):
        task = self.opener.open(options or fixed(), on_event, stream_id=id, resume=resume)
        return LiveStream(self, task, self.opener)

    def turn(self):
        """One turn; whether there is more to do now."""
        again_s = self.loop.turn(self.clock())
        return again_s is not None and again_s <= self.clock()

    def settle(self):
        """Turns until the worker would sleep for more than a tick; it must come to that."""
        for _ in range(10_000):
            if self.loop.over:
                return
            again_s, now_s = self.loop.turn(self.clock()), self.clock()
            # For windows, and for streams that rest until theirs.
            waits_for_tick = self.tick_s and self.loop._scheduler.next_time(now_s) is not None
            if again_s is None or (again_s > now_s and not waits_for_tick):
                return
            self.clock.now_s = max(now_s, again_s)
        raise AssertionError("the worker never rests")

    def run(self, seconds):
        """Turns as the worker would while time goes by; wakes at the times that the loop names."""
        end_s = self.clock.now_s + seconds
        while self.clock.now_s < end_s and not self.loop.over:
            again_s = self.loop.turn(self.clock())
            self.clock.now_s = max(self.clock.now_s, min(end_s, again_s or end_s))

    def alone(self, audio, context=CONTEXT, silence_s=0.5):
        """The tokens of the same audio in a stream of its own, without anything live."""
        stream = recognizer_of(FakeEncoder(), self.decoder_joint, FakePieces(WORDS)).stream(context)
        stream.push(audio)
        stream.end(silence_s)
        return stream.finish()[-1].transcript.tokens


def outcome_of(stream):
    return stream.stats().outcome


def snapshot_of(room, stream, *, audio=True, past=True, earlier_utterances=True):
    """What `snapshot` gives, with the worker's turn by hand."""
    answer = stream._ask(SnapshotRequest(audio, past, earlier_utterances))
    room.settle()
    return room.opener.encode(answer.result(0))


def drained(stream):
    """Everything that can be read without waiting, and the error after it."""
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


def next_of(reader, most_samples=10**9):
    """What comes next in an audio queue: samples, a gap, or None."""
    pieces = []
    found = reader.take(most_samples, lambda piece: pieces.append(piece.copy()))
    return found if isinstance(found, Missing) else np.concatenate(pieces) if pieces else None


def intake_of(*, context=CONTEXT, capacity=160_000, options=None, endpointer=None):
    """An intake, its speech, the writer it takes from, its stream, and what they report."""
    writer = AudioQueueWriter(capacity, capacity, lambda: 5.0, lambda: None)
    stream = fake_recognizer([], ["one"]).open(StreamOptions(context))
    detector = None if options is None else SpeechDetector(options, 512)
    events = []
    speech = StreamSpeech(stream, events, detector, endpointer)
    padding = 0 if detector is None else detector.padding_samples
    intake = Intake(stream, writer.reader, speech, events, padding_samples=padding)
    return intake, speech, writer, stream, events


def judge_all(speech, probability):
    """How many frames there were to judge."""
    frames = 0
    while (block := speech.block_to_judge()) is not None:
        speech.judged([probability] * (len(block) // 512), "state")
        frames += len(block) // 512
    return frames
