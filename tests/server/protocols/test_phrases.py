"""What clients ask to boost, in each protocol's fields."""

import pytest

from parakeet_streaming.boosting.options import Boosting
from parakeet_streaming.boosting.phrases import Phrase
from parakeet_streaming.server.protocols.fields import Fields
from parakeet_streaming.server.protocols.phrases import (
    boosting_from,
    listed,
    names_and_terms,
    terms_of_prompt,
    terms_with_intensifiers,
)
from parakeet_streaming.server.replies import WrongRequestError


def test_nothing_is_boosted_without_phrases_or_boost():
    assert boosting_from([], "keywords") is None
    assert boosting_from([" "], "keywords") is None
    assert boosting_from(["a"], "keywords", 0.0) is None
    assert boosting_from(["a"], "keywords", 2.0) == Boosting((Phrase("a"),), 2.0, strict=False)


def test_what_is_beyond_the_limits_is_a_mistake_of_that_field():
    with pytest.raises(WrongRequestError, match="keywords: the phrase 'xx") as found:
        boosting_from(["x" * 101], "keywords")
    assert found.value.field == "keywords"
    with pytest.raises(WrongRequestError, match="5,000"):
        boosting_from(map(str, range(5_001)), "keywords")


@pytest.mark.parametrize(
    ("value", "phrases"),
    [
        (None, None),
        ([], ()),
        ("", ()),
        (["Ada", {"text": "Kubernetes", "weight": 2}], (Phrase("Ada"), Phrase("Kubernetes", 2))),
        ([{"text": "Ada"}], (Phrase("Ada"),)),
        ("Ada\nKubernetes\t-2\n", (Phrase("Ada"), Phrase("Kubernetes", -2))),
    ],
)
def test_lists_of_our_own_protocol(value, phrases):
    assert listed(Fields({"phrases": value}), "phrases") == phrases


@pytest.mark.parametrize(
    "value",
    [7, {}, [7], [None], [{}], [{"text": 7}], [{"text": "a", "weight": 6}], ["x" * 101],
     "a\tb", [[]], ["a"] * 5_001],
)  # fmt: skip
def test_what_is_no_list_is_refused_by_its_name(value):
    with pytest.raises(WrongRequestError) as found:
        listed(Fields({"phrases": value}), "phrases")
    assert found.value.field.startswith("phrases")


@pytest.mark.parametrize(
    ("prompt", "terms"),
    [
        (None, ()),
        ("", ()),
        ("Kubernetes, Ada Lovelace; gRPC", ("Kubernetes", "Ada Lovelace", "gRPC")),
        ("Glossary: Kubernetes, gRPC.", ("Kubernetes", "gRPC")),
        ("Kubernetes", ("Kubernetes",)),
        ("Ada\nGrace,\n", ("Ada", "Grace")),
        ("So we went there, and then, well, it was closed already.", ()),
        ("Yes. No. Maybe.", ()),
        ("this is what was said before that", ()),
        (f"Ada, {'x' * 101}", ()),
    ],
)
def test_terms_of_a_prompt_that_lists_them(prompt, terms):
    assert terms_of_prompt(prompt) == terms


def test_intensifiers_are_weights_within_ours():
    assert terms_with_intensifiers(["Ada", "Grace:2.5", "um:-10", "a:b", "x:y:3", ":2"]) == [
        "Ada",
        Phrase("Grace", 2.5),
        Phrase("um", -5.0),
        "a:b",
        Phrase("x:y", 3.0),
        ":2",
    ]
    assert terms_with_intensifiers([f"{'x' * 101}:2"]) == [f"{'x' * 101}:2"]


def test_names_count_more_than_terms():
    long = "x" * 101
    assert names_and_terms(["Ada", long], ["lamp"]) == ["lamp", Phrase("Ada", 1.5), long]
