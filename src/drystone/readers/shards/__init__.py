"""Data in several files, or larger than memory: read once into files of columns, which are memory-mapped."""

from drystone.readers.shards.find import has_shards, is_of_shards
from drystone.readers.shards.read import read_folder, read_shards

__all__ = ["has_shards", "is_of_shards", "read_folder", "read_shards"]
