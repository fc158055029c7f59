"""How long ranks waited for each other, in words."""

from collections.abc import Sequence

MOST_NAMED = 8


def waiting_in_words(waited: Sequence[float], seconds: float) -> str:
    """Returns a line on the seconds that each rank waited, of so many.

    Example:
        >>> waiting_in_words([1.0, 0.5], 10.0)
        'waited for other ranks: rank 0 10.0%, rank 1 5.0% of 10.0 s'
        >>> waiting_in_words([1.0] * 64, 10.0)
        'waited for other ranks: 10.0% on average, at most 10.0% (rank 0) of 10.0 s'
    """
    shares = [each / seconds if seconds else 0.0 for each in waited]
    if len(shares) <= MOST_NAMED:
        named = ", ".join(f"rank {rank} {share:.1%}" for rank, share in enumerate(shares))
    else:
        most = max(range(len(shares)), key=shares.__getitem__)
        named = f"{sum(shares) / len(shares):.1%} on average, at most {shares[most]:.1%} (rank {most})"
    return f"waited for other ranks: {named} of {seconds:.1f} s"
