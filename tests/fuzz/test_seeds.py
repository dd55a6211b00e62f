"""Every target on its seeds, and on a few hundred changed ones that are the same each time."""

import importlib

import pytest

from fuzz.attempt import attempt
from fuzz.catalogue import load_target, seeds_of, target_names
from fuzz.mutations import mutations

MUTATIONS = 300
OPTIONAL = ("torch", "sentencepiece", "yaml", "safetensors")


@pytest.fixture(params=target_names())
def target(request):
    """The name of a target, if what it needs is installed."""
    try:
        load_target(request.param)
    except ModuleNotFoundError as error:
        if error.name not in OPTIONAL:
            raise
        pytest.skip(f"{error.name} is not installed")
    return request.param


def test_seeds(target):
    seeds = seeds_of(target)
    assert len(seeds) > 1
    assert [finding for seed in seeds if (finding := attempt(load_target(target).run, seed))] == []


def test_changed_seeds(target):
    for data in mutations(seeds_of(target), MUTATIONS):
        assert attempt(load_target(target).run, data) is None


def test_a_target_is_called_after_what_it_reads():
    for name in target_names():
        assert importlib.import_module(f"fuzz.targets.{name}").__doc__
