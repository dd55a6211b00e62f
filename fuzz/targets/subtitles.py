"""Words at any times: cues that do not overlap, last long enough, and lose no text."""

from collections.abc import Iterator
from itertools import pairwise

from fuzz.heard import heard, speech
from parakeet_streaming.formats import cues
from parakeet_streaming.subtitles import CUE_LINES, CUE_S, LEAST_CUE_S, LINE_CHARACTERS, columns

DUST_S = 1e-6
LONGEST_WORD = CUE_LINES * LINE_CHARACTERS
"""Columns; a word that fits into a cue is not cut, though its line is too long then."""


def run(data: bytes) -> None:
    transcript = heard(data)
    made = list(cues(transcript))
    for cue in made:
        assert cue.end - cue.start >= LEAST_CUE_S - DUST_S, cue
        assert cue.end - cue.start <= CUE_S + DUST_S, cue
        lines = cue.text.split("\n")
        assert len(lines) <= CUE_LINES, cue
        assert all(columns(line) <= LONGEST_WORD for line in lines), cue
    for cue, following in pairwise(made):
        assert cue.end <= following.start + DUST_S, (cue, following)
    told = "".join("".join(cue.text for cue in made).split())
    assert told == "".join("".join(word.text for word in transcript.words).split())


def seeds() -> Iterator[bytes]:
    return speech()
