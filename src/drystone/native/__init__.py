"""The inner loops over plain arrays, in C++ where it was built and in NumPy where not; both give the same.

`DRYSTONE_NATIVE=0` in the environment switches the C++ off, so that the two can be compared.
"""

from drystone.native.choose import SlowerCoreWarning, describe, is_built
from drystone.native.masks import fill_masks
from drystone.native.memory import empty
from drystone.native.numpy_packing import chosen_rows
from drystone.native.packing import fill_grids, pack_groups
from drystone.native.ragged import gather
from drystone.native.sorting import sort_keys
from drystone.native.tapes import cut_batches, cut_runs, lay_tapes

__all__ = [
    "SlowerCoreWarning",
    "chosen_rows",
    "cut_batches",
    "cut_runs",
    "describe",
    "empty",
    "fill_grids",
    "fill_masks",
    "gather",
    "is_built",
    "lay_tapes",
    "pack_groups",
    "sort_keys",
]
