"""Numbers and choices in sentences."""

from collections.abc import Sequence


def so_many(number: int, noun: str) -> str:
    """Returns so many of something, in words.

    >>> so_many(1, "step"), so_many(1200, "step")
    ('1 step', '1,200 steps')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def span_of(least: int, most: int, noun: str) -> str:
    """Returns a range of numbers, in words.

    >>> span_of(3, 1200, "step"), span_of(5, 5, "step")
    ('3 to 1,200 steps', '5 steps')
    """
    return so_many(most, noun) if least == most else f"{least:,} to {so_many(most, noun)}"


def either(words: Sequence[str]) -> str:
    """Returns choices, in words.

    >>> either(["tag"]), either(["classify", "tag", "joint"])
    ('tag', 'classify, tag or joint')
    """
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last
