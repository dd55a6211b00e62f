"""Tokens of any pieces, at any frames, in any order: text that only grows, and its words."""

from collections.abc import Iterator

from fuzz.heard import heard, speech
from parakeet_streaming.engine.words import group_segments, group_words


def run(data: bytes) -> None:
    transcript = heard(data)
    tokens = transcript.tokens
    text = "".join(token.text for token in tokens)
    assert text.strip() == transcript.text
    text.encode()
    words = (group_words(tokens), group_words(tokens, "mean"))
    for each in words:
        assert "".join("".join(word.text for word in each).split()) == "".join(text.split())
        assert all(0 <= word.confidence <= 1 for word in each)
    segments = group_segments(transcript.words, 0.5)
    assert [word for segment in segments for word in segment.words] == list(transcript.words)


def seeds() -> Iterator[bytes]:
    return speech()
