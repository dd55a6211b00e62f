"""Streams with phrases and languages beside others, as by graphs whose tokens the host names."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="the torch extra")

from parakeet_streaming import ContextConfig, Phrase, load
from parakeet_streaming.catalog.vocabulary import Vocabulary
from parakeet_streaming.engine.recognizer import Recognizer
from tests.torch_runtime.test_cached_encoder import sound

PIECES = Vocabulary(("<unk>", " ", *"abcдеж", "<blk>"), 8)
"""Of two scripts."""
CONTEXT = ContextConfig.parse("1-0.4-0.4")
LISTS = (None, ["ab", "cab a"], ["ba", Phrase("aab", 2.0), Phrase("c", -3.0)], ["b" * 9, "bca"])
LANGUAGES = (None, "en", "ru")
PIECE = 9_600


@pytest.fixture
def pair(any_transducer, cached_folder):
    """Of the same networks: on torch, and by ONNX Runtime."""
    host = load(cached_folder, runtime="onnxruntime", threads=1)._transducer
    return [Recognizer(each, PIECES, name="small") for each in (any_transducer, host)]


def any_of(random, choices):
    return choices[int(random.integers(len(choices)))]


def opened(pair, random, cached):
    chosen = {"phrases": any_of(random, LISTS), "language": any_of(random, LANGUAGES)}
    return [each.stream(CONTEXT, cached=cached, **chosen) for each in pair]


def hear(streams, samples, random):
    """Gives both the same; sometimes with other phrases from there on."""
    other, changes = any_of(random, LISTS), random.random() < 0.3
    for stream in streams:
        if changes and not stream.closed:
            stream.use_phrases(other)
        stream.push(samples)
        if not len(samples):
            stream.end()


def told(stream):
    return [
        (each.id, each.start_frame, each.duration_frames, each.boosted) for each in stream.tokens
    ]


@pytest.mark.parametrize("cached", [False, True])
@pytest.mark.parametrize("seed", range(2))
def test_phrases_and_languages_that_come_and_go(pair, seed, cached):
    random, speech = np.random.default_rng(seed), [sound(9.0, each) for each in range(3)]
    both, ended = [], []
    for turn in range(30):
        if turn < 12:
            samples = speech[turn % 3][: int(random.integers(16_000, 144_000))]
            both.append((opened(pair, random, cached), samples))
        for streams, samples in both:
            hear(streams, samples[:PIECE], random)
        both = [(streams, samples[PIECE:]) for streams, samples in both]
        while any(ours.ready for (ours, _), _ in both):
            pair[0].step([ours for (ours, _), _ in both])
        for (ours, theirs), _ in both:
            while theirs.ready:
                pair[1].step([theirs])
            assert told(ours) == told(theirs)
        ended += [streams for streams, _ in both if streams[0].closed]
        both = [each for each in both if not each[0][0].closed]
    assert not both
    assert sum(each.boosted for ours, _ in ended for each in ours.tokens) > 10
    loops = pair[0]._transducer._decoder.loops
    assert (loops.arena is not None) == bool(loops.plain)
    assert not loops.plain or len(loops.arena) > 2
