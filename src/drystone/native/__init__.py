"""The inner loops over plain arrays, in C++ where it was built and in NumPy where not; both give the same.

`DRYSTONE_NATIVE=0` in the environment switches the C++ off, so that the two can be compared.
"""

from drystone.native.choose import SlowerCoreWarning, describe, is_built
from drystone.native.memory import empty
from drystone.native.ragged import gather

__all__ = ["SlowerCoreWarning", "describe", "empty", "gather", "is_built"]
