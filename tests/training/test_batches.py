import copy
import dataclasses

import numpy as np
import pytest

pytest.importorskip("torch", reason="the training group")

from training import augment
from training import batches as batching
from training.batches import Drawer, Examples, loader
from training.manifest import DIGITS, read_manifest
from training.settings import smoke_recipe
from training.smoke import smoke_data
from training.store import Store, pack
from training.strings import is_digit
from training.tokenizer import Tokenizer, train_tokenizer


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared")
    pack(read_manifest(smoke_data(folder / "clips")), folder / "store", 16.0, 1)
    store = Store(folder / "store")
    train_tokenizer([clip.text for clip in store.clips], 32, folder / "tokenizer.model")
    return store, Tokenizer(folder / "tokenizer.model")


def batches(prepared, count, workers=0, **changes):
    recipe = dataclasses.replace(smoke_recipe(), **changes)
    examples = Examples(*prepared, recipe, 0)
    examples.move_to(0.9, 10_000)
    drawn = iter(loader(examples, workers))
    return [next(drawn) for _ in range(count)]


def test_a_batch_keeps_to_its_seconds(prepared):
    for batch in batches(prepared, 20):
        rows, count = batch.samples.shape
        assert rows == 1 or rows * count <= 24 * 16_000 + rows * 1_280
        assert count % 1_280 == 0
        assert int(batch.lengths.max()) <= count
        assert (batch.target_lengths <= batch.targets.shape[1]).all()


def test_equal_seeds_give_equal_batches(prepared):
    for one, two in zip(batches(prepared, 8), batches(prepared, 8), strict=True):
        assert (one.samples == two.samples).all()
        assert (one.targets == two.targets).all()
    assert not all(
        one.samples.shape == two.samples.shape and (one.samples == two.samples).all()
        for one, two in zip(batches(prepared, 3), batches(prepared, 3, seed=2), strict=True)
    )


def test_the_first_phase_has_strings_of_one_speaker(prepared):
    store, _ = prepared
    drawer = Drawer(store, smoke_recipe().curriculum[0], smoke_recipe())
    random = np.random.default_rng(0)
    groups = [drawer.group(random) for _ in range(100)]
    assert {word for group in groups for clip in group for word in clip.text.split()} == set(DIGITS)
    joined = [group for group in groups if len(group) > 1]
    assert len(joined) > 50
    assert all(len({clip.speaker for clip in group}) == 1 for group in joined if is_digit(group[0]))
    assert all(sum(clip.duration_s for clip in group) <= 4 for group in groups)


def test_a_corpus_without_weight_is_never_drawn(prepared):
    store, _ = prepared
    clips = [dataclasses.replace(clip, corpus=clip.text) for clip in store.clips]
    weighed = copy.copy(store)
    weighed.clips = clips
    weights = tuple((digit, 0.0) for digit in DIGITS)
    recipe = dataclasses.replace(smoke_recipe(), corpus_weights=weights)
    drawer = Drawer(weighed, recipe.curriculum[-1], recipe)
    random = np.random.default_rng(0)
    assert {drawer.clip(random).text in DIGITS for _ in range(200)} == {False}


def test_some_examples_have_no_words(prepared):
    examples = Examples(*prepared, smoke_recipe(), 0)
    drawer = Drawer(prepared[0], smoke_recipe().curriculum[-1], smoke_recipe())
    random = np.random.default_rng(0)
    said = [examples.example(drawer, random).tokens for _ in range(200)]
    assert 0 < said.count([]) < 30


def test_some_examples_begin_with_the_rest_of_a_word_or_a_silence(prepared, monkeypatch):
    """Neither has a text, and a teacher's lessons stay beside their clips."""
    store, tokenizer = prepared
    recipe = dataclasses.replace(smoke_recipe(), wordless=0.0)
    examples = Examples(store, tokenizer, recipe, 0)
    monkeypatch.setattr(batching, "augmented", lambda samples, *_: samples)
    monkeypatch.setattr(batching, "drawn_speed", lambda *_: 1.0)
    monkeypatch.setattr(batching, "TAILS", 0.0)
    taught, rests, heads = [], [], []

    def joined(parts, random, longest_pause_s, head_s=0.0):
        whole, starts = augment.joined(parts, random, longest_pause_s, head_s)
        heads.append(head_s)
        rests.append(-whole.shape[0])
        return whole, starts

    monkeypatch.setattr(batching, "joined", joined)
    monkeypatch.setattr(examples, "_taught", lambda *given: taught.append(given))
    drawer = Drawer(store, recipe.curriculum[-1], recipe)
    random = np.random.default_rng(0)
    for _ in range(300):
        example = examples.example(drawer, random)
        group, starts, cuts, _, count = taught.pop()
        rests[-1] += count
        assert example.tokens == tokenizer.encode(" ".join(clip.text for clip in group))
        for clip, start, cut in zip(group, starts, cuts, strict=True):
            part = example.samples[start : start + cut.stop - cut.start]
            said = store.samples(clip)[cut]
            likeness = part @ said / (np.linalg.norm(part) * np.linalg.norm(said))
            assert likeness == pytest.approx(1, abs=1e-5)
        assert rests[-1] == 0 or starts[0] >= rests[-1]
    assert 10 < sum(each > 0 for each in rests) < 60
    assert max(rests) <= 1_760
    assert 20 < sum(each > 0 for each in heads) < 80
    assert max(heads) > 2.5
    rests.clear()
    heads.clear()
    clean = Drawer(store, recipe.curriculum[0], recipe)
    for _ in range(100):
        examples.example(clean, random)
        rests[-1] += taught.pop()[-1]
    assert not any(rests)
    assert not any(heads)
