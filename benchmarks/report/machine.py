"""Nothing in; the hardware and the versions that a measurement depends on out, as a table.

python -m benchmarks.report.machine
"""

from __future__ import annotations

import argparse
import platform
import re
from dataclasses import asdict, dataclass
from importlib import metadata

import psutil

from benchmarks.report.tables import table
from parakeet_streaming import __version__
from parakeet_streaming.compiled import is_compiled
from parakeet_streaming.runtime.cores import usable_cores
from parakeet_streaming.runtime.onnx_runtime import available_providers
from parakeet_streaming.runtime.processor import processor


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
    found = processor()
    return Machine(
        processor=found.name,
        instructions=" ".join(found.instructions) or "unknown",
        cores=f"{usable_cores()} usable, {psutil.cpu_count()} logical",
        memory=f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        system=platform.platform(),
        python=f"{platform.python_version()} ({platform.python_implementation()})",
        numpy=metadata.version("numpy"),
        onnxruntime=_runtime(),
        providers=", ".join(available_providers()),
        openvino=version_of("openvino"),
        parakeet_streaming=f"{__version__}, compiled" if is_compiled() else __version__,
    )


def machine_table() -> str:
    """This machine as a markdown table."""
    rows = [(key.replace("_", " "), value) for key, value in asdict(machine()).items()]
    return table(("machine", ""), rows)


def refuse_compiled() -> None:
    """Ends a benchmark that replaces methods, which compiled classes do not let happen."""
    if is_compiled():
        raise SystemExit("this replaces methods: run it on a package that is not compiled")


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


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    print(machine_table())
