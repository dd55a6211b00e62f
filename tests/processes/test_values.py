import json

import pytest

from parakeet_streaming.boosting.options import Boosting
from parakeet_streaming.boosting.phrases import Phrase
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.processes.frames import FrameError
from parakeet_streaming.processes.values import plain, value_of
from parakeet_streaming.server.settings import Settings
from parakeet_streaming.timeline import ContextConfig


@pytest.mark.parametrize(
    "value",
    [
        LiveOptions(),
        LiveOptions.recording(ContextConfig(10.0, 4.0, 2.0, 44_100), languages=("en",)),
        LiveOptions(boosting=Boosting((Phrase("Kubernetes"), Phrase("Ada", 2.5)))),
        Settings(api_key=("a:b",), replicas=2),
        ContextConfig(0.1 + 0.2, 1.0, 0.5),
    ],
)
def test_values_come_back(value):
    assert value_of(type(value), json.loads(json.dumps(plain(value)))) == value


@pytest.mark.parametrize("told", [None, [], {}, {"context": 3}, "x", {"left": "1"}])
def test_what_is_none_is_refused(told):
    with pytest.raises(FrameError):
        value_of(LiveOptions, told)
