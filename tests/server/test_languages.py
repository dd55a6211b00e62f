import pytest

from parakeet_streaming.server.languages import heard_language, languages_of


@pytest.mark.parametrize(
    ("model", "count"),
    [
        ("tiny-en", 1),
        ("nvidia/parakeet-tdt-0.6b-v2", 1),
        ("istupakov/parakeet-tdt-0.6b-v3-onnx", 25),
        ("parakeet_tdt_0.6b_V3", 25),
        ("v30", 1),
    ],
)
def test_languages_are_those_of_the_models_name(model, count):
    languages = languages_of(model)
    assert len(set(languages)) == count
    assert "en" in languages


@pytest.mark.parametrize(
    ("known", "text", "heard"),
    [
        (("en",), "", "en"),
        (("en",), "привет", "en"),
        (("en", "ru", "el"), "hello 7", "en"),
        (("en", "ru", "el"), "привет", "ru"),
        (("en", "ru", "uk", "el"), "привет", "unknown"),
        (("en", "ru", "el"), "γεια", "el"),
        (("en", "de"), "hello", "unknown"),
        (("en", "el"), "hello γεια", "unknown"),
        (("en", "el"), "", "unknown"),
        (("xx", "el"), "hello", "unknown"),
        ((), "hello", "unknown"),
    ],
)
def test_what_was_heard_is_what_the_text_says(known, text, heard):
    assert heard_language(known, text) == heard
