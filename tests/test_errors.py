"""The tree in the docstring is the tree of the classes, builtin bases included."""

import builtins
import inspect
import re

import pytest

from parakeet_streaming import errors

CLASSES = {
    name: each
    for name, each in vars(errors).items()
    if inspect.isclass(each) and issubclass(each, Exception)
}
LINE = re.compile(
    r"^(?P<indent>[│├└─ ]*)(?P<name>[A-Z]\w+)(?: +also (?P<builtin>[A-Z]\w+))?(?= |$)"
)


def drawn():
    """(name, name of its parent, builtin base) of each line of the tree."""
    tree = errors.__doc__.split("```")[1].strip("\n").splitlines()
    above = []
    for line in tree:
        match = LINE.match(line)
        depth = len(match["indent"]) // 4
        above[depth:] = [match["name"]]
        yield match["name"], above[depth - 1] if depth else None, match["builtin"]


@pytest.mark.parametrize(("name", "parent", "builtin"), list(drawn()))
def test_a_line_is_a_class(name, parent, builtin):
    bases = [getattr(errors, parent) if parent else Exception]
    bases += [getattr(builtins, builtin)] if builtin else []
    assert list(CLASSES[name].__bases__) == bases


def test_every_class_is_drawn_once():
    names = [name for name, _, _ in drawn()]
    assert sorted(names) == sorted(CLASSES)


def test_every_leaf_is_also_the_builtin_one_would_guess():
    for name, _, builtin in drawn():
        below = CLASSES[name].__subclasses__()
        # Other rooms have errors of their own, where something has imported them.
        is_leaf = all(each.__module__ != errors.__name__ for each in below)
        assert is_leaf == (builtin is not None)


@pytest.mark.parametrize("error", CLASSES.values())
def test_errors_say_what_they_were_told_and_what_they_are(error):
    assert str(error("use another")) == "use another"
    assert error.__doc__
