"""Streams come, burst, fail and go at any moment; each gives what it would give alone."""

from dataclasses import replace

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from parakeet_streaming.engine.endpoint_options import EndpointOptions
from parakeet_streaming.engine.vad_options import VadOptions
from parakeet_streaming.errors import CapacityError
from parakeet_streaming.live.adaptation import DelayRange
from parakeet_streaming.live.batch_limits import BatchLimits
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.results import Gap, SpeechEnded, SpeechStarted
from parakeet_streaming.testing import Cue, ScriptedVad, marked_audio
from parakeet_streaming.timeline import FRAME_SAMPLES, ContextConfig
from tests.live.by_hand import POISON, Room, drained, finals_of, fixed, outcome_of, tokens_of
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

    def __init__(self, stream, context, called):
        self.stream, self.context, self.called = stream, context, called
        self.silence_s = 0.5 if stream._task.lane == "live" else 0.0
        self.at = 0
        self.received = []
        self.commits = 0
        self.cuts = []
        self.spoiled = False

    def push(self, count, audio=AUDIO):
        piece = audio[self.at : self.at + count]
        closed = self.stream._ingest.finished or outcome_of(self.stream) is not None
        taken = self.stream.push(piece)
        if closed or self.spoiled:
            return
        self.at += len(piece)
        self.received.append(piece[:taken])
        self.received.append(np.zeros(len(piece) - taken, np.float32))

    @property
    def timeline(self):
        return np.concatenate([np.empty(0, np.float32), *self.received])


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
            called = [] if who % 2 else None
            on_event = None if called is None else called.append
            try:
                stream = room.open(options, on_event)
            except CapacityError:
                continue
            speakers.append(Speaker(stream, context, called))
        elif what == "turn":
            room.turn()
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
        speaker.commits += outcome_of(stream) is None and not stream._ingest.finished
        speaker.cuts.append(len(speaker.timeline))
        stream.commit()
    elif what == "poison":
        stream.push(np.full(4 * FRAME_SAMPLES, (POISON + 1) * 2.0**-23, np.float32))
        speaker.spoiled = True
    elif what == "drop":
        stream.__del__()
        speaker.spoiled = speaker.spoiled or stream._task.cancel_requested
    else:
        getattr(stream, what)()
        speaker.spoiled = speaker.spoiled or what == "cancel"


def whole_frames(timeline, cuts):
    """The frames that are all sound or all silence: at the end, and beside a gap, one may be both.

    So is one that a commit, or an end for want of audio, cuts. Of such a frame the fake encoder
    reads one part or the other, as the window's grid lies.
    """
    frames = timeline[: len(timeline) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    sound = np.count_nonzero(frames, axis=1)
    whole = set(np.flatnonzero((sound == 0) | (sound == FRAME_SAMPLES)).tolist())
    return whole - {cut // FRAME_SAMPLES for cut in cuts}


def cuts_of(speaker, finals):
    """Where a stream began anew: at commits, and where no audio had come for so long."""
    # Time goes by while other streams compute, so that a stream may rest though no plan asks it to.
    ends_s = [each.transcript.audio_s for each in finals if each.reason == "no_audio"]
    rests = [round(at_s * 16_000) for at_s in ends_s]
    pushed_to = np.cumsum([len(piece) for piece in speaker.received]).tolist()
    assert speaker.spoiled or set(rests) <= set(pushed_to), "an end where audio went on"
    return speaker.cuts + rests


def check(room, speaker):
    """What a stream gave until its end."""
    events, error = drained(speaker.stream)
    if speaker.called is not None:
        events = speaker.called + events
    tokens, wanted = (
        tokens_of(events),
        room.alone(speaker.timeline, speaker.context, speaker.silence_s),
    )
    finals = finals_of(events)
    said = tuple(token for each in finals for token in each.transcript.tokens)
    assert speaker.stream.transcript().tokens == said
    cuts = cuts_of(speaker, finals)
    if cuts:
        # After a cut frames lie up to one frame before their number, so that the end of the audio
        # may shorten a token that was told before.
        said, tokens = ([replace(each, end=0.0) for each in given] for given in (said, tokens))
    assert [*said] == [*tokens]
    assert [each.utterance for each in finals] == list(range(len(finals)))
    assert (events[-1], finals[-1].reason) == (finals[-1], "end")
    assert (error is not None) == (outcome_of(speaker.stream) == "failed")
    whole = whole_frames(speaker.timeline, cuts)
    if not speaker.spoiled:
        script = {cue.frame: cue.token for cue in room.decoder_joint.script}
        # After a cut the last frame may be part of one that was decoded already.
        sure = [each for each in tokens if not cuts or each.start_frame in whole]
        assert all(script.get(each.start_frame) == each.id for each in sure)
    tokens, wanted = (
        [(each.id, each.start_frame) for each in given if each.start_frame in whole]
        for given in (tokens, wanted)
    )
    if outcome_of(speaker.stream) == "finished" and not speaker.spoiled:
        assert tokens == wanted
        # A commit after the end is answered by the end.
        assert len([each for each in finals if each.reason == "commit"]) == speaker.commits
    else:
        assert speaker.spoiled
        both = min(len(tokens), len(wanted))
        assert tokens[:both] == wanted[:both]
    return events


def finish(room, speakers):
    room.loop.close(drain=True)
    room.run(60.0)
    assert room.loop.over
    assert not room.loop.streams.all()
    assert room.metrics.active_streams.value == 0


@settings(max_examples=40)
@given(
    context=st.lists(contexts, min_size=5, max_size=5),
    plan=plans(),
    pairs=bursts,
    max_streams=st.integers(1, 4),
    tick_s=st.sampled_from([0.0, 0.02, 0.08]),
)
def test_each_stream_gives_what_it_would_give_alone(context, plan, pairs, max_streams, tick_s):
    _, cues = spoken(pairs)
    limits = BatchLimits(max_streams=max_streams, tick_s=tick_s)
    room = Room(cues, limits=limits, most_streams=5)
    speakers = []

    def options_of(who):
        lane = "recording" if who == 4 else "live"
        return context[who], fixed(context[who], lane=lane)

    act(room, speakers, plan, options_of)
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
@example(
    # The first stream gets no audio for 11 seconds in the middle of a frame with a cue.
    context=[ContextConfig(*context_of(0, 5, 0))] * 5,
    plan=[
        *(("open", 0, 0), ("push", 0, 17 * FRAME_SAMPLES - 100), ("settle", 0, 0)),
        *(("tick", 0, 11 * 16_000), ("settle", 0, 0), ("push", 0, 2_000)),
    ],
    pairs=[(1, 60)],
    longest=1,
    padding_ms=900,
    cached=True,
)
def test_speech_endpoints_and_load_change_no_word(
    context, plan, pairs, longest, padding_ms, cached
):
    voice, cues = spoken(pairs)
    room = Room(cues, vad=ScriptedVad(voice), cost_s=0.3)
    room.admission.most_load = 100.0

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
        speech = [each for each in events if isinstance(each, SpeechStarted | SpeechEnded)]
        assert [isinstance(each, SpeechStarted) for each in speech] == [
            number % 2 == 0 for number in range(len(speech))
        ]
        assert [each.at for each in speech] == sorted(each.at for each in speech)
        assert all(each.at <= len(speaker.timeline) / 16_000 for each in speech) or speaker.spoiled


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
