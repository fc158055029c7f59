"""Joint: a class of each sequence, and one at every step, by one model."""
