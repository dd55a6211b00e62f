"""A program and cores in; a process that answers questions in JSON, a line each, out.

Rules of this file:

1. A child reads one object a line from standard input and answers with one line on standard output.
   What it has to say besides goes to standard error. It ends with its standard input.
2. Cores are those that a process may use: its libraries count them when they start their threads.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

from parakeet_streaming.runtime.cores import usable_cores

Answer = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class Cores:
    """Which cores recognise, and which are left to the clients; None where it cannot be chosen."""

    serving: tuple[int, ...] | None
    clients: tuple[int, ...] | None

    @classmethod
    def divided(cls, serving: int | None) -> Self:
        """So many for recognition, by default three of four; the clients get the rest.

        With one core, or where a system does not let a program choose, both share all.
        """
        if not hasattr(os, "sched_getaffinity"):
            return cls(None, None)
        there = sorted(os.sched_getaffinity(0))
        count = max(1, len(there) * 3 // 4) if serving is None else serving
        if not 0 < count < len(there):
            return cls(tuple(there), tuple(there))
        return cls(tuple(there[:count]), tuple(there[count:]))

    def __str__(self) -> str:
        if self.serving is None or self.serving == self.clients:
            return f"clients share the {usable_cores()} cores"
        return f"{len(self.serving)} cores recognise, {len(self.clients or ())} are the clients'"


def started(command: Sequence[str], cores: tuple[int, ...] | None, **how: Any) -> Any:
    """A process on those cores alone; `how` as of `Popen`."""
    keep = None if cores is None else partial(os.sched_setaffinity, 0, cores)
    # Nothing of ours runs in other threads yet that the child could wait for.
    return subprocess.Popen(command, preexec_fn=keep, **how)  # noqa: PLW1509


class Child:
    """One process; see the module."""

    def __init__(
        self, module: str, arguments: Sequence[str], cores: tuple[int, ...] | None
    ) -> None:
        self.module = module
        command = [sys.executable, "-m", module, *arguments]
        self.process = started(
            command, cores, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """Its answer; waits for it.

        Raises:
            RuntimeError: it ended instead.
        """
        self.tell(question)
        return self.answer()

    def tell(self, question: dict[str, Any]) -> None:
        """Asks, and does not wait."""
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """The answer to the question before."""
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.module} has ended with {self.process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


def answer_all(answer: Answer) -> None:
    """What a child does: answers until nobody asks any more."""
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)
