from dataclasses import fields

import pytest

from parakeet_streaming.errors import OptionError
from parakeet_streaming.server.limits import MOST_FILES, Limits
from parakeet_streaming.server.settings import Settings, about


def test_each_limit_can_be_set_and_is_what_it_was_by_default():
    assert {each.name for each in fields(Limits)} <= {each.name for each in fields(Settings)}
    assert Settings().limits == Limits()
    assert Settings(upload_megabytes=3).limits == Limits(upload_megabytes=3)


@pytest.mark.parametrize("name", [each.name for each in fields(Settings)])
def test_each_setting_has_help_that_ends_and_a_default_that_is_allowed(name):
    known = about(name)
    default = getattr(Settings(), name)
    assert known.help.endswith(".")
    assert known.panel
    assert default is None or known.check is None or known.check(default) == default


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("runtime", "tensorflow"),
        ("preset", "fast"),
        ("context", "10-0-0"),
        ("endpointing", "soon"),
        ("log_format", "xml"),
        ("log_level", "all"),
        ("api_key", ("two words",)),
        ("stun_server", "stun.example.org"),
        ("stun_server", "turn:example.org:3478"),
    ],
)
def test_values_that_cannot_be_used(name, value):
    with pytest.raises((OptionError, ValueError)):
        about(name).check(value)


def test_a_key_has_the_uploads_that_its_own_limit_says():
    settings = Settings()
    most = about("max_uploads").most
    assert settings.uploads_of_key < settings.max_uploads <= most == MOST_FILES


def test_case_says_nothing():
    assert about("preset").check(" Balanced ") == "balanced"


def test_keys_are_not_shown():
    assert "sk-1" not in repr(Settings(api_key=("a:sk-1",)))
