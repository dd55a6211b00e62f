import pytest

from parakeet_streaming.client import AsyncClient, async_client
from parakeet_streaming.errors import ExtraMissingError, OptionError


def test_what_cannot_be_is_refused_before_anything_is_sent():
    with pytest.raises(OptionError, match="address"):
        AsyncClient("ftp://h")
    with pytest.raises(OptionError, match="key"):
        AsyncClient("http://h", "a\r\nb")
    with pytest.raises(TypeError):
        AsyncClient("http://h").stream(colour="red")


def test_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(async_client, "find_spec", lambda _: None)
    with pytest.raises(ExtraMissingError, match=r"parakeet-streaming\[client\]"):
        AsyncClient("http://h")
