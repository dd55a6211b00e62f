"""One input again: what it does, and where.

python -m fuzz.again TARGET FILE

Ends with 1 where it is a finding; where the interpreter dies, its stack goes to standard error.
"""

from __future__ import annotations

import faulthandler
import sys
import warnings
from pathlib import Path

from fuzz.attempt import attempt
from fuzz.catalogue import load_target


def again(name: str, path: Path) -> int:
    """Gives what is in a file to a target; 1 where it must not happen."""
    target = load_target(name)
    warnings.simplefilter("error")
    faulthandler.enable()
    finding = attempt(target.run, path.read_bytes())
    print(f"{finding.place}\n{finding.said}" if finding else "all is well")
    return 1 if finding else 0


if __name__ == "__main__":
    sys.exit(again(sys.argv[1], Path(sys.argv[2])))
