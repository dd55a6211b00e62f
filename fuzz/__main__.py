"""Every target, or those named, for some seconds each; a table, and the findings.

python -m fuzz [TARGET ...] [--seconds N] [--at-once N]

Ends with 1 where there is a finding. Findings of earlier runs are removed; inputs that reached
something new are kept in `fuzz/out`, and the next run begins with them.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fuzz.catalogue import FINDINGS, ROOT, target_names

OUT: Final = ROOT / "fuzz" / "out"

LOG: Final = "log.txt"

_EXECUTIONS: Final = re.compile(r"^stat::number_of_executed_units:\s*(\d+)", re.MULTILINE)
_EDGES: Final = re.compile(r"\bcov: (\d+)")
_TO_START_S: Final = 300
"""For imports, and for a last input, beside the seconds that were asked for."""
_MOST_DEATHS: Final = 50
"""Of one target in one run."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What one target did."""

    name: str
    executions: int
    edges: int
    took_s: float
    findings: tuple[str, ...]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what the command line asks for."""
    asked = _parser().parse_args(arguments)
    names = asked.targets or target_names()
    began_s = time.monotonic()
    print(f"{'target':22} {'executions':>11} {'edges':>6} {'seconds':>8} {'findings':>9}")
    with ThreadPoolExecutor(asked.at_once) as pool:
        every = [pool.submit(run_target, name, asked.seconds) for name in names]
        ran = [each.result() for each in every]
    findings = [(each.name, finding) for each in ran for finding in each.findings]
    for name, finding in findings:
        print(f"\n{name}: {finding}")
    print(
        f"\n{len(ran)} targets, {sum(each.executions for each in ran)} executions, "
        f"{len(findings)} findings, {time.monotonic() - began_s:.0f} s"
    )
    return 1 if findings else 0


def run_target(name: str, seconds: int) -> Ran:
    """One target in a process of its own; where that dies of an input, the next one goes on."""
    folder = OUT / name
    for each in (FINDINGS, "scratch", "seeds"):
        shutil.rmtree(folder / each, ignore_errors=True)
    began_s = time.monotonic()
    log, executions, edges, deaths = "", 0, 0, 0
    while True:
        left_s = round(seconds - (time.monotonic() - began_s))
        died = _process(name, max(1, left_s), folder)
        log = (folder / LOG).read_text(encoding="utf-8", errors="replace")
        executions += sum(map(int, _EXECUTIONS.findall(log)))
        edges = max([edges, *map(int, _EDGES.findall(log))])
        # What died before its first input would do so again.
        if not died or not _EXECUTIONS.search(log) or left_s < 2 or deaths == _MOST_DEATHS:
            break
        deaths += 1
    findings = _findings(name, folder)
    if died and not findings:
        findings.append(f"it ended by itself; see {folder / LOG}")
    took_s = time.monotonic() - began_s
    print(f"{name:22} {executions:11,} {edges:6,} {took_s:8.0f} {len(findings):9}", flush=True)
    return Ran(name, executions, edges, took_s, tuple(findings))


def _process(name: str, seconds: int, folder: Path) -> bool:
    """Whether the process died of an input, or of itself."""
    scratch = folder / "scratch"
    scratch.mkdir(parents=True)
    own = {"TMPDIR": str(scratch), "XDG_CACHE_HOME": str(scratch), "HF_HUB_OFFLINE": "1"}
    with (folder / LOG).open("wb") as log:
        ended = subprocess.run(
            [sys.executable, "-m", "fuzz.one_target", name, str(seconds), str(folder)],
            stdout=log,
            stderr=log,
            cwd=ROOT,
            env=os.environ | own,
            check=False,
            timeout=seconds + _TO_START_S,
        )
    shutil.rmtree(scratch, ignore_errors=True)
    return ended.returncode != 0


def _findings(name: str, folder: Path) -> list[str]:
    """Those that the target's process wrote down, and what it died of, by place."""
    written = [
        path.read_text(encoding="utf-8")[:2_000]
        for path in sorted((folder / FINDINGS).glob("*.txt"))
    ]
    deaths: dict[str, Path] = {}
    for pattern in ("crash-*", "timeout-*", "oom-*"):
        for path in sorted((folder / FINDINGS).glob(pattern)):
            deaths.setdefault(_death(name, path), path)
    return [*written, *(f"{said}\n{path}" for said, path in deaths.items())]


def _death(name: str, path: Path) -> str:
    """What happens again with an input that a process died of: its fault, and the lines of ours."""
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "fuzz.again", name, str(path)],
            capture_output=True,
            text=True,
            errors="replace",
            cwd=ROOT,
            check=False,
            timeout=_TO_START_S,
        )
    except subprocess.TimeoutExpired:
        return "it never ends"
    lines = ended.stderr.splitlines()
    fault = [line for line in lines if line.startswith("Fatal")]
    ours = [line.strip() for line in lines if "/parakeet_streaming/" in line]
    return "\n".join((*fault, *ours[:2])) or "the process died, and does not do so again"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", choices=[*target_names(), []], metavar="TARGET")
    parser.add_argument("--seconds", type=int, default=10, help="for each (default: %(default)s)")
    cores = os.cpu_count() or 1
    parser.add_argument("--at-once", type=int, default=cores, help="default: one for each core")
    return parser


if __name__ == "__main__":
    sys.exit(main())
