"""Sizes of batches, for those who choose none."""

BATCH_SIZE = 32
NUM_BUCKETS = 8
