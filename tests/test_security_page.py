"""The tables of docs/security.md say what the code says, and leave no bound out."""

import ast
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "parakeet_streaming"
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAME = r"`(?P<name>[\w.]+)(?:\[(?P<key>\w+)\])?`"
ROW = re.compile(rf"^\| [^|]+ \| (?P<value>[^|]+) \| {NAME} \|$", re.MULTILINE)
ROWS = [(found["name"], found["key"], found["value"]) for found in ROW.finditer(PAGE)]
UNITS = {
    "": 1, "s": 1, "h": 3600, "day": 86_400, "days": 86_400,
    "KiB": 2**10, "MiB": 2**20, "GiB": 2**30,
}  # fmt: skip
ELSEWHERE = {
    "live.adaptation.MOST_GROWTH",
    "live.adaptation.MOST_LOAD_TO_SHRINK",
    "live.admission.MOST_LOAD",
    "live.admission.MOST_RECORDINGS",
    "live.event_queue.MOST_WAITING",
    "live.meter.MOST_S",
    "live.ring_sizing.MOST_RING_S",
    "model.features.MAX_BAND_WEIGHTS",  # a check of ours, not of what is read
}
"""Of load, which docs/live.md tells, and no bounds on what comes from outside."""


def number(text):
    value, _, unit = text.partition(" ")
    return float(value.replace(",", "")) * UNITS[unit]


@pytest.mark.parametrize(("name", "key", "value"), ROWS, ids=[f"{n}-{k}" for n, k, _ in ROWS])
def test_a_limit_is_what_the_page_says(name, key, value):
    module, _, constant = name.rpartition(".")
    found = getattr(importlib.import_module(f"parakeet_streaming.{module}"), constant)
    assert (found[key] if key else found) == number(value)


def test_each_row_is_read():
    assert len(ROWS) == len(re.findall(r"^\|.*` \|$", PAGE, re.M)) > 90


def bounds():
    for path in PACKAGE.rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", 0)]
            for each in targets:
                if isinstance(each, ast.Name) and re.match("(MOST|MAX)(_|$)", each.id):
                    module = path.relative_to(PACKAGE).with_suffix("").parts
                    yield ".".join((*module, each.id))


def test_no_bound_is_left_out():
    assert set(bounds()) - {name for name, _, _ in ROWS} == ELSEWHERE


def test_every_size_of_a_network_is_told():
    from parakeet_streaming.torch_model.sizes import MOST

    assert {key for name, key, _ in ROWS if name == "torch_model.sizes.MOST"} == set(MOST)


def links(page):
    return re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", ["README.md", "SECURITY.md", "docs/security.md"])
def test_its_links_lead_somewhere(page):
    path = ROOT / page
    for link in links(path):
        assert (path.parent / link).exists(), link
    assert page == "docs/security.md" or "docs/security.md" in links(path)
