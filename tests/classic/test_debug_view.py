"""What an engine holds can be looked at."""

from parakeet_streaming.classic.debug_view import DebugView
from parakeet_streaming.results import TokenResult
from parakeet_streaming.timeline import ContextConfig


def test_it_is_written_for_people():
    token = TokenResult(0, " one", 0, 1280, 0.9)
    view = DebugView(ContextConfig(1.0, 0.4, 0.24), 100, 200, 300, 4, (token,), " two")
    assert "100 in the ring, 200 in the window, 300 decoded, 4 refused" in str(view)
    assert "' one' and tentatively ' two'" in str(view)
