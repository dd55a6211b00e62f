"""Scripts of letters, by Unicode."""

import pytest

from parakeet_streaming.languages.scripts import SCRIPTS, script_of, scripts_in


@pytest.mark.parametrize(
    ("letters", "script"),
    [
        ("aZßøaǅ", "Latn"), ("бЖѝ", "Cyrl"), ("γΩά", "Grek"), ("אב", "Hebr"),
        ("ابپ", "Arab"), ("हिन्दी"[0], "Deva"), ("你好", "Hani"), ("ひら", "Hira"), ("カｶ", "Kana"),
        ("한", "Hang"), ("ไท", "Thai"), ("ქა", "Geor"), ("հա", "Armn"),
        ("አ", "Ethi"), ("ａＺ", "Latn"),
    ],
)  # fmt: skip
def test_letters(letters, script):
    assert scripts_in(letters) == {script}
    assert script in SCRIPTS


@pytest.mark.parametrize("character", [*"1٣.,?¿ ₽$-…▁😀\n", "ª", "µ", "\u0301", "\u2047"])
def test_what_is_no_letter_has_no_script(character):
    assert script_of(character) is None


def test_several():
    assert scripts_in("iPhone и Ω 7") == {"Latn", "Cyrl", "Grek"}
    assert scripts_in("") == frozenset()
