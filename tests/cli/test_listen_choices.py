"""What `listen` is told of delay and utterances."""

import pytest

from parakeet_streaming.cli.listen_choices import delay_range_of, endpoint_of
from parakeet_streaming.engine.endpoint_options import EndpointOptions
from parakeet_streaming.errors import OptionError
from parakeet_streaming.live.adaptation import DelayRange
from parakeet_streaming.timeline import ContextConfig


def test_delay():
    balanced, wide = ContextConfig.balanced(), ContextConfig(10, 2, 2)
    assert delay_range_of(None, None, None, fixed=False) == DelayRange.growing(balanced)
    assert delay_range_of("10-2-2", None, None, fixed=True) == DelayRange.fixed(wide)
    assert delay_range_of(None, "balanced", 2.0, fixed=False) == DelayRange(balanced, 2.0)
    with pytest.raises(OptionError, match="--longest-chunk does not go with --fixed"):
        delay_range_of(None, None, 2.0, fixed=True)


def test_utterances():
    assert endpoint_of("balanced", None) == EndpointOptions()
    assert endpoint_of("balanced", 9.0) == EndpointOptions(max_utterance_s=9.0)
    assert endpoint_of(" OFF ", None) is None
    with pytest.raises(OptionError, match="does not go with --endpointing off"):
        endpoint_of("off", 9.0)
    with pytest.raises(OptionError, match="--endpointing never does not exist"):
        endpoint_of("never", None)
