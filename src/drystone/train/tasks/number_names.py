"""What the numbers of a target are called."""

import numpy as np


def number_names(target: str, shape: tuple[int, ...]) -> tuple[str, ...]:
    """Returns the name of each number of a target, in order.

    Args:
        target: the field. One that stands for several is named by them, with commas: "a,b,c".
        shape: of one value of it; () for a number.

    Example:
        >>> number_names("load", ()), number_names("load,price", (2,)), number_names("x", (2,))
        (('load',), ('load', 'price'), ('x[0]', 'x[1]'))
    """
    parts = tuple(target.split(","))
    if len(parts) > 1 and shape == (len(parts),):
        return parts
    return tuple(f"{target}[{', '.join(map(str, at))}]" if at else target for at in np.ndindex(shape))
