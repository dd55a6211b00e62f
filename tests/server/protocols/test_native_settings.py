import pytest

from parakeet_streaming.errors import ContextError, OptionError
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.server.protocols.native_settings import StreamSettings
from parakeet_streaming.server.replies import WrongRequestError


@pytest.mark.parametrize(
    ("fields", "settings"),
    [
        ({"colour": "red", "sample_rate": None}, StreamSettings()),
        ({"sample_rate": "8000", "encoding": "alaw"}, StreamSettings(8_000, "alaw")),
        ({"channels": "separate"}, StreamSettings(channels=2, separate=True)),
        ({"channels": 4, "separate": True}, StreamSettings(channels=4, separate=True)),
        ({"channels": "3"}, StreamSettings(channels=3)),
        ({"vad": "0", "words": "no"}, StreamSettings(vad=False, words=False)),
        ({"tokens": "1"}, StreamSettings(tokens=True)),
        ({"tentative": False, "fixed": True}, StreamSettings(tentative=False, fixed=True)),
        ({"max_utterance_s": "9.5"}, StreamSettings(max_utterance_s=9.5)),
    ],
)  # fmt: skip
def test_texts_and_json_are_read_alike(fields, settings):
    assert StreamSettings().with_fields(fields) == settings


@pytest.mark.parametrize(
    "field",
    [
        {"sample_rate": "3999"}, {"sample_rate": "nan"}, {"sample_rate": []}, {"encoding": "mp3"},
        {"channels": 9}, {"channels": "both"}, {"vad": "perhaps"}, {"context": 5},
        {"max_utterance_s": 0}, {"max_utterance_s": "inf"}, {"separate": 2},
    ],
)  # fmt: skip
def test_a_value_that_makes_no_sense_is_named(field):
    with pytest.raises(WrongRequestError) as caught:
        StreamSettings().with_fields(field)
    assert caught.value.field in field


def test_they_become_options_of_a_stream():
    asked = {"context": "10-2-2", "fixed": 1, "max_utterance_s": 9, "sample_rate": 8_000}
    options = StreamSettings().with_fields({**asked, "tentative": 0}).options(LiveOptions())
    live = options.live
    assert (str(live.context), live.delay.longest_chunk, options.rate_hz) == ("10-2-2", 2.0, 8_000)
    assert live.endpoint.max_utterance_s == 9
    assert not live.tentative
    off = StreamSettings().with_fields({"endpointing": "off", "vad": False}).options(LiveOptions())
    assert (off.live.endpoint, off.live.vad) == (None, None)


def test_what_does_not_fit_is_refused():
    for fields, error in (
        ({"context": "0-0-0"}, ContextError),
        ({"endpointing": "soon"}, OptionError),
        ({"endpointing": "off", "max_utterance_s": 9}, WrongRequestError),
    ):
        with pytest.raises(error):
            StreamSettings().with_fields(fields).options(LiveOptions())


def test_languages_that_are_known():
    options = StreamSettings().with_fields({"language": "uk,en"}).options(LiveOptions())
    assert options.live.languages == ("uk", "en")
    assert StreamSettings(language="multi").options(LiveOptions()).live.languages == ()
    assert StreamSettings().options(LiveOptions(languages=("de",))).live.languages == ("de",)
