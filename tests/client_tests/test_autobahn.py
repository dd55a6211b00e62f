import pytest

from client_tests.autobahn import judged

GOOD = {"behavior": "OK", "behaviorClose": "INFORMATIONAL"}
BAD = {"behavior": "FAILED", "behaviorClose": "WRONG CODE"}
KNOWN = {"7.1.5": BAD}


def test_cases_are_counted():
    result = judged({"1.1.1": GOOD, "3.2": {**GOOD, "behavior": "NON-STRICT"}, **KNOWN})
    assert result.recording == "3 cases"
    assert result.wrong == []
    assert result.versions == {"autobahntestsuite": "25.10.1"}


@pytest.mark.parametrize(
    ("cases", "says"),
    [
        ({"1.1.1": BAD, **KNOWN}, "case 1.1.1: FAILED, WRONG CODE"),
        ({"1.1.1": {**GOOD, "behaviorClose": "UNCLEAN"}, **KNOWN}, "case 1.1.1: UNCLEAN"),
        ({"7.1.5": GOOD}, "case 7.1.5 is good: it is no longer to be left out"),
    ],
)
def test_what_is_wrong_is_said(cases, says):
    assert judged(cases).wrong == [says]
