import pytest

from client_tests.catalogue import Interims
from client_tests.comparing import faults

ANY = Interims.GUESSES


def heard(*utterances, interims=(), errors=()):
    made = [{"text": text, "interims": list(before)} for text, *before in utterances]
    return {"utterances": made, "interims": list(interims), "errors": list(errors)}


def test_equal_words_are_right_however_they_are_divided():
    assert faults(heard(["one two"], ["three"]), ["one", "two", "three"], ANY) == []


@pytest.mark.parametrize(
    ("told", "expected", "says"),
    [
        (heard(["one"]), ["one", "two"], "heard 'one', should be 'one two'"),
        (heard(["one"], errors=["E: x"]), ["one"], "the client reports E: x"),
        (heard(["one"], interims=["two"]), ["one"], "['two'] were followed by no final text"),
        (heard(), [], "there was nothing to hear"),
    ],
)
def test_what_is_wrong_is_said(told, expected, says):
    assert faults(told, expected, ANY) == [says]


@pytest.mark.parametrize(
    ("interims", "before", "right"),
    [
        (Interims.PIECES, ["one", " two"], True),
        (Interims.PIECES, ["one", "two"], False),
        (Interims.PIECES, ["one"], False),
        (Interims.GROWING, ["one", "one t"], True),
        (Interims.GROWING, [], True),
        (Interims.GROWING, ["one t", "one"], False),
        (Interims.GUESSES, ["won"], True),
        (Interims.NONE, [], True),
        (Interims.NONE, ["one"], False),
    ],
)
def test_what_came_before_goes_together_with_the_final_text(interims, before, right):
    found = faults(heard(["one two", *before]), ["one", "two"], interims)
    assert (found == []) == right
