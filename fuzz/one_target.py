"""One target for some seconds, with inputs that atheris chooses; findings are files.

python -m fuzz.one_target TARGET SECONDS FOLDER

FOLDER gets `findings`, two files for each, and `corpus`, the inputs that reached something new; a
later run begins with them. libFuzzer's own words go to standard error.
"""

from __future__ import annotations

import resource
import sys
import warnings
from pathlib import Path
from typing import Final

import atheris

from fuzz.attempt import Finding, attempt
from fuzz.catalogue import FINDINGS, load_target, seeds_of

FUZZED: Final = "parakeet_streaming"

_MOST_BYTES: Final = 4 << 30
"""Of memory. More is a MemoryError, and so a finding: no input here is larger than some KiB."""
_MOST_NATIVE_S: Final = 60
"""For one input inside a library, where `attempt` cannot stop it."""


def fuzz(name: str, seconds: int, folder: Path) -> None:
    """Runs until the time is up, and then ends the process."""
    with atheris.instrument_imports(include=[FUZZED]):
        target = load_target(name)
    findings, corpus, seeds = (folder / each for each in (FINDINGS, "corpus", "seeds"))
    for each in (findings, corpus, seeds):
        each.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds_of(name)):
        (seeds / str(number)).write_bytes(seed)
    warnings.simplefilter("error")
    resource.setrlimit(resource.RLIMIT_DATA, (_MOST_BYTES, _MOST_BYTES))

    def give(data: bytes) -> None:
        finding = attempt(target.run, data)
        if finding is not None:
            _keep(finding, findings)

    options = (
        f"-max_total_time={seconds}",
        f"-timeout={_MOST_NATIVE_S}",
        "-rss_limit_mb=0",
        "-print_final_stats=1",
        f"-artifact_prefix={findings}/",
    )
    atheris.Setup([sys.argv[0], *options, str(corpus), str(seeds)], give)
    atheris.Fuzz()


def _keep(finding: Finding, folder: Path) -> None:
    """Of inputs for one place the shortest."""
    path = folder / finding.file_name
    if path.exists() and path.stat().st_size <= len(finding.data):
        return
    path.write_bytes(finding.data)
    told = f"{finding.place}\n{finding.said}\n{finding.data!r}\n"
    path.with_name(f"{path.name}.txt").write_text(told, encoding="utf-8", errors="replace")


if __name__ == "__main__":
    # Part of a prefix that is looked for counts as a new edge. (The hook for patterns cannot take
    # those of bytes.)
    atheris.enabled_hooks.add("str")
    fuzz(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
