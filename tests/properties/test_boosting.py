"""Streams with phrases, against one frame and one token at a time in plain Python."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from parakeet_streaming.boosting.options import Boosting
from parakeet_streaming.boosting.phrases import Phrase
from parakeet_streaming.testing import FakePieces, noise, recognizer_of
from parakeet_streaming.timeline import ContextConfig
from tests.boosting.naive import NaiveTree
from tests.live.by_hand import Room, drained, fixed, outcome_of
from tests.model.hashed import TEXTS, HashedEncoder, HashedJoint, context_of

PHRASES = {
    "one": (0,),
    "one two": (0, 1),
    "twoing": (1, 2),
    "two three": (1, 4),
    "three, three": (4, 5, 4),
    "one two three": (0, 1, 4),
    "twoing one": (1, 2, 0),
}
"""With the only split that each has."""

contexts = st.tuples(st.integers(0, 5), st.integers(1, 4), st.integers(0, 3))
lists = st.builds(
    lambda weighed, window, boost: Boosting(
        tuple(Phrase(text, weight) for text, weight in weighed.items()),
        boost,
        window=window,
        most_step=None,
        share=0.0,
        cases=False,
        other_splits=0,
    ),
    st.dictionaries(
        st.sampled_from(sorted(PHRASES)), st.sampled_from([-1.0, 0.5, 1.0, 2.0]), max_size=5
    ),
    st.sampled_from([None, 1.0, 4.0]),
    st.sampled_from([0.5, 1.0, 2.0]),
)


def recognizer(seed, blanks=0.3):
    joint = HashedJoint(seed, blanks=blanks)
    return recognizer_of(HashedEncoder(), joint, FakePieces(TEXTS)), joint


class Naive:
    """One stream, one frame per look."""

    def __init__(self, joint, boosting):
        self.joint, self.window = joint, None if boosting is None else boosting.window
        self.tree, self.node = None, ()
        self.state, self.memory, self.skip = 1, 0, 0
        self.use(boosting)

    def use(self, boosting):
        phrases = () if boosting is None else boosting.phrases
        tokens = [(PHRASES[each.text], each.weight) for each in phrases]
        self.tree = NaiveTree(tokens, 1.0 if boosting is None else boosting.boost)
        self.window = None if boosting is None else boosting.window
        self.node = ()

    def copy(self):
        other = object.__new__(Naive)
        other.__dict__.update(self.__dict__)
        return other

    def name(self, logits):
        """The token that is named, among all but the blank."""
        tokens = logits[:-1]
        raised = []
        for token, logit in enumerate(tokens):
            given_to = self.tree.look(self.node, token)[0]
            if self.window is not None and logit < max(tokens) - self.window:
                given_to = min(given_to, self.tree.refund(self.node))
            raised.append(np.float32(logit) + np.float32(given_to))
        best = raised.index(max(raised))
        return best, best != tokens.index(max(tokens))

    def decode(self, frames, first):
        """(token, frame, duration, boosted) of frames; the skip beyond them is kept."""
        found, at, on_frame, last = [], self.skip, 0, -1
        while at < len(frames):
            frame = int(frames[at])
            logits = self.joint.tokens[self.state][frame].tolist()
            skips = self.joint.skips[self.state][frame].tolist()
            duration = self.joint.durations[skips.index(max(skips))]
            if logits.index(max(logits)) == self.joint.blank_id:
                at += max(1, duration)
                continue
            token, boosted = self.name(logits)
            found.append((token, first + at, duration, boosted))
            self.state, self.memory = self.joint.next_state(self.state, self.memory, token)
            self.node = self.tree.look(self.node, token)[1]
            on_frame = on_frame + 1 if at == last else 1
            last = at
            at += duration
            if duration == 0 and on_frame >= 10:
                at += 1
        self.skip = at - len(frames)
        return found


class Listening:
    """Takes note of the frames that each stream's steps decode, by the order of the streams."""

    def __init__(self, transducer):
        self.transducer, self.steps = transducer, []

    def __getattr__(self, name):
        return getattr(self.transducer, name)

    def decode(self, encoded, inputs):
        decoded = self.transducer.decode(encoded, inputs)
        for given_to, found in zip(inputs, decoded, strict=True):
            frames = encoded.frames[given_to.row][:, 0]
            chunk = frames[given_to.chunk_start : given_to.chunk_end]
            ahead = frames[given_to.chunk_end : given_to.lookahead_end]
            self.steps.append((given_to.biases, chunk, ahead, found))
        return decoded


def plain(emissions):
    return [(each.token_id, each.frame, each.duration_frames, each.boosted) for each in emissions]


@settings(max_examples=200)
@given(
    seed=st.integers(0, 2**32 - 1),
    frames=contexts,
    chosen=st.lists(st.none() | lists, min_size=1, max_size=4, unique_by=repr),
    samples=st.integers(0, 40_000),
)
def test_a_batch_of_lists_is_each_stream_alone_said_in_plain_python(seed, frames, chosen, samples):
    made, joint = recognizer(seed)
    made._transducer = listening = Listening(made._transducer)
    context = ContextConfig(*context_of(*frames))
    streams = [made.stream(context, phrases=each) for each in chosen]
    naive = [Naive(joint, each) for each in chosen]
    audio = noise(2.5, seed=seed % 1000)
    for number, stream in enumerate(streams):
        stream.push(audio[number * 500 :][:samples])
        stream.end()
    first = [0] * len(streams)
    while any(stream.ready for stream in streams):
        ready = [number for number, each in enumerate(streams) if each.windowed.window.peek()]
        listening.steps.clear()
        made.step(streams)
        for number, (_, chunk, ahead, found) in zip(ready, listening.steps, strict=True):
            reference = naive[number]
            assert plain(found.emissions) == reference.decode(chunk, first[number])
            first[number] += len(chunk)
            assert plain(found.lookahead) == reference.copy().decode(ahead, first[number])
            assert found.state.frames_to_skip == reference.skip


@given(
    seed=st.integers(0, 2**32 - 1),
    chosen=lists,
    blanks=st.sampled_from([0.3, 0.9, 0.99, 1.0]),
    samples=st.integers(0, 40_000),
)
def test_phrases_make_no_word_where_there_is_none(seed, chosen, blanks, samples):
    made, _ = recognizer(seed, blanks)
    audio = noise(2.5, seed=seed % 1000)[:samples]
    plain, boosted = (made.transcribe(audio, phrases=each).tokens for each in (None, chosen))
    # What follows the first token may differ, because another one was written.
    assert [(each.start_frame, each.duration_frames) for each in plain[:1]] == [
        (each.start_frame, each.duration_frames) for each in boosted[:1]
    ]


def run(made, context, audio, changes, cuts, *, snapshots=False, tentative=True):
    """Events of a stream that is cut anywhere, with other phrases from some samples on."""
    stream = made.stream(context, tentative=tentative)
    events, at = [], 0
    borders = sorted({*changes, *(min(cut, len(audio)) for cut in cuts), len(audio)})
    for border in borders:
        events += stream.feed(audio[at:border])
        if border in changes:
            stream.use_phrases(changes[border])
        if snapshots:
            stream = made.restore(stream.snapshot())
        at = border
    return events + stream.finish()


@settings(max_examples=200)
@given(
    seed=st.integers(0, 2**32 - 1),
    frames=contexts,
    samples=st.integers(0, 40_000),
    changes=st.lists(st.tuples(st.integers(0, 40_000), st.none() | lists), max_size=3),
    cuts=st.lists(st.integers(0, 40_000), max_size=8),
)
def test_slices_snapshots_and_tentative_text_change_nothing(seed, frames, samples, changes, cuts):
    made, _ = recognizer(seed)
    context, audio = ContextConfig(*context_of(*frames)), noise(2.5, seed=seed % 1000)[:samples]
    changes = {min(at, samples): chosen for at, chosen in changes}
    whole = run(made, context, audio, changes, [])
    assert run(made, context, audio, changes, cuts) == whole
    assert run(made, context, audio, changes, cuts, snapshots=True) == whole
    without = run(made, context, audio, changes, cuts, tentative=False)
    assert without[-1].transcript == whole[-1].transcript


class HashedRoom(Room):
    """A loop over a model whose every output hangs on every sample."""

    def __init__(self, seed):
        super().__init__([])
        made, _ = recognizer(seed)
        self.recognizer = made
        self.loop._steps._stepper = made
        self.opener = type(self.opener)(self.loop, made, None, self.clock, 60.0)


def told(seed, context, first, changes, audio, turns):
    generator = np.random.default_rng(turns)
    room = HashedRoom(seed)
    stream = room.open(fixed(context, boosting=first))
    at = 0
    for border in sorted({*changes, len(audio)}):
        while at < border:
            count = min(border - at, 1 + int(generator.random() ** 3 * 30_000))
            stream.push(audio[at : at + count])
            at += count
            for _ in range(int(generator.choice([0, 1, 5]))):
                room.turn()
        if border in changes:
            stream.use_phrases(changes[border])
    stream.finish()
    room.run(100.0)
    assert outcome_of(stream) == "finished"
    return drained(stream)[0]


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    frames=contexts,
    samples=st.integers(0, 40_000),
    first=st.none() | lists,
    changes=st.lists(st.tuples(st.integers(0, 40_000), st.none() | lists), max_size=3),
    turns=st.integers(0, 2**32 - 1),
)
def test_live_streams_change_their_phrases_where_the_audio_says(
    seed, frames, samples, first, changes, turns
):
    context, audio = ContextConfig(*context_of(*frames)), noise(2.5, seed=seed % 1000)[:samples]
    changes = {min(at, samples): chosen for at, chosen in changes}
    expected = told(seed, context, first, changes, audio, 0)
    assert told(seed, context, first, changes, audio, turns) == expected
