"""Sizes of batches, for those who choose none."""

BATCH_SIZE = 32
NUM_BUCKETS = 8
CARRIED_STEPS = 128  # of a stateful row: as far as gradients usually reach back
