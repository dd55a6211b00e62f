"""Two words side by side in; what it costs readers if a line, or a cue, ends between them, out.

Rules of this file (Netflix's Timed Text Style Guide, "Line Treatment"; BBC's Subtitle Guidelines,
3.4 "Break at natural points"):

1. Lines end after marks, before conjunctions and before prepositions.
2. They do not part an article, a preposition or a pronoun from what follows it, an auxiliary verb
   from its verb, a number from what it counts, nor a first name from a last name.
3. These words are English. In other languages marks count, and where they look alike: a line that
   is no worse for it.
"""

from __future__ import annotations

from typing import Final

UNSPACED_ENDS: Final = ("。", "！", "？", "｡", "។", "။")
"""Of sentences in scripts without spaces, which are one word to others."""
SENTENCE_ENDS: Final = (".", "?", "!", "…", *UNSPACED_ENDS)
_MARKS: Final = (",", ";", ":", "–", "—", "、", "，", "；", "：", "،", "؛")
_QUOTES: Final = "\"'”’»)]」』）"

AFTER_A_SENTENCE: Final = 0.0
_AFTER_A_MARK: Final = 1.0
_BEFORE_A_CONJUNCTION: Final = 2.0
_BEFORE_A_PREPOSITION: Final = 3.0
ANYWHERE: Final = 5.0
_WITHIN_WHAT_BELONGS_TOGETHER: Final = 9.0

_CONJUNCTIONS: Final = frozenset(
    {
        "and", "or", "but", "nor", "so", "yet", "because", "although", "though", "while", "when",
        "whenever", "where", "if", "unless", "until", "since", "that", "which", "who", "whom",
        "whose", "than", "as", "before", "after", "whether",
    }
)  # fmt: skip
_PREPOSITIONS: Final = frozenset(
    {
        "in", "on", "at", "by", "for", "with", "from", "to", "of", "about", "into", "onto", "over",
        "under", "through", "between", "among", "against", "during", "without", "within", "across",
        "behind", "beyond", "toward", "towards", "upon", "near", "inside", "outside", "like",
    }
)  # fmt: skip
_ARTICLES: Final = frozenset(
    {
        "a", "an", "the", "this", "these", "those", "my", "your", "his", "her", "its", "our",
        "their", "no", "every", "each", "some", "any",
    }
)  # fmt: skip
_PRONOUNS: Final = frozenset(
    {
        "i", "you", "he", "she", "it", "we", "they", "i'm", "you're", "he's", "she's", "it's",
        "we're", "they're",
    }
)  # fmt: skip
_AUXILIARIES: Final = frozenset(
    {
        "am", "is", "are", "was", "were", "be", "been", "being", "have", "has", "had", "do", "does",
        "did", "will", "would", "can", "could", "shall", "should", "may", "might", "must", "not",
        "don't", "doesn't", "didn't", "won't", "can't", "isn't", "aren't", "wasn't", "very",
    }
)  # fmt: skip
_TITLES: Final = frozenset({"mr.", "mrs.", "ms.", "dr.", "st."})
_LEANS_ON_THE_NEXT: Final = _CONJUNCTIONS | _PREPOSITIONS | _ARTICLES | _PRONOUNS | _AUXILIARIES


def cost_between(before: str, after: str) -> float:
    """What a line's end costs between two words, marks included."""
    word = before.lower()
    if word in _TITLES:
        return _WITHIN_WHAT_BELONGS_TOGETHER
    said = before.rstrip(_QUOTES)
    if said.endswith(SENTENCE_ENDS):
        return AFTER_A_SENTENCE
    if said.endswith(_MARKS) or before in ("-", "--"):
        return _AFTER_A_MARK
    if word in _LEANS_ON_THE_NEXT or _is_one_name(before, after) or _counts(before):
        return _WITHIN_WHAT_BELONGS_TOGETHER
    following = after.lower().rstrip(",.?!")
    if following in _CONJUNCTIONS:
        return _BEFORE_A_CONJUNCTION
    return _BEFORE_A_PREPOSITION if following in _PREPOSITIONS else ANYWHERE


def _is_one_name(before: str, after: str) -> bool:
    return before[:1].isupper() and after[:1].isupper() and len(before) > 1


def _counts(before: str) -> bool:
    return before[-1:].isdigit() and before[:1] in "0123456789$€£¥₹"
