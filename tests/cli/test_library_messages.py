"""Standard error has what this program says, and nothing of its libraries."""

import subprocess
import sys

import pytest

PROGRAM = """
import logging, sys, warnings
from parakeet_streaming.cli import models
from parakeet_streaming.cli.app import main

def noisy():
    warnings.warn("a library warns")
    logging.getLogger("some.library").warning("a library logs")
    return {}

models.built_in_models = noisy
sys.argv = ["parakeet", *sys.argv[1:]]
main()
"""


def said(*arguments, options=()):
    done = subprocess.run(
        [sys.executable, *options, "-c", PROGRAM, *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_libraries_are_not_heard():
    assert said("models", "list") == ""


def test_warnings_are_written_to_the_log():
    (first, *_) = said("--log-level", "warning", "models", "list").splitlines()
    assert "WARNING py.warnings" in first
    assert "a library warns" in first


@pytest.mark.parametrize("option", ["default", "always"])
def test_who_asks_python_for_warnings_gets_them(option):
    assert "UserWarning: a library warns" in said("models", "list", options=["-W", option])
