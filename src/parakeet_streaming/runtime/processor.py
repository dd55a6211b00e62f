"""Nothing in; the processor's name, and the instruction sets that make it multiply fast, out.

Only Linux lists instruction sets.
"""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# What makes float32, int8 and bf16 fast, by the names Linux gives to them on x86 and on ARM.
_FLAGS: Final = re.compile(
    r"avx2|avx_vnni|avx512(f|_vnni|_bf16|_fp16)|amx_\w+|asimddp|i8mm|bf16|sve2?"
)


@dataclass(frozen=True, slots=True)
class Processor:
    """The processor of this machine."""

    name: str
    instructions: tuple[str, ...]
    """Sorted; empty where the system lists none."""


def processor(listing: Path = Path("/proc/cpuinfo")) -> Processor:
    """This machine's; `listing` is where Linux shows it."""
    try:
        lines = listing.read_text().splitlines()
    except OSError:
        return Processor(platform.processor() or platform.machine(), ())
    known: dict[str, str] = {}
    for line in lines:
        key, _, value = line.partition(":")
        known.setdefault(key.strip().lower(), value.strip())
    flags = f"{known.get('flags', '')} {known.get('features', '')}".split()
    return Processor(
        known.get("model name") or platform.machine(),
        tuple(sorted(flag for flag in flags if _FLAGS.fullmatch(flag))),
    )
