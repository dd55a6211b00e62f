"""Options in; a `parakeet serve` on a free port, and its address, out."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from client_tests.catalogue import OUT, PARAKEET, ROOT
from client_tests.environment import clean_environment

KEY: Final = "sk-client-tests"
CONTEXT: Final = "balanced"
"""Fixed, so that words can be compared."""
_STARTS_WITHIN_S: Final = 120.0
_ENDS_WITHIN_S: Final = 30.0


@contextmanager
def served(log: str, *options: str, program: Sequence[str] = (str(PARAKEET),)) -> Iterator[str]:
    """A server; gives its address, such as `http://127.0.0.1:8000`.

    Args:
        log: the file of `build/client_tests` that keeps what it says.
        options: beside those that are always given.
        program: the command.
    """
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / log
    command = [*program, "serve", "--port", "0", "--fixed"]
    with path.open("wb") as file:
        server = subprocess.Popen(
            [*command, "--context", CONTEXT, *options],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            cwd=ROOT,
            env=clean_environment(PARAKEET_API_KEY=KEY, PYTHONPATH=str(ROOT / "src")),
        )
        try:
            yield _address(server, path)
        finally:
            server.send_signal(signal.SIGTERM)
            try:
                server.wait(_ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _address(server: subprocess.Popen[bytes], log: Path) -> str:
    end_s = time.monotonic() + _STARTS_WITHIN_S
    while server.poll() is None and time.monotonic() < end_s:
        for line in log.read_text(encoding="utf-8").splitlines():
            if line.startswith("ready "):
                return line.split()[1]
        time.sleep(0.05)
    raise RuntimeError(f"the server did not start; see {log}")
