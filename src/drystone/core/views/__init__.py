"""Sequences made from others without a copy of values: one file a view."""

from drystone.core.views.methods import Views
from drystone.core.views.note import ViewNote

__all__ = ["ViewNote", "Views"]
