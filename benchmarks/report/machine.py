"""Nothing in; the hardware and the versions that a measurement depends on out, as a table.

python benchmarks/machine.py
"""

from __future__ import annotations

import argparse
import platform
import re
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

import psutil

from parakeet_streaming import __version__
from parakeet_streaming.runtime.cores import usable_cores
from parakeet_streaming.runtime.onnx_runtime import available_providers
from benchmarks.report.tables import table

# The instruction sets that decide how fast matrices are multiplied, as Linux names them.
_FLAGS = re.compile(r"avx2|avx_vnni|avx512(f|_vnni|_bf16|_fp16)|amx_\w+|asimddp|i8mm|bf16|sve2?")


@dataclass(frozen=True)
class Machine:
    """What a measurement was made on."""

    processor: str
    instructions: str
    cores: str
    memory: str
    system: str
    python: str
    numpy: str
    onnxruntime: str
    providers: str
    openvino: str
    parakeet_streaming: str


def machine() -> Machine:
    """This machine."""
    name, instructions = _processor(Path("/proc/cpuinfo"))
    return Machine(
        processor=name,
        instructions=instructions or "unknown",
        cores=f"{usable_cores()} usable, {psutil.cpu_count()} logical",
        memory=f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        system=platform.platform(),
        python=f"{platform.python_version()} ({platform.python_implementation()})",
        numpy=metadata.version("numpy"),
        onnxruntime=_runtime(),
        providers=", ".join(available_providers()),
        openvino=version_of("openvino"),
        parakeet_streaming=__version__,
    )


def machine_table() -> str:
    """This machine as a markdown table."""
    rows = [(key.replace("_", " "), value) for key, value in asdict(machine()).items()]
    return table(("machine", ""), rows)


def version_of(package: str) -> str:
    """The version of a package, or that there is none."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _runtime() -> str:
    """Version of whichever package brings ONNX Runtime."""
    found = {
        each.name: each.version
        for each in metadata.distributions()
        if each.name and re.fullmatch(r"onnxruntime([_-]\w+)*", each.name)
    }
    return ", ".join(
        version if name == "onnxruntime" else f"{version} ({name})"
        for name, version in sorted(found.items())
    )


def _processor(listing: Path) -> tuple[str, str]:
    """Model and instruction sets; only Linux lists the latter."""
    try:
        lines = listing.read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine(), ""
    known: dict[str, str] = {}
    for line in lines:
        key, _, value = line.partition(":")
        known.setdefault(key.strip().lower(), value.strip())
    flags = f"{known.get('flags', '')} {known.get('features', '')}".split()
    used = sorted(flag for flag in flags if _FLAGS.fullmatch(flag))
    return known.get("model name") or platform.machine(), " ".join(used)


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    print(machine_table())
