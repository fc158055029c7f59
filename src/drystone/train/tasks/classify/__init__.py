"""Classify: one class a sequence."""
