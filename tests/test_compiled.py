"""What is compiled can be, and the list of it names what there is."""

import dataclasses
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from parakeet_streaming.compiled import is_compiled
from parakeet_streaming.engine.stream_state import StreamState
from parakeet_streaming.live.stats import StreamStats
from parakeet_streaming.metrics.histogram import Distribution

ROOT = Path(__file__).parent.parent
HOOK = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
COMPILED = HOOK["targets"]["wheel"]["hooks"]["mypyc"]["include"]


def dataclasses_of(kind, found):
    """All that the fields of a dataclass name, and it."""
    if dataclasses.is_dataclass(kind) and kind not in found:
        found.add(kind)
        for each in get_type_hints(kind).values():
            dataclasses_of(each, found)
    for each in get_args(kind):
        dataclasses_of(each, found)
    return found


def test_the_list_names_files_in_order():
    assert all((ROOT / each.lstrip("/")).is_file() for each in COMPILED)
    assert sorted(set(COMPILED)) == COMPILED


@pytest.mark.parametrize("kind", [StreamState, StreamStats, Distribution])
def test_no_value_that_is_written_down_by_its_types_is_compiled(kind):
    """A compiled class does not say what its fields are."""
    found = dataclasses_of(kind, set())
    files = {f"/src/{each.__module__.replace('.', '/')}.py" for each in found}
    assert not files & set(COMPILED)


def test_it_is_known_whether_this_is_compiled():
    source = sys.modules["parakeet_streaming.compiled"].__file__
    loop = Path(source).parent / "live"
    assert is_compiled() == any([*loop.glob("loop.*.so"), *loop.glob("loop.*.pyd")])


def test_of_a_checkout_nothing_is_compiled():
    asked = "from parakeet_streaming.compiled import is_compiled; print(is_compiled())"
    said = subprocess.run(
        [sys.executable, "-c", asked],
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "False\n"
