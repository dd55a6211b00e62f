"""The public list is sorted, complete and without surprises."""

import inspect

import parakeet_streaming


def test_all_is_sorted_and_without_repeats():
    assert parakeet_streaming.__all__ == sorted(set(parakeet_streaming.__all__))


def test_all_is_complete():
    public = {
        name
        for name, member in vars(parakeet_streaming).items()
        if not name.startswith("_") and not inspect.ismodule(member)
    }
    assert set(parakeet_streaming.__all__) == public


def test_what_is_exported_says_what_it_is():
    for name in parakeet_streaming.__all__:
        member = getattr(parakeet_streaming, name)
        if inspect.isclass(member) or inspect.isfunction(member):
            assert inspect.getdoc(member), name
            assert member.__module__.startswith("parakeet_streaming."), name


def test_the_version_is_one():
    assert [int(part) >= 0 for part in parakeet_streaming.__version__.split(".")] == [True] * 3
