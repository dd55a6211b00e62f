"""Streams come, pause, burst, fail and go at any moment; each hears what it would hear alone."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from parakeet_streaming.engine.endpoint import EndpointOptions
from parakeet_streaming.engine.vad_options import VadOptions
from parakeet_streaming.errors import CapacityError
from parakeet_streaming.live.adaptation import DelayRange
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.live.scheduler import BatchLimits
from parakeet_streaming.results import Gap, SpeechEnded, SpeechStarted
from parakeet_streaming.testing import Cue, ScriptedVad, marked_audio
from parakeet_streaming.timeline import FRAME_SAMPLES, ContextConfig
from tests.live.by_hand import POISON, Room, drained, finals_of, fixed, tokens_of
from tests.model.hashed import context_of

FRAMES = 120
AUDIO = marked_audio(FRAMES, 100)

contexts = st.tuples(st.integers(0, 12), st.integers(1, 12), st.integers(0, 8)).map(
    lambda frames: ContextConfig(*context_of(*frames))
)
WEIGHTS = {
    "push": 40,
    "turn": 15,
    "settle": 10,
    "tick": 10,
    "open": 6,
    "commit": 5,
    "pause": 3,
    "resume": 5,
    "finish": 2,
    "cancel": 1,
    "drop": 1,
    "poison": 1,
}


@st.composite
def plans(draw):
    """What happens, to which stream, with how many samples; two streams are open from the start."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    length = draw(st.integers(0, 100))
    shares = np.array([*WEIGHTS.values()]) / sum(WEIGHTS.values())
    names = generator.choice([*WEIGHTS], length, p=shares).tolist()
    who = generator.integers(0, 5, length).tolist()
    counts = (generator.random(length) ** 3 * 40 * FRAME_SAMPLES).astype(int).tolist()
    return [("open", 0, 0), ("open", 1, 0), *zip(names, who, counts, strict=True)]


bursts = st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), min_size=1, max_size=12)


class Speaker:
    """One stream, and what it was given."""

    def __init__(self, stream, context, told):
        self.stream, self.context, self.told = stream, context, told
        self.at = 0
        self.heard = []
        self.commits = 0
        self.spoiled = False

    def push(self, count, audio=AUDIO):
        piece = audio[self.at : self.at + count]
        closed = self.stream._guest.inlet.closed or self.stream.outcome is not None
        taken = self.stream.push(piece)
        if self.stream.paused or closed or self.spoiled:
            return
        self.at += len(piece)
        self.heard.append(piece[:taken])
        self.heard.append(np.zeros(len(piece) - taken, np.float32))

    @property
    def timeline(self):
        return np.concatenate([np.empty(0, np.float32), *self.heard])


def spoken(pairs):
    """Probabilities of speech, frame by frame, and cues that lie in it."""
    voice = np.concatenate([np.repeat([0.0, 1.0], pair) for pair in pairs] or [np.zeros(1)])
    cues = []
    for frame in range(1, FRAMES):
        at = frame * FRAME_SAMPLES // 512
        if at < len(voice) and voice[at] and frame % 3:
            cues.append(Cue(frame, frame % 3))
    return voice.tolist(), cues


def act(room, speakers, plan, options_of):
    for what, who, count in plan:
        if what == "open":
            context, options = options_of(who)
            told = [] if who % 2 else None
            on_event = None if told is None else told.append
            try:
                stream = room.open(options, on_event)
            except CapacityError:
                continue
            speakers.append(Speaker(stream, context, told))
        elif what == "turn":
            room.table.turn()
        elif what == "tick":
            room.clock.now_s += count / 16_000
        elif what == "settle":
            room.settle()
        elif speakers:
            one(speakers[who % len(speakers)], what, count)


def one(speaker, what, count):
    stream = speaker.stream
    if what == "push":
        speaker.push(count)
    elif what == "commit":
        speaker.commits += stream.outcome is None and not stream._guest.inlet.closed
        stream.commit()
    elif what == "poison":
        stream.push(np.full(4 * FRAME_SAMPLES, (POISON + 1) * 2.0**-23, np.float32))
        speaker.spoiled = True
    elif what == "drop":
        stream.__del__()
        speaker.spoiled = speaker.spoiled or stream._guest.cancelled
    else:
        getattr(stream, what)()
        speaker.spoiled = speaker.spoiled or what == "cancel"


def whole_frames(timeline):
    """The frames that are all sound or all silence: at the end, and beside a gap, one may be both.

    Of such a frame the fake encoder reads one part or the other, as the window's grid lies.
    """
    frames = timeline[: len(timeline) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    sound = np.count_nonzero(frames, axis=1)
    return set(np.flatnonzero((sound == 0) | (sound == FRAME_SAMPLES)).tolist())


def check(room, speaker):
    """What a stream told at its end."""
    events, error = drained(speaker.stream)
    if speaker.told is not None:
        events = speaker.told + events
    tokens, wanted = tokens_of(events), room.alone(speaker.timeline, speaker.context)
    finals = finals_of(events)
    assert tuple(token for each in finals for token in each.transcript.tokens) == tokens
    assert [each.utterance for each in finals] == list(range(len(finals)))
    assert speaker.stream.transcript().tokens == tokens
    assert (events[-1], finals[-1].reason) == (finals[-1], "end")
    assert (error is not None) == (speaker.stream.outcome == "failed")
    if not speaker.spoiled:
        script = {cue.frame: cue.token for cue in room.decoder_joint.script}
        assert all(script.get(each.start_frame) == each.id for each in tokens)
    whole = whole_frames(speaker.timeline)
    tokens, wanted = (
        tuple(each for each in given if each.start_frame in whole) for given in (tokens, wanted)
    )
    if speaker.stream.outcome == "finished" and not speaker.spoiled:
        assert tokens == wanted
        # A commit after the end is answered by the end.
        assert len([each for each in finals if each.reason == "commit"]) == speaker.commits
    else:
        assert speaker.spoiled
        both = min(len(tokens), len(wanted))
        assert tokens[:both] == wanted[:both]
    return events


def finish(room, speakers):
    room.table.close(drain=True)
    room.settle()
    assert room.table.over
    assert not room.table.guests
    assert room.table.metrics.active_streams.value == 0


@settings(max_examples=40)
@given(
    context=st.lists(contexts, min_size=5, max_size=5),
    plan=plans(),
    pairs=bursts,
    max_streams=st.integers(1, 4),
)
def test_each_stream_hears_what_it_would_hear_alone(context, plan, pairs, max_streams):
    _, cues = spoken(pairs)
    room = Room(cues, limits=BatchLimits(max_streams=max_streams), most_streams=5)
    speakers = []
    act(room, speakers, plan, lambda who: (context[who], fixed(context[who])))
    finish(room, speakers)
    for speaker in speakers:
        check(room, speaker)


@settings(max_examples=40)
@given(
    context=st.lists(contexts, min_size=5, max_size=5),
    plan=plans(),
    pairs=bursts,
    longest=st.sampled_from([1, 4]),
    padding_ms=st.sampled_from([0, 100, 900]),
    cached=st.booleans(),
)
def test_speech_endpoints_and_load_change_no_word(
    context, plan, pairs, longest, padding_ms, cached
):
    voice, cues = spoken(pairs)
    room = Room(cues, vad=ScriptedVad(voice), cost_s=0.3)
    room.table._house.most_load = 100.0

    def options_of(who):
        delay = DelayRange(context[who], longest * context[who].chunk)
        vad = VadOptions(prefix_padding_ms=padding_ms, hangover_ms=100, min_silence_ms=64)
        endpoint = [None, EndpointOptions.aggressive()][who % 2]
        return context[who], LiveOptions(delay, vad, endpoint, cached=cached)

    speakers = []
    act(room, speakers, plan, options_of)
    finish(room, speakers)
    for speaker in speakers:
        events = check(room, speaker)
        told = [each for each in events if isinstance(each, SpeechStarted | SpeechEnded)]
        assert [isinstance(each, SpeechStarted) for each in told] == [
            number % 2 == 0 for number in range(len(told))
        ]
        assert [each.at for each in told] == sorted(each.at for each in told)
        assert all(each.at <= len(speaker.timeline) / 16_000 for each in told) or speaker.spoiled


@settings(max_examples=40)
@given(context=contexts, plan=plans(), pairs=bursts, ring_s=st.sampled_from([0.1, 2.0]))
def test_what_is_refused_is_a_gap_in_its_place(context, plan, pairs, ring_s):
    _, cues = spoken(pairs)
    room = Room(cues, most_ring_s=ring_s)
    speakers = []
    act(room, speakers, plan, lambda _: (context, fixed(context)))
    finish(room, speakers)
    for speaker in speakers:
        events = check(room, speaker)
        if speaker.spoiled:
            continue
        missing = np.zeros(len(speaker.timeline), bool)
        for gap in events:
            if isinstance(gap, Gap):
                missing[round(gap.start * 16_000) : round(gap.end * 16_000)] = True
        assert missing.sum() == speaker.stream.stats().refused_samples
        assert not speaker.timeline[missing].any()
        assert speaker.timeline[~missing][FRAME_SAMPLES:].all() or ring_s < 2
