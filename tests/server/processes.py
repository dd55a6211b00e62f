"""Servers as processes of their own, on free ports."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).parent / "echo_program.py"
LONG_S = 300.0
"""Nothing that goes well takes so long."""


class Served:
    """A server that runs; `said` has the lines of its standard error."""

    def __init__(self, *arguments, environment=None):
        # A fixed bound: where the machine is busy, the measured one may let in only one stream.
        settings = {
            "PYTHONPATH": str(ROOT / "src"),
            "PARAKEET_PORT": "0",
            "PARAKEET_MAX_STREAMS": "64",
            **(environment or {}),
        }
        inherited = {
            name: text for name, text in os.environ.items() if not name.startswith("PARAKEET_")
        }
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM), "serve", *map(str, arguments)],
            env={**inherited, **settings},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stderr:
            with self._news:
                self.said.append(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self.said.append(None)
            self._news.notify_all()

    def line(self, beginning):
        """The first line that begins so; waits for it."""

        def found():
            lines = [line for line in self.said if line is None or line.startswith(beginning)]
            return lines[:1]

        with self._news:
            assert self._news.wait_for(found, LONG_S)
            (line,) = found()
        assert line is not None, self.said
        return line

    def line_with(self, part):
        """The first line with that in it; waits for it."""

        def found():
            return [line for line in self.said if line is None or part in line][:1]

        with self._news:
            assert self._news.wait_for(found, LONG_S), (part, self.said)
            (line,) = found()
        assert line is not None, (part, self.said)
        return line

    @property
    def url(self):
        return self.line("ready ").split()[1]

    @property
    def ws_url(self):
        return self.url.replace("http", "ws", 1)

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def ended(self):
        """Its exit code; waits for the end."""
        code = self.process.wait(LONG_S)
        self._reader.join(LONG_S)
        return code

    @property
    def log(self):
        return "\n".join(line for line in self.said if line is not None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self._reader.join(LONG_S)
        self.process.stdout.close()
        self.process.stderr.close()
