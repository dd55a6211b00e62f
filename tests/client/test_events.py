import dataclasses
from typing import get_args

import pytest

from parakeet_streaming.client import events


@pytest.mark.parametrize("kind", [*get_args(events.Event), events.Ready, events.ChannelStats])
def test_events_are_frozen(kind):
    assert kind.__dataclass_params__.frozen
    assert all(field.name for field in dataclasses.fields(kind))
