"""A user's list of replacements, and words as they come: text that is append-only, nothing lost."""

from collections.abc import Iterator

from fuzz.choices import Choices
from parakeet_streaming.errors import ParakeetError
from parakeet_streaming.results import Token, Transcript
from parakeet_streaming.writing.options import WritingOptions
from parakeet_streaming.writing.replacements import replacements_of
from parakeet_streaming.writing.written_stream import WrittenStream, written
from parakeet_streaming.writing.written_tokens import letters

SAID = (
    "twenty", "three", "hundred", "and", "five", "million", "dollars", "point", "May", "fifth",
    "at", "in", "a", "percent", "p.m.", "darn", "route", "oh", "twenty-one", "—", "x,", "66",
)  # fmt: skip


def run(data: bytes) -> None:
    choices = Choices(data)
    try:
        replacements = replacements_of(choices.text())
        options = WritingOptions(
            "digits" if choices.flag() else "model",
            replacements,
            "mask" if choices.flag() else "keep",
            ("darn", "holy cow"),
        )
    except ParakeetError:
        return
    tokens = []
    for at in choices.times(40):
        word = choices.text(12) if choices.flag() else choices.one_of(SAID)
        tokens.append(Token(at, f" {word}" if at else word, at, 1, at * 0.3, at * 0.3 + 0.3, 0.9))
    stream, told = WrittenStream(options), list[Token]()
    for token in tokens:
        told += stream.feed([token])
    heard = Transcript("", tuple(tokens), (), (), 0.3 * len(tokens))
    rest, _ = stream.end(heard)
    told += rest
    assert [each.text for each in told] == [each.text for each in _whole(heard, options)]
    spoken = sum(letters(each.spoken or each.text) for each in told)
    assert spoken == sum(letters(each.text) for each in tokens)


def _whole(heard: Transcript, options: WritingOptions) -> tuple[Token, ...]:
    _, whole = WrittenStream(options).end(heard)
    return written(heard, options).tokens if options.is_plain else whole.tokens


def seeds() -> Iterator[bytes]:
    for text in ("five => V", "/rou?te (\\d+)/ => Route \\1", "a b => c\n# d\n", "/(a+)+b/ => c"):
        yield bytes((len(text),)) + text.encode() + bytes((1, 1)) + bytes(range(64))
