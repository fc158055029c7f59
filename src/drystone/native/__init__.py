"""The planning loops."""

from drystone.native.numpy_packing import chosen_rows, fill_grids, pack_groups
from drystone.native.numpy_tapes import cut_batches, lay_tapes

__all__ = ["chosen_rows", "cut_batches", "fill_grids", "lay_tapes", "pack_groups"]
