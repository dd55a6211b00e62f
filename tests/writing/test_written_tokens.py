"""A token stands for others with their times, and what is not sure is given back."""

from parakeet_streaming.results import Token
from parakeet_streaming.writing.numbers import NumberRule
from parakeet_streaming.writing.written_tokens import after_letters, letters, written_tokens
from tests.writing.spelling import tokens_of

RULES = (NumberRule(),)


def test_the_last_word_is_not_sure_until_the_end():
    tokens = tokens_of("hello you", size=9)
    written, left = written_tokens(tokens, RULES, ended=False)
    assert [token for token, _ in written] == tokens[:1]
    assert left == tokens[1:]
    written, left = written_tokens(tokens, RULES, ended=True)
    assert [token for token, _ in written] == tokens
    assert left == []


def test_a_token_that_stands_for_others():
    tokens = tokens_of("so twenty three.", size=9)
    written, _ = written_tokens(tokens, RULES, ended=True)
    (first, one), (number, count) = written
    assert (first, one) == (tokens[0], 2)
    assert count == letters("twentythree.")
    assert (number.text, number.spoken) == (" 23.", "twenty three.")
    assert (number.start, number.end) == (tokens[1].start, tokens[-1].end)


def test_spaces_stay_where_the_vocabulary_has_them():
    tokens = [
        Token(1, "twenty ", 0, 1, 0.0, 0.1, 0.9),
        Token(2, "three ", 1, 1, 0.1, 0.2, 0.8, recovered=True),
        Token(3, "men ", 2, 1, 0.2, 0.3, 0.7),
    ]
    written, _ = written_tokens(tokens, RULES, ended=True)
    number, men = (token for token, _ in written)
    assert (number.text, number.confidence, number.recovered) == ("23 ", 0.8, True)
    assert men == tokens[2]


def test_a_token_of_several_words_is_divided():
    tokens = [Token(1, "it is twenty three", 0, 4, 0.0, 0.4, 0.9)]
    written, _ = written_tokens(tokens, RULES, ended=True)
    assert [(token.text, token.start, token.end) for token, _ in written] == [
        ("it", 0.0, 0.1), (" is", 0.1, 0.2), (" 23", 0.2, 0.4),
    ]  # fmt: skip


def test_a_space_alone_comes_with_the_word_after_it():
    spaced = [
        Token(at, text, at, 1, at, at + 1, 0.9) for at, text in enumerate(["a", " ", " b", " c"])
    ]
    written, left = written_tokens(spaced[:3], RULES, ended=False)
    assert ([token for token, _ in written], left) == (spaced[:1], spaced[1:3])
    written, left = written_tokens(spaced, RULES, ended=False)
    assert ([token for token, _ in written], left) == (spaced[:3], spaced[3:])


def test_after_letters():
    tokens = tokens_of("one two", size=2)
    assert [token.text for token in after_letters(tokens, 2)] == ["e", " tw", "o"]
    assert [token.text for token in after_letters(tokens, 3)] == [" tw", "o"]
    assert list(after_letters(tokens, 6)) == []
    assert list(after_letters(tokens, 0)) == tokens
