"""Words as they were said in; English numbers, dates, money and times in digits out.

Rules of this file: dates come first (a month or a day begins them), then times after `at`, then
amounts. What each does is in `dates.py` and `amounts.py`.
"""

from __future__ import annotations

from parakeet_streaming.writing.amounts import amount_at, time_after
from parakeet_streaming.writing.dates import date_at
from parakeet_streaming.writing.parts_of_words import PartsOfWords
from parakeet_streaming.writing.words_ahead import WordsAhead, Written


class NumberRule:
    """Numbers in digits."""

    def match(self, words: WordsAhead) -> Written | None:
        """What the words from a position on are written as; None where no number begins."""
        date = date_at(words)
        if date is not None or words.wanted_more:
            return date
        parts = PartsOfWords(words)
        amount = time_after(parts) or amount_at(parts)
        return None if amount is None else Written(amount.pieces)
