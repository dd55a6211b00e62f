"""Words at any times: cues that do not overlap, last long enough, and lose no text."""

from collections.abc import Iterator
from itertools import pairwise

from fuzz.heard import heard, speech
from parakeet_streaming.formats import cues
from parakeet_streaming.plain_text import readable
from parakeet_streaming.subtitles.options import LEAST_CUE_S, TRADE
from parakeet_streaming.subtitles.units import columns

DUST_S = 1e-6
LONGEST_WORD = TRADE.cue_characters
"""Columns; a word that fits into a cue is not cut, though its line is too long then."""


def run(data: bytes) -> None:
    transcript = heard(data)
    made = list(cues(transcript))
    for cue in made:
        assert cue.end - cue.start >= LEAST_CUE_S - DUST_S, cue
        assert cue.end - cue.start <= TRADE.longest_s + DUST_S, cue
        lines = cue.text.split("\n")
        assert len(lines) <= TRADE.lines, cue
        assert all(columns(line) <= LONGEST_WORD for line in lines), cue
    for cue, following in pairwise(made):
        assert cue.end <= following.start + DUST_S, (cue, following)
    told = "".join("".join(cue.text for cue in made).split())
    spoken = (readable(word.text) for word in transcript.words)
    assert told == "".join("".join(spoken).split())


def seeds() -> Iterator[bytes]:
    return speech()
