"""Sequences, layouts, plans, batches: NumPy and Arrow only, no framework."""
