"""Files and tables, read into Sequences; one file a format."""

from drystone.readers.read import read

__all__ = ["read"]
