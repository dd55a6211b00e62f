import pytest

from parakeet_streaming.server.languages import languages_of


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
