"""Live streams cut at any border and resumed elsewhere give the events of an uninterrupted one."""

import numpy as np
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from parakeet_streaming.engine.endpoint_options import EndpointOptions
from parakeet_streaming.engine.vad_options import VadOptions
from parakeet_streaming.live.batch_limits import BatchLimits
from parakeet_streaming.results import (
    Final,
    Gap,
    Partial,
    SnapshotTaken,
    SpeechEnded,
    SpeechStarted,
)
from parakeet_streaming.testing import Cue, ScriptedVad, marked_audio
from parakeet_streaming.timeline import FRAME_SAMPLES, ContextConfig
from tests.live.by_hand import Room, drained, finals_of, fixed, outcome_of, snapshot_of
from tests.model.hashed import context_of

FRAMES = 150
AUDIO = marked_audio(FRAMES, 100)
VAD = VadOptions(prefix_padding_ms=100, hangover_ms=100, min_silence_ms=64, min_speech_ms=64)
ENDPOINTS = [None, EndpointOptions(100, 80, 400, 2.0), EndpointOptions.aggressive()]

PHRASES = [None, ["two three"], ["three two", "two"], ["three three two"]]
TICKS = [0.0, 0.02]
"""When windows go changes nothing of what is told."""
KINDS = ["audio", "audio", "audio", "gap", "commit", "phrases", "ask", "wreck", "crash"]

contexts = st.tuples(st.integers(0, 12), st.integers(1, 8), st.integers(0, 8)).map(
    lambda frames: ContextConfig(*context_of(*frames))
)
scripts = st.lists(st.tuples(st.integers(1, 25), st.integers(1, 25)), min_size=1, max_size=10)


@st.composite
def plans(draw):
    """Slices of the audio, and the slices after which the stream moves, or is committed."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    count = draw(st.integers(1, 40))
    pieces = (generator.random(count) ** 2 * 20_000).astype(int) + 1
    chosen = generator.random((2, count)) < [[0.3], [0.06]]
    cuts, commits = (set(np.flatnonzero(each).tolist()) for each in chosen)
    return pieces.tolist(), cuts, commits


class Journey:
    """One stream, pushed slice by slice, that may move from room to room."""

    def __init__(self, pairs, options, most_ring_s=60.0, tick_s=0.0):
        self.options, self.most_ring_s = options, most_ring_s
        self.limits = BatchLimits(tick_s=tick_s)
        self.voice = np.concatenate([np.repeat([0.0, 1.0], pair) for pair in pairs]).tolist()
        frames = [frame for frame in range(1, FRAMES) if frame % 3 and self._speech_at(frame)]
        self.cues = [Cue(frame, frame % 3) for frame in frames]
        self.events, self.moves = [], 0
        self._enter(None)

    def _speech_at(self, frame):
        at = frame * FRAME_SAMPLES // 512
        return at < len(self.voice) and self.voice[at]

    def _enter(self, resume):
        # Each machine has a clock of its own, and is as fast as it is.
        vad, cost_s = ScriptedVad(self.voice), 0.01 * (1 + self.moves % 3)
        bounds = {"most_ring_s": self.most_ring_s, "limits": self.limits}
        self.room = Room(self.cues, vad=vad, cost_s=cost_s, **bounds)
        self.room.clock.now_s += (self.moves * 7_919) % 10_007
        self.stream = self.room.open(self.options, resume=resume)
        self.room.settle()

    def push(self, samples):
        self.stream.push(samples)
        self.room.settle()

    def move(self, **left_out):
        """On to another room, unless audio or a gap still waits; where to push it from."""
        if self.stream._task.queue.reader.waiting:
            return
        received = self.stream.stats().received_samples
        snapshot = snapshot_of(self.room, self.stream, **left_out)
        self.events += drained(self.stream)[0]
        self._enter(snapshot)
        self.moves += 1
        assert self.stream.stats().resumed == "exact"
        start = self.stream.stats().received_samples
        assert start == received if left_out.get("audio", True) else start <= received
        if start < received:
            self.push(AUDIO[start:received])
            assert drained(self.stream) == ([], None)

    def end(self):
        self.stream.finish()
        self.room.settle()
        assert outcome_of(self.stream) == "finished"
        self.events += drained(self.stream)[0]
        return self.events


def travelled(journey, pieces, cuts, commits, **left_out):
    at = 0
    for number, count in enumerate(pieces):
        piece = AUDIO[at : at + count]
        at += count
        journey.push(piece)
        if number in commits:
            journey.stream.commit()
            journey.room.settle()
        if number in cuts:
            journey.move(**left_out)
    return journey.end()


@settings(max_examples=100)
@given(
    context=contexts,
    pairs=scripts,
    plan=plans(),
    vad=st.sampled_from([None, VAD]),
    endpoint=st.sampled_from(ENDPOINTS),
    ring_s=st.sampled_from([0.1, 60.0]),
    tick_s=st.sampled_from(TICKS),
)
def test_a_stream_that_moves_gives_the_events_of_one_that_stays(
    context, pairs, plan, vad, endpoint, ring_s, tick_s
):
    pieces, cuts, commits = plan
    options = fixed(context, vad=vad, endpoint=endpoint)
    stayed = travelled(Journey(pairs, options, ring_s), pieces, set(), commits)
    journey = Journey(pairs, options, ring_s, tick_s)
    assert travelled(journey, pieces, cuts, commits) == stayed
    gaps = sum(isinstance(each, Gap) for each in stayed)
    event(f"moved {min(journey.moves, 3)} times, gaps {gaps > 0}, finals {len(finals_of(stayed))}")


@settings(max_examples=40)
@given(
    context=contexts,
    pairs=scripts,
    plan=plans(),
    vad=st.sampled_from([None, VAD]),
    endpoint=st.sampled_from(ENDPOINTS),
)
def test_audio_that_was_left_out_is_pushed_again(context, pairs, plan, vad, endpoint):
    pieces, cuts, _ = plan
    options = fixed(context, vad=vad, endpoint=endpoint)
    stayed = travelled(Journey(pairs, options), pieces, set(), set())
    assert travelled(Journey(pairs, options), pieces, cuts, set(), audio=False) == stayed


def by_kind(events):
    """What is decoded, speech, and gaps, which may stand before or after each other.

    Gaps within the left context are told again, and without the commit that parted them.
    """
    decoded = [each for each in events if isinstance(each, Partial | Final)]
    speech = [each for each in events if isinstance(each, SpeechStarted | SpeechEnded)]
    gaps = {each for each in events if isinstance(each, Gap)}
    return decoded, speech, joined(sorted((each.start, each.end) for each in gaps))


def joined(stretches):
    """Stretches in order, those that touch or overlap as one."""
    found = []
    for start, end in stretches:
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def begins_with(more, told):
    """Whether all that was told is there; the last gap may have grown since."""
    if told and isinstance(told[-1], tuple) and len(more) >= len(told):
        *told, last = told
        if (last[0], True) != (more[len(told)][0], more[len(told)][1] >= last[1]):
            return False
    return more[: len(told)] == told


class Shipwreck(Journey):
    """A stream that asks for snapshots now and then, and goes on from the last one once it broke.

    What is pushed, missing and committed is kept, as a client of a server keeps it.
    """

    def __init__(self, pairs, options, tick_s=0.0):
        super().__init__(pairs, options, tick_s=tick_s)
        self.said, self.at, self.taken = [], 0, None

    def say(self, kind, count=0):
        self.said.append((kind, self.at, count))
        self.at += count if kind in ("audio", "gap") else 0
        self._do(*self.said[-1])

    def ask(self):
        self.stream.ask_snapshot()

    def settle(self):
        self.room.settle()
        for each in drained(self.stream)[0]:
            if isinstance(each, SnapshotTaken):
                self.taken = (each, len(self.events), self._answered())
            else:
                self.events.append(each)

    def wreck(self):
        """What was told after the last snapshot is told again."""
        if self.taken is not None:
            self._look()
            before = by_kind(self.events)
            self._again()
            self._look()
            assert by_kind(self.events) == before

    @property
    def boosting(self):
        """What is boosted, and how far into a phrase the last tokens are."""
        stream = self.stream._task.stream
        return stream.options.boosting, stream.decoder.bias_states

    def _look(self):
        """The worker takes what is there, though it was not to be woken for so little."""
        self.stream._task.wake()
        self.settle()

    def crash(self):
        """The same in the midst of it: what was computed, or asked for, was told to nobody."""
        before = by_kind(self.events)
        self._again()
        # A break before may have made the worker look at less than it wakes for.
        self._look()
        assert all(map(begins_with, by_kind(self.events), before))

    def _again(self):
        taken, told, answered = self.taken or (None, 0, 0)
        position = 0 if taken is None else taken.position
        self.events = self.events[:told]
        self.moves += 1
        self._enter(None if taken is None else taken.write())
        assert taken is None or self.stream.stats().resumed == "exact"
        commits = 0
        for kind, at, count in self.said:
            commits += kind == "commit"
            if (kind == "commit" and commits > answered) or (kind == "phrases" and at >= position):
                self._do(kind, at, count)
            elif kind in ("audio", "gap") and at + count > position:
                skipped = max(0, position - at)
                self._do(kind, at + skipped, count - skipped)
        self.settle()

    def _do(self, kind, at, count):
        if kind == "audio":
            self.stream.push(AUDIO[at : at + count])
        elif kind == "gap":
            self.stream.push_gap(count)
        elif kind == "phrases":
            self.stream.use_phrases(PHRASES[count % len(PHRASES)])
        else:
            self.stream.commit()

    def _answered(self):
        return sum(each.reason == "commit" for each in finals_of(self.events))


# How much of a gap comes at once depends on how much room there is.
@example(
    ContextConfig(0.03, 0.11, 0.03),
    [(1, 1)] * 3,
    VAD,
    ENDPOINTS[1],
    [("audio", 3_840, True), ("gap", 8_962, False), ("audio", 1, False)],
    0.0,
)
# A commit of audio that had to be pushed again.
@example(
    ContextConfig(0.03, 0.11, 0.11),
    [(1, 1)],
    None,
    None,
    [("audio", 11_841, True), ("ask", 1, True), ("commit", 1, False)],
    0.0,
)
# An utterance that was about to end.
@example(
    ContextConfig(0.03, 0.11, 0.27),
    [(1, 2)],
    VAD,
    ENDPOINTS[1],
    [("audio", 4_096, False), ("ask", 1, False)],
    0.0,
)
@settings(max_examples=500)
@given(
    context=contexts,
    pairs=scripts,
    vad=st.sampled_from([None, VAD]),
    endpoint=st.sampled_from(ENDPOINTS),
    steps=st.lists(
        st.tuples(
            st.sampled_from(KINDS),
            st.integers(1, 12_000),
            st.booleans(),
        ),
        max_size=40,
    ),
    tick_s=st.sampled_from(TICKS),
)
def test_a_stream_that_broke_goes_on_from_its_last_snapshot(
    context, pairs, vad, endpoint, steps, tick_s
):
    options = fixed(context, vad=vad, endpoint=endpoint)
    stayed, broken = Shipwreck(pairs, options), Shipwreck(pairs, options, tick_s)
    for kind, count, settles in steps:
        if kind == "ask":
            broken.ask()
        elif kind == "wreck":
            broken.settle()
            broken.wreck()
        elif kind == "crash":
            broken.crash()
        else:
            for each in (stayed, broken):
                each.say(kind, count)
        if settles:
            broken.settle()
    stayed.settle()
    broken.settle()
    broken.wreck()
    assert by_kind(broken.end()) == by_kind(stayed.end())
    assert broken.boosting == stayed.boosting
    event(f"broke {min(broken.moves, 3)} times, finals {len(finals_of(stayed.events))}")
