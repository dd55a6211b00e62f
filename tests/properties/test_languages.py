"""A vocabulary of several scripts over the golden model: what a language changes, and what not."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parakeet_streaming import LiveEngine, LiveOptions, load, read_audio
from parakeet_streaming.engine.recognizer import Recognizer
from parakeet_streaming.errors import OptionError
from parakeet_streaming.live.adaptation import DelayRange
from parakeet_streaming.results import Final
from parakeet_streaming.timeline import ContextConfig

GOLDEN = Path(__file__).parents[1] / "parity" / "golden"
CONTEXT = ContextConfig.parse("2-0.48-0.48")
LETTERS = {"Latn": "a", "Cyrl": "б", "Grek": "γ", None: "1"}
LANGUAGES = {"en": "Latn", "ru": "Cyrl", "el": "Grek"}


class Pieces:
    """A vocabulary whose tokens take turns in their scripts."""

    def __init__(self, size, scripts):
        self.size = size
        self.scripts = [scripts[number % len(scripts)] for number in range(size)]

    def text_of(self, token_id):
        return f" {LETTERS[self.scripts[token_id]]}"


@pytest.fixture(scope="module")
def model():
    return load(GOLDEN / "tdt-tiny-onnx")


def recognizer(model, *scripts):
    size = model.snapshots.token_count
    return Recognizer(model._transducer, Pieces(size, scripts))


@pytest.fixture(scope="module")
def several(model):
    return recognizer(model, "Latn", "Cyrl", None, "Grek")


@pytest.fixture(scope="module")
def sounds():
    found = sorted((GOLDEN / "audio").iterdir())
    return [read_audio(path) for path in found][:4]


def tokens(recognizer, samples, language=None, context=CONTEXT):
    stream = recognizer.stream(context, language=language)
    stream.feed(samples)
    stream.finish()
    return stream.tokens


def placed(found):
    return [(token.start_frame, token.duration_frames) for token in found]


def first_other(found, plain):
    """How many tokens come before the first that is another one."""
    same = [token.id == other.id for token, other in zip(found, plain, strict=False)]
    return same.index(False) if False in same else len(same)


@pytest.mark.parametrize("code", LANGUAGES)
def test_only_tokens_of_its_scripts_come(several, sounds, code):
    allowed = {LANGUAGES[code], None}
    for samples in sounds:
        found = tokens(several, samples, code)
        plain = tokens(several, samples)
        scripts = {several._formatter._pieces.scripts[token.id] for token in found}
        assert scripts <= allowed
        # Up to the first token that is another one, blanks and times are as they were.
        same = first_other(found, plain)
        assert found[:same] == plain[:same]
        assert placed(found[: same + 1]) == placed(plain[: same + 1])


def test_it_changes_what_is_told(several, sounds):
    assert sum(len(tokens(several, each)) for each in sounds) > 8
    assert any(tokens(several, each, "el") != tokens(several, each) for each in sounds)


def test_within_a_script_nothing_changes(model, sounds):
    """A vocabulary in which all that comes up is of one script, and what does not of another."""
    for samples in sounds:
        plain = tokens(model, samples)
        pieces = Pieces(model.snapshots.token_count, ["Cyrl"])
        for token in plain:
            pieces.scripts[token.id] = "Latn"
        masked = Recognizer(model._transducer, pieces)
        assert masked.masks.of(("en",)) is not None
        assert tokens(masked, samples, "en") == tokens(masked, samples)


def test_a_model_of_one_script_has_no_mask(model, sounds):
    one = recognizer(model, "Latn", None)
    stream = one.stream(CONTEXT, language=["de", "en"])
    assert stream.windowed.biases == ()
    assert tokens(one, sounds[0], "de") == tokens(one, sounds[0])
    with pytest.raises(OptionError, match="writes no ru"):
        one.stream(CONTEXT, language="ru")
    with pytest.raises(OptionError, match="no language that is known"):
        one.transcribe(sounds[0], language="klingon")


@settings(max_examples=6, deadline=None)
@given(cuts=st.lists(st.integers(1, 30_000), max_size=5), code=st.sampled_from(list(LANGUAGES)))
def test_slicing_and_snapshots_change_nothing(several, sounds, cuts, code):
    samples = sounds[0]
    whole = tokens(several, samples, code)
    stream, start = several.stream(CONTEXT, language=code), 0
    for cut in cuts:
        stream.feed(samples[start : start + cut])
        start = min(len(samples), start + cut)
        stream = several.restore(stream.snapshot())
    stream.feed(samples[start:])
    stream.finish()
    assert stream.tokens == whole


def test_streams_of_a_batch_do_not_touch_each_other(several, sounds):
    languages = [None, "en", "ru", "el"]
    streams = [several.stream(CONTEXT, language=each) for each in languages]
    for stream in streams:
        stream.push(sounds[1])
        stream.end()
    while any(stream.ready for stream in streams):
        several.step(streams)
    for language, stream in zip(languages, streams, strict=True):
        assert stream.tokens == tokens(several, sounds[1], language)


def test_phrases_and_a_language_together(several, sounds):
    stream = several.stream(CONTEXT, language="el", phrases=[" γ"])
    stream.feed(sounds[0])
    stream.finish()
    pieces = several._formatter._pieces
    assert {pieces.scripts[token.id] for token in stream.tokens} <= {"Grek", None}


def test_live_streams_have_a_language_too(several, sounds):
    live = LiveOptions(DelayRange.fixed(CONTEXT), vad=None, endpoint=None, languages=("ru",))
    recording = LiveOptions.recording(CONTEXT)
    pieces = several._formatter._pieces
    with LiveEngine(several) as engine:
        found = []
        for stream in (engine.open(live), engine.open(recording, language="ru")):
            stream.push_waiting(sounds[0])
            stream.finish()
            (final,) = (event for event in stream if isinstance(event, Final))
            found.append(final.transcript.tokens)
        assert {pieces.scripts[token.id] for token in found[0]} <= {"Cyrl", None}
        assert found[1] == tokens(several, sounds[0], "ru")
        # What the model cannot write, it is not limited to.
        stream = engine.open(LiveOptions.recording(CONTEXT, languages=("ja",)))
        stream.push_waiting(sounds[0])
        stream.finish()
        (final,) = (event for event in stream if isinstance(event, Final))
        assert final.transcript.tokens == tokens(several, sounds[0])
        with pytest.raises(OptionError, match="no language"):
            engine.open(language="klingon")


def test_confidence_is_that_of_the_plain_logits(several, sounds):
    found, plain = tokens(several, sounds[0], "el"), tokens(several, sounds[0])
    at = first_other(found, plain)
    # The token that was passed over had more of it.
    assert 0 < found[at].confidence < plain[at].confidence
    assert found[at].confidence + plain[at].confidence < 1
