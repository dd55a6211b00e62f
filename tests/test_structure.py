"""The rules of the house that no import contract can say."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "parakeet_streaming"
SOURCES = sorted(PACKAGE.rglob("*.py"))
MOST_LINES = 300
MOST_MEMBERS = 12


def name_of(path):
    return str(path.relative_to(ROOT))


def classes(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_file_is_read_at_one_sitting(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("folder", ["benchmarks", "client_tests", "examples", "fuzz", "training"])
def test_so_is_a_file_beside_the_package(folder):
    for path in (ROOT / folder).rglob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES, path


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_class_has_a_dozen_public_methods_at_most(path):
    """Fields of a frozen value are not counted: it is nothing but them."""
    for each in classes(path):
        members = [
            node.name
            for node in each.body
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
            and not node.name.startswith("_")
        ]
        assert len(set(members)) <= MOST_MEMBERS, (each.name, members)


def dots(node):
    """The names of an attribute of an attribute of a name, or None where it is no such chain."""
    names = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return [node.id, *reversed(names)]


def modules_of(tree):
    """Names that stand for modules and classes: what is behind their dots is no neighbour's."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ClassDef):
            names.add(node.name)
    return names


@pytest.mark.parametrize(
    "path",
    [path for path in SOURCES if path.parent.name in ("live", "engine", "metrics")],
    ids=name_of,
)
def test_nothing_reaches_through_its_neighbours(path):
    """`task.backlog_s` and `self._task.backlog_s`, not `task.driver.backlog_s`.

    The verb at the end is not counted: it is what its owner was reached for.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    known = modules_of(tree)
    verbs = {node.func for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        chain = dots(node) if isinstance(node, ast.Attribute) and node not in verbs else None
        if chain is None or chain[0] in known:
            continue
        reach = len(chain) - (2 if chain[0] in ("self", "cls") else 1)
        assert reach <= 1, f"{'.'.join(chain)} in line {node.lineno}"


def test_an_array_type_has_one_name():
    defined = [
        path
        for path in SOURCES
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith(("Floats =", "Counts ="))
    ]
    assert {path.name for path in defined} == {"ports.py"}


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_every_module_has_its_tests_in_the_room_of_the_same_name(path):
    if path.name != "__init__.py":
        room = ROOT / "tests" / path.relative_to(PACKAGE).parent
        assert (room / f"test_{path.name}").is_file()
