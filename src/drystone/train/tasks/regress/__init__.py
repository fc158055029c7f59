"""Regress: one number or several of each sequence."""
