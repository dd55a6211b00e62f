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

_EXECUTIONS: Final = re.compile(r"^stat::number_of_executed_units:\s*(\d+)", re.MULTILINE)
_EDGES: Final = re.compile(r"\bcov: (\d+)")
_TO_START_S: Final = 300
"""For imports, and for a last input, beside the seconds that were asked for."""


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
    """One target in a process of its own, which may crash."""
    folder = OUT / name
    for each in (FINDINGS, "scratch", "seeds"):
        shutil.rmtree(folder / each, ignore_errors=True)
    scratch = folder / "scratch"
    scratch.mkdir(parents=True)
    command = [sys.executable, "-m", "fuzz.one_target", name, str(seconds), str(folder)]
    own = {"TMPDIR": str(scratch), "XDG_CACHE_HOME": str(scratch), "HF_HUB_OFFLINE": "1"}
    began_s = time.monotonic()
    log = folder / "log.txt"
    with log.open("wb") as file:
        ended = subprocess.run(
            command,
            stdout=file,
            stderr=file,
            cwd=ROOT,
            env=os.environ | own,
            check=False,
            timeout=seconds + _TO_START_S,
        )
    shutil.rmtree(scratch, ignore_errors=True)
    ran = _told(name, log, ended.returncode, time.monotonic() - began_s)
    print(
        f"{name:22} {ran.executions:11,} {ran.edges:6,} {ran.took_s:8.0f} {len(ran.findings):9}",
        flush=True,
    )
    return ran


def _told(name: str, log: Path, returncode: int, took_s: float) -> Ran:
    said = log.read_text(encoding="utf-8", errors="replace")
    executions, edges = _EXECUTIONS.findall(said), _EDGES.findall(said)
    texts = sorted((log.parent / FINDINGS).glob("*.txt"))
    findings = [path.read_text(encoding="utf-8")[:2_000] for path in texts]
    if returncode or not executions:
        findings.append(f"ended with {returncode}; see {log} and {log.parent / FINDINGS}")
    return Ran(
        name,
        int(executions[-1]) if executions else 0,
        int(edges[-1]) if edges else 0,
        took_s,
        tuple(findings),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", choices=[*target_names(), []], metavar="TARGET")
    parser.add_argument("--seconds", type=int, default=10, help="for each (default: %(default)s)")
    cores = os.cpu_count() or 1
    parser.add_argument("--at-once", type=int, default=cores, help="default: one for each core")
    return parser


if __name__ == "__main__":
    sys.exit(main())
