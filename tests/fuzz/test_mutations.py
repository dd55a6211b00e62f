from fuzz.mutations import mutations

SEEDS = (b"", b"{}", bytes(range(100)))


def test_they_are_the_same_each_time():
    assert list(mutations(SEEDS, 50)) == list(mutations(SEEDS, 50))
    assert list(mutations(SEEDS, 50)) != list(mutations(SEEDS, 50, seed=1))


def test_most_are_new():
    made = list(mutations(SEEDS, 300))
    assert len(made) == 300
    assert len(set(made) - set(SEEDS)) > 200


def test_an_empty_seed_is_enough():
    assert any(mutations([b""], 50))
