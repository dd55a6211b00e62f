"""An engine's process in; the same, seldom stopped by Python's collector of cycles, out.

A step puts a dozen new objects in the place of old ones for each stream. The collector takes that
for growth, and goes through all objects to find what is garbage: half a million at 4,000 streams,
0.2 s each time, during which nothing else is computed, and that more than once in a second. Hardly
any of them is garbage. So it looks once there are many new ones that were not freed by themselves,
and what was there before the first stream is left out.

It is not for a process with sockets: what calls and connections leave behind in cycles holds large
buffers. Where it looked seldom there, a soak took more than twice the memory.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_THRESHOLDS: Final = (50_000, 10, 10)
"""New objects that are looked at, and how often before older ones are, too. All are looked at when
there are five million more, at the latest: garbage cannot pile up beyond some hundred megabytes."""


@contextmanager
def collecting_seldom() -> Iterator[None]:
    """Sets the collector of this process; it is as before after it."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
