"""What is chosen of boosting for one stream: phrases, how strongly, and the fences around it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Self

from parakeet_streaming.boosting.phrases import Phrase, checked_phrases
from parakeet_streaming.errors import OptionError
from parakeet_streaming.limits import (
    MOST_BIAS_NATS,
    MOST_BOOST,
    MOST_DEPTH_SCALING,
    MOST_OTHER_SPLITS,
    MOST_SHARE,
    check_number,
    check_whole,
)

DEFAULT_BOOST: Final = 1.0


@dataclass(frozen=True, slots=True)
class Boosting:
    """Phrases to boost, and how.

    Without fences (`Boosting.unfenced`) the rule is NVIDIA NeMo's, token for token. Two that are
    equal are compiled once.

    Raises:
        OptionError: a phrase, or a number, out of its limits.
    """

    phrases: tuple[Phrase, ...]
    boost: float = DEFAULT_BOOST
    """How strongly, 0 to 10: what all weights are multiplied with."""
    window: float | None = 5.0
    """Nats below the best token within which a token is raised; None: however far below."""
    most_step: float | None = 5.0
    """The most nats that one token of a phrase is raised, or lowered, by; None: no bound."""
    share: float = 1.0
    """Nats by which a token is raised less, for the logarithm of how many others of the list stand
    beside it, 0 to 10: the longer a list, the more of a phrase must be heard before it counts."""
    word_starts: bool = True
    """Whether a phrase begins where a word does."""
    cases: bool = True
    """Whether a phrase is also boosted in lower case, with capitals where a sentence or a title
    has them, and, if it is a short word, in capitals."""
    other_splits: int = 3
    """How many other splits into tokens each is boosted in, 0 to 8."""
    depth_scaling: float = 2.0
    """How much more a token counts that goes on with a phrase than the one that begins it."""
    strict: bool = True
    """Whether a phrase with letters that the model cannot write is refused, or left out."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "phrases", checked_phrases(self.phrases))
        check_number("boost", self.boost, 0, MOST_BOOST)
        for name in ("window", "most_step"):
            if getattr(self, name) is not None:
                check_number(name, getattr(self, name), 0, MOST_BIAS_NATS, "nats")
        check_whole("other_splits", self.other_splits, 0, MOST_OTHER_SPLITS)
        check_number("share", self.share, 0, MOST_SHARE, "nats")
        check_number("depth_scaling", self.depth_scaling, 0, MOST_DEPTH_SCALING)
        for name in ("word_starts", "cases", "strict"):
            if not isinstance(getattr(self, name), bool):
                raise OptionError(f"{name} must be True or False")

    @classmethod
    def unfenced(
        cls, phrases: Iterable[str | Phrase], boost: float = DEFAULT_BOOST, depth_scaling: float = 2
    ) -> Self:
        """NVIDIA NeMo's rule and nothing else: one split of each phrase, as it is written."""
        return cls(
            checked_phrases(phrases),
            boost,
            window=None,
            most_step=None,
            share=0.0,
            cases=False,
            other_splits=0,
            depth_scaling=depth_scaling,
        )


Phrases = Iterable[str | Phrase] | Boosting
"""What callers give: texts, phrases with weights, or all of boosting."""


def boosting_of(phrases: Phrases | None, boost: float | None = None) -> Boosting | None:
    """What callers give as `phrases=` and `boost=`; None where nothing is boosted.

    Raises:
        OptionError: a phrase, or a number, out of its limits; a boost without phrases.
    """
    if phrases is None:
        if boost is not None:
            raise OptionError("boost says how strongly phrases are boosted; give phrases, too")
        return None
    if isinstance(phrases, Boosting):
        chosen = phrases if boost is None else replace(phrases, boost=boost)
    else:
        chosen = Boosting(checked_phrases(phrases), DEFAULT_BOOST if boost is None else boost)
    return chosen if chosen.phrases and chosen.boost else None
