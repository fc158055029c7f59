"""Names for fields that are made beside those of a user."""

from collections.abc import Collection


def free_name(name: str, taken: Collection[str]) -> str:
    """Returns the name, with as many primes as it takes to be none of those that are taken.

    Example:
        >>> free_name("y ahead", ["y", "y ahead"])
        "y ahead'"
    """
    while name in taken:
        name += "'"
    return name
