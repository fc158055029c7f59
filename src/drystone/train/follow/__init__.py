"""Predictions over streams that never end: JSON lines in, JSON lines out."""
