"""What a session tells are values, of which protocols make their messages."""

from dataclasses import FrozenInstanceError, fields
from typing import get_args

import pytest

from parakeet_streaming.server.protocols.native import message_of
from parakeet_streaming.server.protocols.native_settings import StreamSettings
from parakeet_streaming.server.session_events import SessionEvent, Started


def test_they_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        Started(0, 1.0).at_s = 2.0


def test_each_has_a_message_in_the_native_protocol():
    blank = {"int": 0, "float": 0.0, "str": "x"}
    for kind in get_args(SessionEvent):
        simple = {each.name: blank.get(each.type) for each in fields(kind)}
        if all(value is not None for value in simple.values()):
            assert message_of(kind(**simple), StreamSettings()) is not None
