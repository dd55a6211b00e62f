"""Languages and their scripts."""

import pytest

from parakeet_streaming.errors import OptionError
from parakeet_streaming.languages import codes
from parakeet_streaming.languages.codes import (
    MOST_LANGUAGES,
    known_codes,
    language_codes,
    scripts_of,
)
from parakeet_streaming.languages.scripts import SCRIPTS
from parakeet_streaming.server.languages import languages_of


@pytest.mark.parametrize(
    ("code", "scripts"),
    [
        ("en", {"Latn"}), ("EN-us", {"Latn"}), ("pt_BR", {"Latn"}), ("uk", {"Cyrl"}),
        ("el", {"Grek"}), ("sr", {"Cyrl", "Latn"}), ("sr-Latn", {"Latn"}),
        ("sr-Cyrl-RS", {"Cyrl"}),
        ("ja", {"Hani", "Hira", "Kana"}), ("ko", {"Hang", "Hani"}),
        ("zh-Hant-TW", {"Hani", "Bopo"}),
        ("zh", {"Hani", "Bopo"}), ("deu", {"Latn"}), ("ger", {"Latn"}), ("rus", {"Cyrl"}),
        ("gre", {"Grek"}), ("iw", {"Hebr"}), ("az-Cyrl", {"Cyrl"}),
        ("ja-Jpan", {"Hani", "Hira", "Kana"}),
    ],
)  # fmt: skip
def test_languages(code, scripts):
    assert scripts_of(code) == scripts


@pytest.mark.parametrize(
    "code", ["", "xx", "multi", "auto", "english", "e", "en us", "en-", "-en", "e\n", "ru\n", "é"]
)
def test_what_is_no_language(code):
    assert scripts_of(code) is None


def test_every_language_of_a_known_model_is_known():
    for code in languages_of("parakeet-tdt-0.6b-v3"):
        assert scripts_of(code) <= {"Latn", "Cyrl", "Grek"}


def test_the_tables_are_sound():
    listed = " ".join(codes._WRITTEN_IN.values()).split()
    assert len(listed) == len(set(listed))
    assert set(codes._TWO_LETTERS.values()) <= set(listed)
    assert not set(codes._TWO_LETTERS) & set(listed)
    used = {script for scripts in codes._WRITTEN_IN for script in scripts}
    assert used | {s for each in codes._COMPOUND.values() for s in each} <= SCRIPTS


def test_what_callers_give():
    assert language_codes(None) == ()
    assert language_codes("de") == ("de",)
    assert language_codes("uk, en,uk") == ("uk", "en")
    assert language_codes(["uk", "en-GB"]) == ("uk", "en-GB")
    for wrong in ("klingon", ["de", "x"], "de,,en", [""]):
        with pytest.raises(OptionError, match="no language that is known"):
            language_codes(wrong)
    for wrong in (1.5, [None], ["de", 7]):
        with pytest.raises(OptionError, match="is no language; use a code"):
            language_codes(wrong)
    with pytest.raises(OptionError, match="more than 32"):
        language_codes([f"en-{number:03}" for number in range(MOST_LANGUAGES + 1)])


def test_what_clients_send_of_habit_refuses_nothing():
    assert known_codes(["de", "", " en "]) == ("de", "en")
    assert known_codes(["de", "multi"]) == ()
    assert known_codes([]) == ()
    assert known_codes([f"en-{number:03}" for number in range(MOST_LANGUAGES + 1)]) == ()
