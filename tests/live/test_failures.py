"""A reader meets an error that names its stream."""

from parakeet_streaming.errors import ComputeError, OptionError
from parakeet_streaming.live.failures import as_reported


def test_errors_of_this_package_are_kept_and_others_become_a_cause():
    own, other = OptionError("no such option"), MemoryError("no room")
    assert as_reported(own, "a") is own
    assert own.__notes__ == ["stream a"]
    reported = as_reported(other, "a")
    assert isinstance(reported, ComputeError)
    assert "stream a" in str(reported)
    assert reported.__cause__ is other
