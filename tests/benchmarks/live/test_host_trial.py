"""A case of the host's cost: what is divided by what, and who is fed when."""

from benchmarks.live.host_trial import Case, HostCost
from parakeet_streaming import ContextConfig


def test_the_options_of_a_case():
    options = Case(8, "5-0.5-0.5", cached=False, vad=True).options
    assert options.delay.context == ContextConfig(5, 0.5, 0.5)
    assert (options.cached, options.vad is not None) == (False, True)
    assert Case(8).options.vad is None


def test_streams_on_half_a_core():
    cost = HostCost(1_000, 4_000, 80.0, 60.0, 5.0, 0.25, 10.0, 0.0, (0.01, 0.02, 0.03))
    assert cost.streams_on_half_a_core == 2_000
