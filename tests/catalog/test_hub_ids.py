"""What can be a name and a revision on the hub, and what would lead elsewhere."""

import pytest

from parakeet_streaming.catalog.hub_ids import MOST_CHARACTERS, is_hub_name, split_revision
from parakeet_streaming.errors import OptionError


@pytest.mark.parametrize("name", ["a/b", "org/na.me-1", "org/name_2", "0/1"])
def test_names(name):
    assert is_hub_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *("", "a", "a/", "/b", "a/b/c", "../b", "a/..", "a/../b", "a/b..c", ".a/b", "a/-b", "é/b"),
        *("a/b\n", "a /b", "a/b\0", "a\\b/c", "a/" + "b" * MOST_CHARACTERS),
    ],
)
def test_what_is_no_name(name):
    assert not is_hub_name(name)


@pytest.mark.parametrize(
    "revision", ["main", "v1.0", "refs/pr/1", "9" * 40, "feature/a-b_c", "Ä", "1.0+b", "a#1"]
)
def test_revisions(revision):
    assert split_revision(f"a/b@{revision}") == ("a/b", revision)
    assert split_revision("a/b", revision) == ("a/b", revision)


def test_without_a_revision():
    assert split_revision("a/b") == split_revision("a/b@", "") == ("a/b", None)


@pytest.mark.parametrize(
    "revision",
    [
        *("../../models--a--c/refs/x", "..", "a/../b", "a/..", ".", "./a", "a/./b", ".a", "a/.b"),
        *("/etc/passwd", "//a", "a//b", "a/", "~root", "a\\..\\b", "c:a", "-a", "a/-b", "a\nb"),
        *("a b", "a\0", "\x1b[31m", "a@{1}", "a.lock", "a.lock/b", "a.", "a*", "\u202ea"),
        *("a" * (MOST_CHARACTERS + 1), "a" * 100_000),
    ],
)
def test_what_is_no_revision(revision):
    for call in (
        lambda: split_revision(f"a/b@{revision}"),
        lambda: split_revision("a/b", revision),
    ):
        with pytest.raises(
            OptionError, match="is no revision; give a branch, a tag or a commit"
        ) as told:
            call()
        assert len(str(told.value)) < 300


def test_two_revisions_are_refused():
    with pytest.raises(OptionError, match="another revision"):
        split_revision("a/b@v1", "v2")
