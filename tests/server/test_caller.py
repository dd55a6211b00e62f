"""Who asks is a value: it can be compared, and cannot be changed."""

from dataclasses import FrozenInstanceError

import pytest

from parakeet_streaming.server.caller import Caller


def test_a_caller_is_a_value():
    caller = Caller("10.0.0.1", {"host": "x"}, {"a": "b"})
    assert caller == Caller("10.0.0.1", {"host": "x"}, {"a": "b"}, ())
    with pytest.raises(FrozenInstanceError):
        caller.address = "10.0.0.2"
