"""The ways in which a model may write a phrase."""

import pytest

from parakeet_streaming.boosting.variants import case_variants


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("iPhone", ("iPhone", "iphone", "IPhone", "Iphone")),
        ("new york", ("new york", "New york", "New York")),
        ("NATO", ("NATO", "nato", "Nato")),
        ("css", ("css", "Css", "CSS")),
        ("ßa", ("ßa", "SSA")),
        ("42", ("42",)),
        ("x", ("x", "X")),
    ],
)
def test_cases(given, written):
    assert case_variants(given) == written
