"""A question that gets harder with a number in; the greatest number that is answered yes out."""

from __future__ import annotations

from collections.abc import Callable


def greatest(
    carries: Callable[[int], bool],
    start: int = 1,
    most: int = 1024,
    *,
    growth: float = 2.0,
    near: float = 0.0,
) -> int:
    """The greatest number up to `most` that `carries` says yes to; 0 where it never does.

    Grows from `start` until the answer is no, then halves what lies between. Yes is taken to hold
    for every smaller number, no for every greater one; none is asked twice.

    Args:
        carries: the question.
        start: the first number.
        most: the greatest one to ask about.
        growth: of the number while the answer is yes.
        near: part of the number to which it need not be exact.
    """
    carried, refused = 0, most + 1
    asked = min(start, most)
    while refused - carried > max(1, round(near * carried)):
        if carries(asked):
            carried = asked
        else:
            refused = asked
        further = max(carried + 1, round(growth * asked))
        asked = (carried + refused) // 2 if refused <= most else min(further, most)
    return carried


def confirmed(carries: Callable[[int], bool], found: int) -> int:
    """The first number from `found` downwards that a longer trial confirms; 0 where none does.

    A number that fails gives way to one a twentieth smaller, at least by one.
    """
    while found > 0 and not carries(found):
        found -= max(1, found // 20)
    return max(found, 0)
