"""A checkpoint of a stream: ours, or refused with a reason, also where what is signed is wrong."""

from collections.abc import Iterator
from contextlib import suppress

from parakeet_streaming.server.checkpoint import MAGIC, Bound, Checkpoint, CheckpointKeys
from parakeet_streaming.server.connection_options import ChannelStart
from parakeet_streaming.server.replies import CheckpointRefusedError
from parakeet_streaming.server.session_state import SessionState

KEYS = CheckpointKeys(["a key for fuzzing, known to all"])
STATE = SessionState(3, 2, 5, 0, 17, 1.5, 0.25, True, True, False, (1.75, 2.0))
BOUND = Bound("owner", "model", {"sample_rate": "16000"})
HEAD_BYTES = 45


def run(data: bytes) -> None:
    # As it comes, and as if somebody with the key had signed it.
    for token in (data, KEYS.sealed(data)):
        with suppress(CheckpointRefusedError):
            read = KEYS.read(token)
            assert KEYS.read(KEYS.sign(read)) == read
            with suppress(CheckpointRefusedError):
                read.check_time(1_000.0)
                read.bound.check(BOUND)


def seeds() -> Iterator[bytes]:
    starts = (ChannelStart(b"one", STATE, 16_000), ChannelStart(b"two", STATE, 32_000))
    token = KEYS.sign(Checkpoint("3f2a", 7, 1_000.0, 600.0, BOUND, starts))
    yield token
    yield token[HEAD_BYTES:]
    yield MAGIC
