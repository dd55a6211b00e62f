"""What is known of a setting stands beside it, and a secret is never shown."""

from dataclasses import dataclass, fields

from parakeet_streaming.server.about_settings import About, setting


@dataclass(frozen=True)
class Two:
    size: int = setting(3, "Sizes", "How large.", least=1, most=9)
    word: str = setting("none", "Secrets", "A word.", secret=True, default_in_words="no word")


def test_a_setting_has_its_default_and_what_is_known_of_it():
    assert (Two().size, Two().word) == (3, "none")
    size, word = (each.metadata["about"] for each in fields(Two))
    assert size == About("Sizes", "How large.", least=1, most=9)
    assert word.default_in_words == "no word"


def test_a_secret_is_not_shown():
    assert repr(Two(word="sesame")) == "Two(size=3)"
