import dataclasses
import json

import numpy as np
import pytest

pytest.importorskip("torch", reason="the training group")

from parakeet_streaming.errors import ModelFormatError, OptionError
from training.batches import Examples
from training.card import card, write_evaluation
from training.manifest import read_manifest
from training.settings import Places, smoke_recipe
from training.smoke import smoke_data
from training.store import Store, pack
from training.teacher import VECTOR_SAMPLES, WINDOW_VECTORS, Lessons, teach
from training.tokenizer import Tokenizer, train_tokenizer
from training.train import Length, Session, train


def crossings(samples):
    """A teacher whose vectors are the changes of sign, and the place in the window."""
    blocks = samples.reshape(-1, VECTOR_SAMPLES)
    changes = (np.diff(np.signbit(blocks), axis=1) != 0).sum(axis=1)
    return np.stack([changes, np.arange(blocks.shape[0])], axis=1).astype(np.float32)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    places = Places(tmp_path_factory.mktemp("taught"))
    clips = read_manifest(smoke_data(places.work / "clips"))
    pack(clips, places.train, 16.0, 1)
    train_tokenizer([clip.text for clip in clips], 32, places.tokenizer)
    store = Store(places.train)
    asked = []

    def encode(samples):
        asked.append(samples)
        return crossings(samples)

    count = teach(store, places.train, encode)
    vocabulary = len(Tokenizer(places.tokenizer).pieces) + 1
    model = dataclasses.replace(smoke_recipe().model, vocabulary=vocabulary)
    recipe = dataclasses.replace(smoke_recipe(), model=model)
    return recipe, places, store, asked, count


def whole(lessons, clip):
    middles = (np.arange(-(-clip.samples // VECTOR_SAMPLES)) + 0.5) * VECTOR_SAMPLES
    return lessons.along(middles, [clip], [0], [slice(0, clip.samples)])


def test_a_teacher_hears_whole_windows_with_all_clips(prepared):
    _, _, store, asked, count = prepared
    assert all(samples.shape == (WINDOW_VECTORS * VECTOR_SAMPLES,) for samples in asked)
    assert all(np.abs(samples).max() <= 1 for samples in asked)
    assert count == sum(-(-clip.samples // VECTOR_SAMPLES) for clip in store.clips)
    assert len(asked) == 2


def test_each_clip_has_what_was_heard_of_it(prepared):
    _, places, store, _, _ = prepared
    lessons = Lessons(places.train, store)
    heard = [crossings(np.resize(store.samples(clip), 9 * 640))[:, 0] for clip in store.clips]
    said = [whole(lessons, clip).vectors[:9, 0] for clip in store.clips]
    short = np.array([clip.samples < 16_000 for clip in store.clips])
    heard, said = np.array(heard)[short].ravel(), np.array(said)[short].ravel()
    assert np.corrcoef(heard, said)[0, 1] > 0.999


def test_vectors_are_freed_of_mean_and_deviation(prepared):
    _, places, store, _, _ = prepared
    lessons = Lessons(places.train, store)
    every = np.concatenate([whole(lessons, clip).vectors for clip in store.clips])
    assert lessons.width == 2
    np.testing.assert_allclose(every.mean(axis=0), 0, atol=0.05)
    np.testing.assert_allclose(every.std(axis=0), 1, atol=0.05)
    assert not list(places.train.glob("*partial*"))


def test_between_two_vectors_lies_their_mean_and_outside_nothing(prepared):
    _, places, store, _, _ = prepared
    lessons, clip = Lessons(places.train, store), store.clips[0]
    first, second = whole(lessons, clip).vectors[:2]
    at = np.array([999.0, 1_000.0, 1_320.0, 1_640.0, 1_960.0, 1_000.0 + clip.samples])
    taught = lessons.along(at, [clip], [1_000], [slice(0, clip.samples)])
    assert taught.inside.tolist() == [False, True, True, True, True, False]
    np.testing.assert_allclose(taught.vectors[1], first)
    np.testing.assert_allclose(taught.vectors[2], first)
    np.testing.assert_allclose(taught.vectors[3], (first + second) / 2)
    np.testing.assert_allclose(taught.vectors[4], second)
    assert not taught.vectors[[0, 5]].any()


def test_lessons_follow_words_through_pauses_and_speed(prepared):
    recipe, places, store, _, _ = prepared
    lessons = Lessons(places.train, store)
    examples = Examples(store, Tokenizer(places.tokenizer), recipe, 0, lessons)
    clip = store.clips[0]
    for speed in (1.0, 0.85, 1.18):
        start = 3_000
        count = int((start + clip.samples + 2_000) / speed)
        taught = examples._taught([clip], [start], [slice(0, clip.samples)], speed, count)
        at = np.arange(-(-count // 1_280)) * 1_280 * speed - start
        inside = (at >= 0) & (at < clip.samples)
        np.testing.assert_array_equal(taught.inside, inside)
        said = whole(lessons, clip).vectors
        middles = (np.arange(said.shape[0]) + 0.5) * VECTOR_SAMPLES
        for dimension in range(2):
            expected = np.interp(at[inside], middles, said[:, dimension])
            np.testing.assert_allclose(taught.vectors[inside, dimension], expected, atol=1e-5)


def test_batches_carry_lessons_beside_their_samples(prepared):
    recipe, places, store, _, _ = prepared
    lessons = Lessons(places.train, store)
    examples = Examples(store, Tokenizer(places.tokenizer), recipe, 0, lessons)
    examples.move_to(0.9, 10_000)
    batches = iter(examples)
    for batch in (next(batches) for _ in range(10)):
        rows, samples = batch.samples.shape
        assert batch.taught.shape == (rows, samples // 1_280, 2)
        assert batch.is_taught.shape == (rows, samples // 1_280)
        behind = np.arange(samples // 1_280)[None] * 1_280 >= batch.lengths[:, None].numpy()
        assert not (batch.is_taught.numpy() & behind).any()
        spoken = batch.target_lengths > 0
        assert batch.is_taught.any(dim=1)[spoken].all()
        assert not batch.is_taught.any(dim=1)[~spoken].any()


def test_lessons_of_other_clips_are_refused(prepared, tmp_path):
    _, places, store, _, _ = prepared
    fewer = Store(places.train)
    fewer.clips = store.clips[:-1]
    with pytest.raises(ModelFormatError, match="of other clips"):
        Lessons(places.train, fewer)


def test_a_run_learns_what_its_teacher_hears(prepared, tmp_path):
    recipe, places, store, _, _ = prepared

    def session(steps):
        return Session(Length(steps=steps), "cpu", workers=0, log_every=5)

    assert train(recipe, places, session(30)).pupil is not None
    run = train(recipe, places, session(60))
    assert run.step == 60
    missed = [json.loads(line)["taught"] for line in places.log.read_text().splitlines()]
    assert len(missed) == 12
    # Five steps hear a few clips each, so one figure alone says little.
    assert sum(missed[-4:]) < 0.92 * sum(missed[:4])
    write_evaluation(places.evaluation, [], {})
    assert "larger recogniser" in card(recipe, places, store.clips)
    lessons = (places.train / "teacher.npy").rename(tmp_path / "teacher.npy")
    assert "larger recogniser" not in card(recipe, places, store.clips)
    with pytest.raises(OptionError, match="began with a teacher"):
        train(recipe, places, session(70))
    lessons.rename(places.train / "teacher.npy")
