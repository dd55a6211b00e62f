"""Texts as words and tokens with times, for tests of what is written."""

from parakeet_streaming.engine.words import group_segments, group_words, text_of
from parakeet_streaming.results import Token, Transcript
from parakeet_streaming.writing.rules import write
from parakeet_streaming.writing.words_ahead import WordsAhead, spoken_word

WORD_S = 0.4


def tokens_of(text, *, size=3):
    """Tokens of a few characters each, one word every 0.4 s; marks are tokens of their own."""
    tokens = []
    for number, word in enumerate(text.split()):
        core = spoken_word(word)
        body = f"{core.before}{core.core}"
        parts = [body[at : at + size] for at in range(0, len(body), size)] + list(core.after)
        lasts = WORD_S / max(1, len(parts))
        for at, part in enumerate(parts):
            space = " " if at == 0 and number else ""
            start = round(number * WORD_S + at * lasts, 3)
            tokens.append(
                Token(
                    len(tokens), space + part, len(tokens), 1, start, round(start + lasts, 3),
                    0.5 + 0.4 / (1 + len(tokens)),
                )
            )  # fmt: skip
    return tokens


def transcript_of(tokens):
    words = group_words(tokens)
    end_s = tokens[-1].end if tokens else 0.0
    return Transcript(text_of(tokens).strip(), tuple(tokens), words, group_segments(words), end_s)


def written_by(rules, text):
    """A text as rules write it, at once."""
    words, at, said = text.split(), 0, []
    for piece in write(words, rules, ended=True):
        said.append(" ".join(words[at : at + piece.words]) if piece.text is None else piece.text)
        at += piece.words
    assert at == len(words)
    return " ".join(said)


def ahead(text, *, ended=True):
    return WordsAhead([spoken_word(word) for word in text.split()], 0, ended=ended)
