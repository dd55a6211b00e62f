"""An engine of this process and one of another are the same to the server."""

from parakeet_streaming.live.engine import LiveEngine
from parakeet_streaming.live.stream import LiveStream
from parakeet_streaming.processes.remote_engine import RemoteEngine
from parakeet_streaming.processes.remote_stream import RemoteStream
from parakeet_streaming.server.engine_port import Engine, EngineStream


def asked(protocol):
    return {name for name in vars(protocol) if not name.startswith("_") or name == "__aiter__"}


def test_both_have_what_is_asked_of_them():
    assert asked(Engine) <= set(dir(LiveEngine))
    assert asked(Engine) - {"metrics"} <= set(dir(RemoteEngine))
    assert asked(EngineStream) <= set(dir(LiveStream))
    assert asked(EngineStream) - {"id"} <= set(dir(RemoteStream))
