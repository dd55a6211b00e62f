"""An error in; its name and message, and from them the same error in another process, out."""

from __future__ import annotations

from typing import Any, Final

from parakeet_streaming import errors
from parakeet_streaming.errors import ComputeError, EngineFailedError, ParakeetError
from parakeet_streaming.server import replies

ENGINE_GONE: Final = (
    "the engine process has ended, and this server's streams with it; connect again when the "
    "server has been started again"
)
_KNOWN: Final = {
    name: kind
    for name, kind in {**vars(replies), **vars(errors)}.items()
    if isinstance(kind, type) and issubclass(kind, ParakeetError)
}


def told_of(error: BaseException | None) -> list[str] | None:
    """Name and message; None of none."""
    if error is None:
        return None
    for kind in type(error).__mro__:
        if _KNOWN.get(kind.__name__) is kind:
            return [kind.__name__, str(error)]
    return [type(error).__name__, str(error)]


def error_of(told: Any) -> BaseException | None:  # noqa: ANN401  JSON is anything
    """The error again; what is no error of ours is a failed computation."""
    if told is None:
        return None
    name, message = (str(each) for each in (*told, "", "")[:2])
    kind = _KNOWN.get(name)
    return ComputeError(f"{name}: {message}") if kind is None else kind(message)


def engine_gone() -> EngineFailedError:
    """What streams end with when the engine process has."""
    return EngineFailedError(ENGINE_GONE)
