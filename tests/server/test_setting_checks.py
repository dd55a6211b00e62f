"""Checks of settings: what is used, and what is refused."""

import pytest

from parakeet_streaming.server import setting_checks as checks


@pytest.mark.parametrize(
    ("check", "given", "used"),
    [
        (checks.one_of("text", "json"), " JSON ", "json"),
        (checks.context, "10-2-2", "10-2-2"),
        (checks.stun_server, "stun:example.org:3478", "stun:example.org:3478"),
        (checks.api_keys, ("a-key", "name:another"), ("a-key", "name:another")),
        (checks.checkpoint_keys, ("x" * 16,), ("x" * 16,)),
    ],
)
def test_what_can_be_used(check, given, used):
    assert check(given) == used


@pytest.mark.parametrize(
    ("check", "given"),
    [
        (checks.one_of("text", "json"), "xml"),
        (checks.context, "nonsense"),
        (checks.stun_server, "turn:example.org"),
        (checks.api_keys, ("",)),
        (checks.checkpoint_keys, ("short",)),
    ],
)
def test_what_cannot(check, given):
    with pytest.raises(ValueError, match=r"[a-z]"):
        check(given)
