"""The columns of a plan's three tables."""

SPAN_COLUMNS = ("batch", "row", "step", "sequence", "offset", "length")
BATCH_COLUMNS = ("rows", "steps", "update", "cells", "cost")
DROPPED_COLUMNS = ("sequence", "offset", "length", "reason")
