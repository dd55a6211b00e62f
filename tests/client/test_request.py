from urllib.parse import parse_qsl, urlsplit

import pytest

from parakeet_streaming.boosting.phrases import Phrase
from parakeet_streaming.client.request import StreamOptions, headers, phrase_fields, socket_url
from parakeet_streaming.errors import OptionError
from parakeet_streaming.server.protocols.native_settings import StreamSettings


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("http://h:1", "ws://h:1/v1/stream"),
        ("https://h/", "wss://h/v1/stream"),
        ("h:80", "ws://h:80/v1/stream"),
        ("wss://h/a/b", "wss://h/a/b/v1/stream"),
        ("ws://[::1]:9/v1/stream", "ws://[::1]:9/v1/stream"),
    ],
)
def test_any_usual_address_is_one(address, url):
    assert socket_url(address, StreamOptions()).partition("?")[0] == url


@pytest.mark.parametrize("address", ["", "ftp://h", "http://", "http://h:x", "http://h:0", "//"])
def test_others_are_none(address):
    with pytest.raises(OptionError, match="http://HOST:PORT"):
        socket_url(address, StreamOptions())


def test_the_server_reads_every_option():
    asked = StreamOptions(
        sample_rate=8_000, encoding="f32le", channels=2, separate=True, context="10-2-2",
        fixed=True, endpointing="relaxed", max_utterance_s=9.5, vad=False, tentative=False,
        words=False, tokens=True, checkpoints=3.0, numbers="digits", profanity="mask",
        replace="van=>fan\nnew york => NYC",
        phrases=(Phrase("Ada", -2.5), Phrase("new york")), boost=2.0,
    )  # fmt: skip
    query = dict(parse_qsl(urlsplit(socket_url("http://h", asked)).query))
    read = StreamSettings().with_fields(query)
    written = {"numbers", "profanity", "replace"}
    assert {name: getattr(read, name) for name in {*asked.__slots__} - written} == {
        name: getattr(asked, name) for name in {*asked.__slots__} - written
    }
    assert (read.writing.numbers, read.writing.profanity) == ("digits", "mask")
    assert [each.written for each in read.writing.replacements] == ["fan", "NYC"]


def test_spelling_that_no_address_can_hold_is_refused():
    lines = "\n".join(f"spoken so {number} => written so" for number in range(200))
    with pytest.raises(OptionError, match="WrittenStream"):
        socket_url("http://h", StreamOptions(replace=lines))
    half = lines[: len(lines) // 2]
    many = StreamOptions(replace=half, phrases=[f"phrase number {number}" for number in range(90)])
    assert not many.phrases_fit
    assert len(socket_url("http://h", many)) < 8_000


def test_phrases_that_no_address_can_hold_are_left_out_of_it():
    many = StreamOptions(phrases=[f"phrase number {number}" for number in range(300)])
    assert not many.phrases_fit
    assert "phrases" not in socket_url("http://h", many)
    assert StreamOptions(phrases=["few"]).phrases_fit
    assert StreamOptions().phrases_fit
    with pytest.raises(OptionError, match="characters"):
        socket_url("http://h", StreamOptions(phrases=["x" * 101]))


def test_phrases_of_a_message():
    listed = [{"text": "Ada", "weight": -2.5}, {"text": "b", "weight": 1.0}]
    assert phrase_fields([Phrase("Ada", -2.5), "b"], 2.0) == {"phrases": listed, "boost": 2.0}
    assert phrase_fields(None, None) == {"phrases": []}


def test_keys_are_visible_characters():
    assert headers(None) == {}
    assert headers("k ") == {"Authorization": "Bearer k"}
    for wrong in ("", " ", "a\nb", "schlüssel"):
        with pytest.raises(OptionError):
            headers(wrong)
