"""The public list is sorted, complete and without surprises."""

import inspect
import subprocess
import sys

import pytest

import parakeet_streaming
from parakeet_streaming import errors

LATER = parakeet_streaming._IMPORTED_LATER


def test_all_is_sorted_and_without_repeats():
    assert parakeet_streaming.__all__ == sorted(set(parakeet_streaming.__all__))


def test_all_is_complete():
    public = {
        name
        for name, member in vars(parakeet_streaming).items()
        if not name.startswith("_") and not inspect.ismodule(member)
    }
    assert set(parakeet_streaming.__all__) == public | set(LATER)


def test_what_is_exported_says_what_it_is():
    for name in parakeet_streaming.__all__:
        member = getattr(parakeet_streaming, name)
        if inspect.isclass(member) or inspect.isfunction(member):
            assert inspect.getdoc(member), name
            assert member.__module__.startswith("parakeet_streaming."), name


def test_every_error_is_exported():
    tree = {name for name, each in vars(errors).items() if inspect.isclass(each)}
    assert tree <= set(parakeet_streaming.__all__)


@pytest.mark.parametrize("name", LATER)
def test_what_is_imported_later_comes_from_where_it_is_made(name):
    assert name in dir(parakeet_streaming)
    member = getattr(parakeet_streaming, name)
    assert member.__module__ == f"parakeet_streaming.{LATER[name]}"


def test_a_name_that_does_not_exist():
    with pytest.raises(AttributeError, match="has no attribute 'Telephone'"):
        _ = parakeet_streaming.Telephone


def test_the_import_leaves_out_what_is_imported_later():
    code = "import sys, parakeet_streaming; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"soundfile", "sounddevice", "av", "prometheus_client", "huggingface_hub", "typer"}
    assert not heavy & set(done.stdout.split())


def test_the_package_logs_nowhere_unless_asked():
    code = (
        "import logging, parakeet_streaming\n"
        "logging.getLogger('parakeet_streaming.load').error('unseen')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_the_version_is_one():
    assert [int(part) >= 0 for part in parakeet_streaming.__version__.split(".")] == [True] * 3
