"""The text of a file of phrases in; phrases out.

```
# people
Nguyen
Kubernetes	2.5
new york	-1
```

Rules of this file:

1. One phrase a line, with a weight behind a tab, or none. Empty lines say nothing, nor do those
   that begin with #.
2. Whatever is wrong is told with its line.
"""

from __future__ import annotations

from parakeet_streaming.boosting.phrases import DEFAULT_WEIGHT, Phrase, checked_phrases
from parakeet_streaming.errors import OptionError
from parakeet_streaming.limits import in_short


def phrases_in(text: str, name: str) -> tuple[Phrase, ...]:
    """The phrases of a file; `name` is what errors call it.

    Raises:
        OptionError: a line that is no phrase, more of them than are possible, or none at all.
    """
    found: list[Phrase] = []
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        if line.strip() and not line.startswith("#"):
            try:
                found.append(_phrase(line))
            except OptionError as error:
                raise OptionError(f"{name}, line {number}: {error}") from error
    try:
        phrases = checked_phrases(found)
    except OptionError as error:
        raise OptionError(f"{name}: {error}") from error
    if not phrases:
        raise OptionError(f"{name} has no phrases; write one a line")
    return phrases


def _phrase(line: str) -> Phrase:
    text, tab, weight = line.strip().rpartition("\t")
    if not tab:
        return Phrase(weight.strip())
    return Phrase(text.strip(), _weight(weight.strip()) if weight else DEFAULT_WEIGHT)


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise OptionError(
            f"{in_short(text)} behind the tab is no weight; use a number from -5 to 5"
        ) from error
