"""The command line: `python -m training STAGE`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from parakeet_streaming.errors import ParakeetError
from training.options import read_options, recipe_of, smoke_options
from training.settings import Places, smoke_recipe
from training.stages import STAGES, STEPS_ASIDE, STOPPED

TUNABLES = "GLIBC_TUNABLES"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the stages that the command line names; 0, 1 with what is wrong, 130 after Ctrl-C."""
    asked = read_options(arguments, [*STAGES, *STEPS_ASIDE])
    _take_large_pages()
    places = Places(asked.work)
    places.work.mkdir(parents=True, exist_ok=True)
    try:
        recipe = smoke_recipe() if asked.smoke else recipe_of(asked)
        if asked.smoke:
            asked = smoke_options(asked, places)
        for name in STAGES if asked.stage == "all" else [asked.stage]:
            stage = (STAGES | STEPS_ASIDE)[name]
            print(f"{name}: {stage(asked, recipe, places)}", flush=True)
    except ParakeetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the same command goes on, or begins its stage anew", file=sys.stderr)
        return STOPPED
    return 0


def _take_large_pages() -> None:
    """Restarts Python with large pages, which glibc gives only if it is asked at the start.

    On a virtual machine, clearing small pages took a quarter of a step.
    """
    if sys.platform == "linux" and TUNABLES not in os.environ:
        os.environ[TUNABLES] = "glibc.malloc.hugetlb=1"
        os.execv(sys.executable, sys.orig_argv)


if __name__ == "__main__":
    sys.exit(main())
