"""An error of a stream's computation in; the error that its reader meets, out."""

from __future__ import annotations

from parakeet_streaming.errors import ComputeError, ParakeetError


def as_reported(error: BaseException, stream_id: str) -> BaseException:
    """An error of this package as it is; any other as the cause of a `ComputeError`."""
    if isinstance(error, ParakeetError):
        error.add_note(f"stream {stream_id}")
        return error
    reported = ComputeError(f"stream {stream_id}: {error!r}")
    reported.__cause__ = error
    return reported
