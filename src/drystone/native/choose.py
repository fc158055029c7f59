"""Which core serves: the C++ extension, or NumPy in its place."""

import os
import warnings
from functools import cache
from importlib.util import find_spec

is_built = find_spec("drystone.native._native") is not None
is_off = os.environ.get("DRYSTONE_NATIVE") == "0"


class SlowerCoreWarning(UserWarning):
    """The C++ core was not built when drystone was installed."""


@cache
def native_serves() -> bool:
    """Whether the extension serves; a warning, once, where it should but is missing."""
    if not is_built and not is_off:
        warnings.warn(
            "drystone's native core is not built; NumPy serves in its place, slower. "
            "Install a C++ compiler, then drystone again.",
            SlowerCoreWarning,
            stacklevel=3,
        )
    return is_built and not is_off


def describe() -> str:
    """Returns in words which core serves, and why."""
    if is_off:
        return "switched off by DRYSTONE_NATIVE=0"
    return "built" if is_built else "not built; NumPy serves, slower"
