"""Layouts: the rules that turn lengths into spans, one file each."""

from drystone.core.layouts.base import Layout
from drystone.core.layouts.bucketed import Bucketed
from drystone.core.layouts.packed import Packed
from drystone.core.layouts.padded import Padded
from drystone.core.layouts.stateful import Stateful

__all__ = ["Bucketed", "Layout", "Packed", "Padded", "Stateful"]
