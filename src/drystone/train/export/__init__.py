"""Trained runs as models of other frameworks, which need no drystone: one file a format."""

from drystone.train.export.format import Format, Source
from drystone.train.export.formats import FORMATS, export, format_of

__all__ = ["FORMATS", "Format", "Source", "export", "format_of"]
