"""What is told depends on the audio and the options, never on when the audio arrived."""

import numpy as np
from hypothesis import event, given, settings
from hypothesis import strategies as st

from parakeet_streaming.engine.endpoint_options import EndpointOptions
from parakeet_streaming.engine.vad_options import VadOptions
from parakeet_streaming.results import Final, Partial, SpeechEnded, SpeechStarted
from parakeet_streaming.testing import Cue, ScriptedVad, marked_audio
from parakeet_streaming.timeline import FRAME_SAMPLES, ContextConfig
from tests.live.by_hand import Room, drained, finals_of, fixed, outcome_of
from tests.model.hashed import context_of

FRAMES = 300
AUDIO = marked_audio(FRAMES, 100)
VADS = [
    None,
    VadOptions(prefix_padding_ms=100, hangover_ms=100, min_silence_ms=64, min_speech_ms=64),
    VadOptions(),
]
ENDPOINTS = [
    None,
    EndpointOptions(100, 80, 400, 2.0),
    EndpointOptions(100, 240, 200, 4.0),
    EndpointOptions.aggressive(),
    EndpointOptions(),
]

contexts = st.tuples(st.integers(0, 12), st.integers(1, 12), st.integers(0, 12)).map(
    lambda frames: ContextConfig(*context_of(*frames))
)
bursts = st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60)), min_size=1, max_size=14)
seeds = st.integers(0, 2**32)


def scene(pairs, seed):
    """Probabilities of speech, and cues that lie in it, but for one in ten."""
    generator = np.random.default_rng(seed)
    voice = np.concatenate([np.repeat([0.0, 1.0], pair) for pair in pairs])
    cues = []
    for frame in range(1, FRAMES):
        at = frame * FRAME_SAMPLES // 512
        here = at < len(voice) and voice[at] > 0
        if generator.random() < (0.4 if here else 0.04):
            duration = int(generator.integers(1, 5))
            cues.append(Cue(frame, int(generator.integers(0, 3)), duration))
    return voice.tolist(), cues


def pieces(generator, borders):
    """Slices between borders, from single samples to all at once."""
    scale = generator.choice([300, 5_000, 60_000, 10**6])
    at = 0
    for border in borders:
        while at < border:
            count = min(border - at, 1 + int(generator.random() ** 2 * scale))
            yield at, at + count
            at += count


def told(pairs, scene_seed, options, commits, seed, cost_s):
    """All that is told of AUDIO, pushed and turned as `seed` says."""
    voice, cues = scene(pairs, scene_seed)
    vad = None if options.vad is None else ScriptedVad(voice)
    generator = np.random.default_rng(seed)
    room = Room(cues, vad=vad, cost_s=cost_s)
    room.admission.most_load = 1_000.0
    stream = room.open(options)
    for start, stop in pieces(generator, [*commits, len(AUDIO)]):
        stream.push(AUDIO[start:stop])
        if stop in commits:
            stream.commit()
        for _ in range(int(generator.choice([0, 1, 3, 50]))):
            room.turn()
        room.clock.now_s += float(generator.random() ** 4 * 3)
    stream.finish()
    room.run(500.0)
    assert outcome_of(stream) == "finished"
    events, _ = drained(stream)
    return events, stream.transcript()


def ordered(events):
    """Events of speech, and the others; between the two no order is promised."""
    speech = [each for each in events if isinstance(each, SpeechStarted | SpeechEnded)]
    return speech, [each for each in events if each not in speech]


@settings(max_examples=150)
@given(
    context=contexts,
    pairs=bursts,
    vad=st.sampled_from(VADS),
    endpoint=st.sampled_from(ENDPOINTS),
    scene_seed=seeds,
    timings=st.lists(seeds, min_size=2, max_size=3, unique=True),
    commits=st.lists(st.integers(1, len(AUDIO) - 1), max_size=3, unique=True).map(sorted),
    tentative=st.booleans(),
    cached=st.booleans(),
    cost_s=st.sampled_from([0.001, 0.5]),
)
def test_any_slicing_and_any_timing_tells_the_same(
    context, pairs, vad, endpoint, scene_seed, timings, commits, tentative, cached, cost_s
):
    options = fixed(context, vad=vad, endpoint=endpoint, tentative=tentative, cached=cached)
    first, transcript = told(pairs, scene_seed, options, commits, timings[0], cost_s)
    for seed in timings[1:]:
        again, transcript_again = told(pairs, scene_seed, options, commits, seed, cost_s)
        assert ordered(again) == ordered(first)
        assert transcript_again == transcript
    finals = finals_of(first)
    event(f"{sum(each.reason == 'silence' for each in finals)} ends by silence")
    event(f"{sum(each.reason == 'max_length' for each in finals)} ends by length")
    # All that is committed is in one utterance, and all words are those of the transcript.
    assert [word for each in finals for word in each.transcript.words] == [*transcript.words]
    assert [token for each in finals for token in each.transcript.tokens] == [*transcript.tokens]
    texts = [each.transcript.text for each in finals if each.transcript.text]
    assert " ".join(texts) == transcript.text
    partials = [each for each in first if isinstance(each, Partial)]
    assert [token for each in partials for token in each.tokens] == [*transcript.tokens]
    assert [each.reason for each in finals].count("commit") == len(commits)
    assert isinstance(first[-1], Final)
