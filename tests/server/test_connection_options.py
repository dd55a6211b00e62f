"""How a channel comes is a value; its rate is that of its context."""

from parakeet_streaming.live.adaptation import DelayRange
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.server.connection_options import ChannelOptions
from parakeet_streaming.timeline import ContextConfig


def test_the_rate_is_that_of_the_context():
    live = LiveOptions(DelayRange.fixed(ContextConfig.parse("balanced", 8_000)))
    assert ChannelOptions(live).rate_hz == 8_000
    assert ChannelOptions().rate_hz == 16_000
    assert (ChannelOptions().encoding, ChannelOptions().channels) == ("s16le", 1)
